import numpy as np
import pytest

from keras_usmae.signals.synthesis.noise import NOISE_COLORS, color_noise

RATE, LENGTH = 100e6, 2048
FREQUENCIES = np.fft.rfftfreq(LENGTH, 1 / RATE)


def spectrum(color, seed=5):
    white = np.random.default_rng(seed).standard_normal((2000, LENGTH), dtype=np.float32)
    noise = color_noise(white, color, RATE, (1e6, 4e6))
    assert noise.dtype == np.float32
    assert noise.shape == white.shape
    return np.mean(np.abs(np.fft.rfft(noise)) ** 2, axis=0)


def test_white_is_left_alone():
    power = spectrum("white")[1:-1]
    # The mean of 2000 chi-square values with two degrees of freedom scatters by 2.2 %.
    np.testing.assert_allclose(power / power.mean(), 1, atol=0.12)


def test_pink_falls_as_one_over_frequency_and_has_no_dc():
    power = spectrum("pink")
    product = power[1:-1] * FREQUENCIES[1:-1]
    np.testing.assert_allclose(product / product.mean(), 1, atol=0.12)
    assert power[0] < 1e-9 * power[1]


def test_band_is_3_db_down_at_its_edges():
    power = 10 * np.log10(spectrum("band") + 1e-30)
    at = lambda frequency: power[np.abs(FREQUENCIES - frequency) < 100e3].mean()  # noqa: E731
    middle = at(2e6)
    np.testing.assert_allclose([at(1e6) - middle, at(4e6) - middle], -3, atol=0.6)
    # Second order: 12 dB an octave on either side.
    assert at(16e6) - middle < -22
    assert at(0.2e6) - middle < -22


@pytest.mark.parametrize("color", NOISE_COLORS)
def test_noise_is_stationary_from_the_first_sample_to_the_last(color):
    white = np.random.default_rng(6).standard_normal((4000, LENGTH), dtype=np.float32)
    power = np.mean(color_noise(white, color, RATE, (1e6, 4e6)) ** 2, axis=0).reshape(8, -1).mean(axis=1)
    np.testing.assert_allclose(power / power.mean(), 1, atol=0.08)


@pytest.mark.parametrize("length", [1000, 1023])
def test_any_length_is_kept(length):
    white = np.random.default_rng(7).standard_normal((2, length), dtype=np.float32)
    assert color_noise(white, "pink", RATE, (1e6, 4e6)).shape == (2, length)
