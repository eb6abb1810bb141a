import keras
import numpy as np
import pytest

from keras_usmae.evaluation.picker_calibration import lone_world, silent_world
from keras_usmae.models import EchoCrossentropy, EchoDetector, MAEEncoder, picker_names
from keras_usmae.signals import SignalConfig, standardize, synthesize
from tests.numpy_reference import sigmoid_crossentropy


def probabilities(detector, signals):
    return 1 / (1 + np.exp(-detector.predict(standardize(signals), batch_size=256, verbose=0)))


def test_the_loss_is_the_binary_crossentropy_of_the_bins_that_count():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 30, (4, 8)).astype("float32")
    target = rng.uniform(size=(4, 8)).astype("float32")
    target[1, 2] = target[3] = np.nan
    expected = np.nansum(sigmoid_crossentropy(target, logits), axis=1)
    loss = keras.ops.convert_to_numpy(EchoCrossentropy(reduction=None)(target, logits))
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    assert loss[3] == 0


def test_the_gradient_of_a_bin_that_does_not_count_is_zero():
    detector = EchoDetector(MAEEncoder.from_preset("nano"))
    detector.compile(keras.optimizers.SGD(1.0), loss=EchoCrossentropy())
    before = [np.array(weight) for weight in detector.get_weights()]
    signals = np.random.default_rng(0).standard_normal((2, 2048)).astype("float32")
    detector.fit(signals, np.full((2, 128), np.nan, "float32"), verbose=0)
    for old, new in zip(before, detector.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_saved_detector_is_the_same_detector(tmp_path):
    detector = EchoDetector(MAEEncoder.from_preset("nano"), bin_width=32, settings={"min_confidence": 0.4})
    detector.save(tmp_path / "detector.keras")
    loaded = keras.saving.load_model(tmp_path / "detector.keras")
    assert loaded.get_config() == detector.get_config()
    signals = np.random.default_rng(0).standard_normal((2, 2048)).astype("float32")
    np.testing.assert_allclose(detector.predict(signals, verbose=0), loaded.predict(signals, verbose=0), atol=1e-6)
    assert loaded.compute_output_shape((None, 2048)) == (None, 64)


def test_a_bin_that_does_not_divide_the_signal_is_refused():
    with pytest.raises(ValueError, match="bin_width=7"):
        EchoDetector(MAEEncoder.from_preset("nano"), bin_width=7)


def test_an_unknown_picker_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'base'.*nano.*train_picker"):
        EchoDetector.from_preset("base")


@pytest.mark.parametrize("name", picker_names())
def test_a_shipped_picker_finds_lone_echoes_and_passes_over_silence(name):
    detector = EchoDetector.from_preset(name)
    drawn = synthesize(lone_world(), 128, seed=7)
    probability = probabilities(detector, drawn["signal"])
    error = (probability.argmax(axis=1) + 0.5) * detector.bin_width - drawn["onset"]
    assert np.mean(np.abs(error) < 24) > 0.95
    quiet = probabilities(detector, synthesize(silent_world(), 128, seed=7)["signal"])
    assert np.mean(quiet.max(axis=1) > 0.5) < 0.03


@pytest.mark.parametrize("name", picker_names())
def test_the_encoder_of_a_picker_is_a_start_for_others(name):
    encoder = MAEEncoder.from_preset(name, weights="picker")
    signals = standardize(synthesize(SignalConfig.from_preset("paper"), 2, seed=0)["signal"])
    theirs = EchoDetector.from_preset(name).encoder.predict(signals, verbose=0)
    np.testing.assert_allclose(encoder.predict(signals, verbose=0), theirs, atol=1e-5)
