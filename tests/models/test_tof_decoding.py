import numpy as np
import pytest
from keras import ops
from scipy.stats import norm

from keras_usmae.models import MAEEncoder, ToFClassifier
from keras_usmae.models.tof_decoding import decode_interval, decode_spread

RNG = np.random.default_rng(0)


def normal_logits(onset, sigma):
    mass = np.diff(norm.cdf(np.arange(129) * 16.0, np.reshape(onset, (-1, 1)), sigma), axis=1)
    return np.log(mass + 1e-30).astype("float32")


def test_interval_and_spread_of_a_normal_distribution():
    onset, sigma = RNG.uniform(300, 1700, 50), 60.0
    logits = normal_logits(onset, sigma)
    interval = ops.convert_to_numpy(decode_interval(logits, 16))
    np.testing.assert_allclose(interval, onset[:, None] + 1.96 * sigma * np.array([-1, 1]), atol=2)
    half = ops.convert_to_numpy(decode_interval(logits, 16, level=0.5))
    np.testing.assert_allclose(half, onset[:, None] + 0.6745 * sigma * np.array([-1, 1]), atol=1)
    # Rounding to bins and spreading evenly inside adds the variance of a bin twice.
    expected = np.sqrt(sigma**2 + 16**2 / 6)
    np.testing.assert_allclose(ops.convert_to_numpy(decode_spread(logits, 16)), expected, rtol=0.01)


def test_the_ends_of_certain_and_of_empty_knowledge():
    certain = np.full((2, 128), -60, "float32")
    certain[[0, 1], [0, 127]] = 60
    interval = ops.convert_to_numpy(decode_interval(certain, 16))
    np.testing.assert_allclose(interval, [[0.4, 15.6], [2032.4, 2047.6]], atol=1e-3)
    np.testing.assert_allclose(ops.convert_to_numpy(decode_spread(certain, 16)), 16 / 12**0.5, rtol=1e-4)
    nothing = np.zeros((1, 128), "float32")
    np.testing.assert_allclose(ops.convert_to_numpy(decode_interval(nothing, 16)), [[51.2, 1996.8]], rtol=1e-4)
    np.testing.assert_allclose(ops.convert_to_numpy(decode_spread(nothing, 16)), 2048 / 12**0.5, rtol=1e-4)
    with pytest.raises(ValueError, match="level=95"):
        decode_interval(nothing, 16, level=95)


def test_an_interval_tells_of_a_second_guess_far_away():
    logits = np.full((1, 128), -30, "float32")
    logits[0, [20, 100]] = np.log([0.9, 0.1])
    low, high = ops.convert_to_numpy(decode_interval(logits, 16))[0]
    assert 320 <= low < 336
    assert 1600 <= high < 1616


def test_temperature_widens_the_spread_and_leaves_the_onset():
    classifier = ToFClassifier(MAEEncoder.from_preset("nano", signal_length=256))
    signals = RNG.normal(size=(4, 256)).astype("float32")
    sharp, flat = classifier.predict_tof(signals, temperature=1e-4), classifier.predict_tof(signals, temperature=1e6)
    np.testing.assert_array_equal(sharp["onset"], flat["onset"])
    # One bin at one end, all bins alike at the other. In between an untrained model's spread need not grow.
    np.testing.assert_allclose(sharp["spread"], 16 / 12**0.5, rtol=1e-3)
    np.testing.assert_allclose(flat["spread"], 256 / 12**0.5, rtol=1e-3)
    assert (sharp["confidence"] > flat["confidence"]).all()
    assert (np.diff(sharp["interval"], axis=1) < np.diff(flat["interval"], axis=1)).all()
