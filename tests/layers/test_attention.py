import keras
import numpy as np
import pytest

from keras_usmae.layers import CrossAttention, NonSquareMultiHeadAttention
from tests.layer_test import run_layer_test
from tests.numpy_reference import attention, cross_attention

TOKENS = np.random.default_rng(0).normal(size=(2, 7, 12)).astype("float32")
CONTEXT = np.random.default_rng(2).normal(size=(2, 5, 10)).astype("float32")


def numpy_of(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize(("num_heads", "head_dim"), [(2, 8), (3, 4), (4, 2)])  # wider, equal and narrower inside
def test_layer(num_heads, head_dim):
    run_layer_test(
        NonSquareMultiHeadAttention,
        {"num_heads": num_heads, "head_dim": head_dim, "dropout": 0.0},
        (TOKENS,),
        [(2, 7, 12)],
        num_weights=4,
    )


def randomised(layer, *other_shapes):
    layer.build(TOKENS.shape, *other_shapes)
    rng = np.random.default_rng(1)
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape) * 0.3)
    return layer


def test_equals_plain_numpy_in_float64():
    layer = randomised(NonSquareMultiHeadAttention(num_heads=2, head_dim=8))
    weights = [
        numpy_of(w).astype("float64")
        for w in (
            layer.query_key_value.kernel,
            layer.query_key_value.bias,
            layer.output_projection.kernel,
            layer.output_projection.bias,
        )
    ]
    expected = attention(TOKENS.astype("float64"), *weights, num_heads=2)
    np.testing.assert_allclose(numpy_of(layer(TOKENS)), expected, atol=1e-5)


def test_equals_keras_multi_head_attention():
    ours = randomised(NonSquareMultiHeadAttention(num_heads=2, head_dim=8))
    theirs = keras.layers.MultiHeadAttention(num_heads=2, key_dim=8)
    theirs.build(TOKENS.shape, TOKENS.shape)
    kernel, bias = numpy_of(ours.query_key_value.kernel), numpy_of(ours.query_key_value.bias)
    for i, dense in enumerate((theirs.query_dense, theirs.key_dense, theirs.value_dense)):
        dense.kernel.assign(kernel[:, 16 * i : 16 * (i + 1)].reshape(12, 2, 8))
        dense.bias.assign(bias[16 * i : 16 * (i + 1)].reshape(2, 8))
    theirs.output_dense.kernel.assign(numpy_of(ours.output_projection.kernel).reshape(2, 8, 12))
    theirs.output_dense.bias.assign(numpy_of(ours.output_projection.bias))
    np.testing.assert_allclose(numpy_of(ours(TOKENS)), numpy_of(theirs(TOKENS, TOKENS)), atol=1e-5)


def test_fused_projection_starts_as_three_glorot_ones():
    layer = NonSquareMultiHeadAttention(num_heads=4, head_dim=64)
    layer.build((None, 16, 128))
    limit = (6 / (128 + 256)) ** 0.5
    largest = np.abs(numpy_of(layer.query_key_value.kernel)).max()
    assert 0.99 * limit < largest <= limit


@pytest.mark.parametrize("layer", [NonSquareMultiHeadAttention, CrossAttention])
def test_bad_sizes(layer):
    with pytest.raises(ValueError, match="num_heads=0, head_dim=8"):
        layer(0, 8)


@pytest.mark.parametrize(("num_heads", "head_dim"), [(2, 8), (3, 4), (4, 2)])
def test_cross_attention_layer(num_heads, head_dim):
    init = {"num_heads": num_heads, "head_dim": head_dim}
    run_layer_test(CrossAttention, init, (TOKENS, CONTEXT), [(2, 7, 12)], num_weights=6)


def test_cross_attention_equals_plain_numpy_in_float64():
    layer = randomised(CrossAttention(num_heads=2, head_dim=8), CONTEXT.shape)
    weights = {"/".join(w.path.split("/")[-2:]): numpy_of(w).astype("float64") for w in layer.weights}
    expected = cross_attention(TOKENS.astype("float64"), CONTEXT.astype("float64"), weights, num_heads=2)
    np.testing.assert_allclose(numpy_of(layer(TOKENS, CONTEXT)), expected, atol=1e-5)


def test_cross_projection_starts_as_two_glorot_ones():
    layer = CrossAttention(num_heads=4, head_dim=64)
    layer.build((None, 16, 96), (None, 16, 128))
    limit = (6 / (128 + 256)) ** 0.5
    largest = np.abs(numpy_of(layer.key_value.kernel)).max()
    assert 0.99 * limit < largest <= limit
