import keras
import numpy as np

from keras_usmae.layers import IntegerSafeLayerNormalization
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
