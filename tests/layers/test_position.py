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


def test_bad_input():
    with pytest.raises(ValueError, match="Received: kind='rotary'"):
        PositionEmbedding("rotary")
    with pytest.raises(ValueError, match=r"even `hidden_dim`.*7"):
        PositionEmbedding("sincos").build((None, 8, 7))
