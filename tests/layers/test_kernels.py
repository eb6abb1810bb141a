import functools
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_usmae.layers import NonSquareMultiHeadAttention, dot_product_attention


def draw(num_tokens, num_context, seed=0):
    rng = np.random.default_rng(seed)
    shapes = [(2, num_tokens, 3, 8), (2, num_context, 3, 8), (2, num_context, 3, 8)]
    return [rng.normal(size=shape).astype("float32") for shape in shapes]


def reference(query, key, value):
    scores = np.einsum("bthk,bshk->bhts", query, key).astype("float64") / np.sqrt(query.shape[-1])
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return np.einsum("bhts,bshk->bthk", weights / weights.sum(-1, keepdims=True), value)


@pytest.mark.parametrize("max_scores", [10**9, 40 * 24, 7 * 24 + 5, 1])
def test_attention_in_parts_is_attention(max_scores):
    query, key, value = draw(40, 24)
    found = dot_product_attention(*map(keras.ops.convert_to_tensor, (query, key, value)), max_scores=max_scores)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(found), reference(query, key, value), rtol=1e-5, atol=1e-5)


def gradient(layer, x):
    """Gradient of the sum of squares of a layer's output with respect to its first weight, by the backend's own way."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        @tf.function  # in which a loop is one
        def compute():
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(layer(x, training=True) ** 2)
            return tape.gradient(loss, layer.trainable_variables[0].value)

        return compute().numpy()
    if backend == "torch":
        layer.zero_grad()
        (layer(keras.ops.convert_to_tensor(x), training=True) ** 2).sum().backward()
        return layer.trainable_variables[0].value.grad.numpy()
    import jax

    def loss(weights):
        outputs, _ = layer.stateless_call(weights, [], x, training=True)
        return (outputs**2).sum()

    weights = [variable.value for variable in layer.trainable_variables]
    return np.asarray(jax.grad(loss)(weights)[0])


@pytest.mark.parametrize("max_scores", [100, 7 * 24, 30])
def test_gradients_through_parts_are_the_same(monkeypatch, max_scores):
    x = np.random.default_rng(0).normal(size=(2, 24, 12)).astype("float32")
    layer = NonSquareMultiHeadAttention(num_heads=2, head_dim=8)
    layer.build(x.shape)
    whole = gradient(layer, x)
    import keras_usmae.layers.attention as attention

    in_parts = functools.partial(dot_product_attention, max_scores=max_scores)
    monkeypatch.setattr(attention, "dot_product_attention", in_parts)
    parts = gradient(layer, x)
    assert np.abs(whole).max() > 1e-3
    np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-5 * np.abs(whole).max())


def test_training_and_inference_give_the_same_numbers():
    x = np.random.default_rng(0).normal(size=(2, 24, 12)).astype("float32")
    layer = NonSquareMultiHeadAttention(num_heads=2, head_dim=8)
    results = [keras.ops.convert_to_numpy(layer(x, training=training)) for training in (True, False)]
    np.testing.assert_allclose(*results, rtol=1e-6, atol=1e-6)


COMPILED = """
import jax
import numpy as np
from keras_usmae.layers import dot_product_attention

for num_tokens in (1024, 2048):
    x = np.zeros((1, num_tokens, 2, 16), "float32")
    step = jax.jit(jax.grad(lambda x: (dot_product_attention(x, x, x) ** 2).sum()))
    print(step.lower(x).compile().memory_analysis().temp_size_in_bytes)
"""


def test_memory_grows_linearly():
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", COMPILED], capture_output=True, text=True, check=True, env=environment)
    short, long = map(int, done.stdout.split())
    assert long < 2.2 * short
    assert long < 4 * 2 * 2048**2 / 4  # bytes, a quarter of the scores
