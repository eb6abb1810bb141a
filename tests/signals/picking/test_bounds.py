import numpy as np
import pytest

from keras_usmae.signals import delay_crb_carrier, delay_crb_envelope, tone_burst

SIGMA, FREQUENCY, RATE = 30.0, 2.5e6, 100e6  # of a Gaussian envelope in samples


def gaussian_pulse(phase=0.3):
    time = np.arange(-240.0, 241.0)
    return np.exp(-(time**2) / (2 * SIGMA**2)) * np.cos(2 * np.pi * FREQUENCY / RATE * time + phase)


def test_bounds_of_a_gaussian_pulse_are_those_of_the_closed_form():
    # Energy A^2 sigma sqrt(pi) / 2; spectrum with a mean of the carrier and a variance of 1 / (2 sigma^2).
    energy, variance, omega = SIGMA * np.sqrt(np.pi) / 2, 1 / (2 * SIGMA**2), 2 * np.pi * FREQUENCY / RATE
    carrier = 0.01 / np.sqrt(energy * (omega**2 + variance))
    envelope = 0.01 / np.sqrt(energy * variance)
    assert delay_crb_carrier(gaussian_pulse(), 0.01) == pytest.approx(carrier, rel=1e-4)
    assert delay_crb_envelope(gaussian_pulse(), 0.01) == pytest.approx(envelope, rel=1e-4)


def test_carrier_bound_is_the_fisher_information_of_the_derivative():
    pulse = tone_burst(2.0e6, 320, RATE, phase=1.0).astype(np.float64)
    time = (np.arange(3201) - 0.5) / 10  # the same burst, ten times as fine, to differentiate it
    fine = np.where((time > 0) & (time < 320), np.sin(np.pi * time / 320) ** 2, 0) * np.sin(
        2 * np.pi * 2.0e6 / RATE * time + 1.0
    )
    information = np.sum(np.gradient(fine, 0.1) ** 2) / 10 / 0.02**2
    assert delay_crb_carrier(pulse, 0.02) == pytest.approx(1 / np.sqrt(information), rel=1e-3)


def test_envelope_bound_does_not_depend_on_the_carrier():
    bounds = [delay_crb_envelope(tone_burst(f, 300, RATE, phase=p), 0.01) for f in (2e6, 4e6) for p in (0.0, 1.5)]
    np.testing.assert_allclose(bounds, bounds[0], rtol=0.02)


def test_bounds_scale_with_noise_and_frequency():
    pulse = tone_burst(2e6, 300, RATE)
    assert delay_crb_carrier(pulse, 0.1) == pytest.approx(10 * delay_crb_carrier(pulse, 0.01))
    assert delay_crb_carrier(2 * pulse, 0.02) == pytest.approx(delay_crb_carrier(pulse, 0.01))
    twice = tone_burst(4e6, 300, RATE)
    assert delay_crb_carrier(pulse, 0.01) / delay_crb_carrier(twice, 0.01) == pytest.approx(2, rel=0.03)


def test_a_batch_is_the_same_as_one_by_one():
    pulses = np.stack([tone_burst(f, 300, RATE) for f in (1e6, 2e6, 4e6)])
    noise_rms = np.array([0.01, 0.02, 0.03])
    for bound in (delay_crb_carrier, delay_crb_envelope):
        single = [bound(pulse, sigma) for pulse, sigma in zip(pulses, noise_rms, strict=True)]
        np.testing.assert_allclose(bound(pulses, noise_rms), single)
        assert np.ndim(bound(pulses[0], 0.01)) == 0


@pytest.mark.parametrize("bound", [delay_crb_carrier, delay_crb_envelope])
def test_bad_input_is_named(bound):
    with pytest.raises(ValueError, match=r"`noise_rms` must be positive and finite, but is 0.0"):
        bound(tone_burst(2e6, 300, RATE), 0.0)
    with pytest.raises(ValueError, match="index 0 holds NaN"):
        bound(np.array([1.0, np.nan]), 0.1)
    with pytest.raises(ValueError, match="index 1 is zero"):
        bound(np.array([[1.0, 2.0], [0.0, 0.0]]), 0.1)
