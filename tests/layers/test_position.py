import keras
import numpy as np
import pytest

from keras_usmae.layers import PositionEmbedding, sincos_table
from tests.layer_test import run_layer_test
from tests.numpy_reference import positions

TOKENS = np.random.default_rng(0).normal(size=(2, 8, 6)).astype("float32")


@pytest.mark.parametrize("kind", ["sincos", "learned"])
def test_layer(kind):
    run_layer_test(PositionEmbedding, {"kind": kind}, (TOKENS,), [(2, 8, 6)], num_weights=1)


def test_table_agrees_with_the_formula():
    np.testing.assert_allclose(sincos_table(64, 32), positions(64, 32), atol=1e-6)


def test_sincos_is_added_and_fixed():
    layer = PositionEmbedding("sincos")
    added = keras.ops.convert_to_numpy(layer(TOKENS)) - TOKENS
    np.testing.assert_allclose(added[0], positions(8, 6), atol=1e-6)
    assert not layer.trainable_weights


@pytest.mark.parametrize("kind", ["sincos", "learned"])
def test_rows_of_the_positions_asked_for(kind):
    layer = PositionEmbedding(kind)
    everywhere = keras.ops.convert_to_numpy(layer(TOKENS))
    picked = np.array([[6, 1, 1], [0, 7, 2]])
    rows = np.take_along_axis(TOKENS, picked[:, :, None], axis=1)
    expected = np.take_along_axis(everywhere, picked[:, :, None], axis=1)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(rows, picked)), expected)
    one_token = TOKENS[:1, :1]
    table = everywhere[0] - TOKENS[0]
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(layer(one_token, picked)), one_token + table[picked], atol=1e-6
    )


def test_bad_input():
    with pytest.raises(ValueError, match="Received: kind='rotary'"):
        PositionEmbedding("rotary")
    with pytest.raises(ValueError, match=r"even `hidden_dim`.*7"):
        PositionEmbedding("sincos").build((None, 8, 7))
