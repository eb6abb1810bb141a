import numpy as np
import pytest
from keras import ops

from keras_usmae.models import (
    MAEEncoder,
    attention_distance,
    attention_maps,
    attention_probabilities,
    uniform_attention_distance,
)

SIGNALS = np.random.default_rng(0).normal(size=(5, 256)).astype("float32")


@pytest.fixture(scope="module")
def encoder():
    encoder = MAEEncoder(256, 32, hidden_dim=12, num_heads=3, head_dim=8, num_layers=2, mlp_dim=16)
    rng = np.random.default_rng(1)
    for weight in encoder.trainable_weights:  # fresh weights attend almost evenly
        weight.assign(weight + rng.normal(size=weight.shape).astype("float32") * 0.5)
    return encoder


def test_probabilities_give_the_output_of_each_layer(encoder):
    maps = attention_maps(encoder, SIGNALS, batch_size=2)
    assert maps.shape == (2, 5, 3, 8, 8)
    np.testing.assert_allclose(maps.sum(-1), 1, atol=1e-5)
    assert maps.max() > 0.5
    tokens = encoder.embed(ops.convert_to_tensor(SIGNALS))
    for i, block in enumerate(encoder.blocks):
        normed = block.attention_norm(tokens)
        value = ops.convert_to_numpy(block.attention.query_key_value(normed))[:, :, 48:].reshape(5, 8, 3, 8)
        attended = np.einsum("bhij,bjhk->bihk", maps[i], value).reshape(5, 8, 24)
        output = block.attention.output_projection(ops.convert_to_tensor(attended))
        expected = ops.convert_to_numpy(block.attention(normed))
        np.testing.assert_allclose(ops.convert_to_numpy(output), expected, rtol=1e-5, atol=1e-5)
        tokens = block(tokens)


def test_half_precision_keeps_probabilities_that_sum_to_one(encoder):
    low = MAEEncoder.from_config({**encoder.get_config(), "dtype": "mixed_bfloat16"})
    low.set_weights(encoder.get_weights())
    probabilities = attention_probabilities(low.blocks[0].attention, low.embed(ops.convert_to_tensor(SIGNALS)))
    np.testing.assert_allclose(ops.convert_to_numpy(probabilities).sum(-1), 1, atol=1e-5)


def test_distance_of_known_attention():
    stay, neighbour = np.eye(8), np.roll(np.eye(8), 1, axis=1)
    neighbour[-1] = np.eye(8)[-2]  # the last patch has its neighbour on the left
    uniform = np.full((8, 8), 1 / 8)
    maps = np.broadcast_to(np.stack([stay, neighbour, uniform]), (2, 5, 3, 8, 8))
    expected = [0, 32, uniform_attention_distance(8, 32)]
    np.testing.assert_allclose(attention_distance(maps, 32), [expected, expected])
    assert expected[2] == pytest.approx(32 * np.mean([abs(i - j) for i in range(8) for j in range(8)]))
