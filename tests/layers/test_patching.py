import keras
import numpy as np
import pytest

from keras_usmae.layers import PatchEmbedding, check_patching, patchify, unpatchify
from tests.layer_test import run_layer_test


def test_layer():
    signals = np.random.default_rng(0).normal(size=(4, 64)).astype("float32")
    run_layer_test(PatchEmbedding, {"patch_size": 16, "hidden_dim": 6}, (signals,), [(4, 4, 6)], num_weights=2)


def test_layer_with_a_stem():
    signals = np.random.default_rng(0).normal(size=(4, 64)).astype("float32")
    init = {"patch_size": 16, "hidden_dim": 6, "stem_dim": 10}
    run_layer_test(PatchEmbedding, init, (signals,), [(4, 4, 6)], num_weights=4)
    with pytest.raises(ValueError, match=r"`stem_dim` must be a positive integer\. Received: stem_dim=0"):
        PatchEmbedding(16, 6, stem_dim=0)


def test_a_stem_equals_numpy():
    signals = 9 * np.random.default_rng(0).normal(size=(2, 64)).astype("float32")
    layer = PatchEmbedding(16, 6, stem_dim=10)
    found = keras.ops.convert_to_numpy(layer(signals))
    stem, bias, kernel, offset = (keras.ops.convert_to_numpy(weight).astype("float64") for weight in layer.weights)
    hidden = np.clip(signals.reshape(2, 4, 16) @ stem + bias, 0, 6)
    assert (hidden == 6).any()
    np.testing.assert_allclose(found, hidden @ kernel + offset, atol=1e-5)


@pytest.mark.parametrize("stem_dim", [None, 10])
def test_embeds_the_patches_asked_for(stem_dim):
    signals = np.random.default_rng(0).normal(size=(2, 64)).astype("float32")
    layer, picked = PatchEmbedding(8, 6, stem_dim), np.array([[5, 0, 7], [3, 3, 1]], "int32")
    everything = keras.ops.convert_to_numpy(layer(signals))
    expected = np.take_along_axis(everything, picked[:, :, None], axis=1)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(signals, picked)), expected, atol=1e-6)
    symbolic = layer(keras.Input(batch_shape=(2, 64)), keras.Input(batch_shape=(2, 3), dtype="int32"))
    assert tuple(symbolic.shape) == (2, 3, 6)


def test_patches_are_consecutive_samples_and_come_back():
    signals = np.arange(2 * 12, dtype="float32").reshape(2, 12)
    patches = keras.ops.convert_to_numpy(patchify(keras.ops.convert_to_tensor(signals), 4))
    np.testing.assert_array_equal(patches[1, 2], signals[1, 8:12])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(unpatchify(patches)), signals)


@pytest.mark.parametrize(
    ("length", "patch", "message"),
    [
        (2050, 32, r"multiple.*2050.*remainder 2.*crop to 2048.*pad to 2080"),
        (16, 32, r"at least one patch.*16 is shorter than patch_size=32"),
        (2048, 0, r"patch_size.*positive integer.*0"),
        (2048, 2.5, r"patch_size.*positive integer.*2\.5"),
    ],
)
def test_bad_sizes(length, patch, message):
    with pytest.raises(ValueError, match=message):
        check_patching(length, patch)


def test_layer_refuses_a_length_that_leaves_a_remainder():
    with pytest.raises(ValueError, match="multiple of `patch_size`"):
        PatchEmbedding(32, 8)(np.zeros((1, 100), "float32"))
