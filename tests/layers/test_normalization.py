import keras
import numpy as np
import pytest

from keras_usmae.layers import IntegerSafeLayerNormalization, TanhNormalization, build_normalization
from tests.layer_test import run_layer_test

X = (np.random.default_rng(0).normal(size=(2, 5, 16)) * 3 + 1).astype("float32")


def test_layer():
    run_layer_test(IntegerSafeLayerNormalization, {"epsilon": 1e-4}, (X,), [(2, 5, 16)], num_weights=2)


def test_equals_keras():
    ours, theirs = IntegerSafeLayerNormalization(epsilon=1e-5), keras.layers.LayerNormalization(epsilon=1e-5)
    for layer in (ours, theirs):
        layer.build(X.shape)
        layer.gamma.assign(np.linspace(0.5, 2, 16))
        layer.beta.assign(np.linspace(-1, 1, 16))
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(ours(X)), keras.ops.convert_to_numpy(theirs(X)), atol=2e-6, rtol=1e-5
    )


def test_tanh_layer():
    run_layer_test(TanhNormalization, {}, (X,), [(2, 5, 16)], num_weights=2)


def test_tanh_equals_numpy():
    layer, gamma, beta = TanhNormalization(), np.linspace(0.5, 2, 16), np.linspace(-1, 1, 16)
    layer.build(X.shape)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    expected = gamma * np.tanh(X.astype("float64") / 2) + beta
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(X)), expected, atol=1e-6)


def test_an_unknown_normalisation_is_named():
    assert isinstance(build_normalization("layer"), IntegerSafeLayerNormalization)
    with pytest.raises(ValueError, match=r"`normalization` must be one of.*Received: normalization='batch'"):
        build_normalization("batch")
