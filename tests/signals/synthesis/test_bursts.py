import numpy as np
import pytest
import scipy.signal.windows

from keras_usmae.signals import ENVELOPES, tone_burst
from keras_usmae.signals.synthesis.bursts import evaluate_envelope

SHAPES = np.array([0.0, 0.3, 1.0], dtype=np.float32)


def envelope_on(name, time):
    return evaluate_envelope(name, np.tile(np.float32(time), (len(SHAPES), 1)), SHAPES)


@pytest.mark.parametrize("name", ENVELOPES)
def test_envelopes_peak_at_one_and_are_zero_outside(name):
    np.testing.assert_allclose(envelope_on(name, np.linspace(0, 1, 100_001)).max(axis=1), 1, atol=1e-5)
    assert not envelope_on(name, np.array([-1.0, -1e-6, 1.0, 1.001, 3.0])).any()


@pytest.mark.parametrize("name", ENVELOPES)
def test_envelopes_leave_zero_at_once_and_without_a_jump(name):
    start = envelope_on(name, np.array([0.0, 1e-4, 1e-2]))
    assert (start[:, 1] > 0).all()
    if name == "rectangular":
        np.testing.assert_array_equal(start, 1)
    else:
        np.testing.assert_allclose(start[:, 0], 0, atol=1e-6)
        assert (start[:, 1] < 0.01).all()


def test_hann_and_tukey_are_those_of_scipy():
    time = np.arange(0, 300) / 300
    np.testing.assert_allclose(envelope_on("hann", time)[0], scipy.signal.windows.hann(300, sym=False), atol=1e-5)
    for row, share in zip(envelope_on("tukey", time), 0.1 + 0.8 * SHAPES, strict=True):
        np.testing.assert_allclose(row, scipy.signal.windows.tukey(300, share, sym=False), atol=1e-5)


def test_gaussian_has_the_stated_width():
    time = np.linspace(0, 1, 1001)[:-1]
    for row, half_width in zip(envelope_on("gaussian", time), 2.5 + SHAPES, strict=True):
        floor = np.exp(-(half_width**2) / 2)
        bell = np.exp(-(((time - 0.5) * 2 * half_width) ** 2) / 2)
        np.testing.assert_allclose(row * (1 - floor) + floor, bell, atol=1e-5)


def test_damped_rises_fast_and_has_rung_down_by_40_db():
    time = np.linspace(0, 1, 10_001)[:-1]
    envelope = envelope_on("damped", time)
    peak = time[envelope.argmax(axis=1)]
    assert (np.diff(peak) > 0).all()
    np.testing.assert_allclose(peak[[0, -1]], [0.055, 0.134], atol=0.002)
    np.testing.assert_allclose(20 * np.log10(envelope[:, -1]), -40, atol=2)
    # A pure exponential rings down behind the peak: a straight line in dB.
    tail = 20 * np.log10(envelope[0, 3000:9000])
    np.testing.assert_allclose(np.diff(tail, 2), 0, atol=1e-3)


def test_tone_burst_is_the_formula():
    time = np.arange(300) / 100e6
    expected = np.sin(np.pi * time / 3e-6) ** 2 * np.sin(2 * np.pi * 2.5e6 * time + 0.7)
    np.testing.assert_allclose(tone_burst(2.5e6, 300, 100e6, phase=0.7), expected, atol=1e-5)


def test_tone_burst_of_an_unknown_envelope():
    with pytest.raises(ValueError, match=r"no envelope 'boxcar'.*rectangular"):
        tone_burst(2.5e6, 300, 100e6, envelope="boxcar")
