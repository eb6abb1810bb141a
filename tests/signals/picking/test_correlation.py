import dataclasses

import numpy as np
import pytest

from keras_usmae.signals import (
    SignalConfig,
    delay_crb_carrier,
    delay_crb_envelope,
    draw_parameters,
    pick_cross_correlation,
    pick_matched_filter,
    pulse_bank,
    render,
    synthesize,
    tone_burst,
)

PAPER = SignalConfig.from_preset("paper")
# One pulse at any onset: 2.5 MHz, 300 samples, Hann.
ONE_PULSE = dataclasses.replace(
    PAPER,
    center_frequency=(2.5e6, 2.5e6),
    burst_length=(300, 300),
    envelopes=("hann",),
    phase=(0, 0),
    amplitude_db=(0, 0),
)
PULSE = tone_burst(2.5e6, 300, 100e6)


def rms(error):
    return np.sqrt(np.mean(error**2))


def own_pulses(parameters, config):
    """The noise-free burst of each signal, with its onset at sample 0."""
    return render({**parameters, "burst_start": np.zeros(len(parameters["burst_start"]))}, config)[
        :, : config.max_burst_samples
    ]


@pytest.mark.parametrize("snr_db", [18.0, 28.0, 38.0])
def test_matched_filter_attains_the_carrier_bound(snr_db):
    batch = synthesize(dataclasses.replace(ONE_PULSE, snr_db=(snr_db, snr_db)), 3000, seed=1)
    bound = delay_crb_carrier(PULSE, batch["noise_rms"].mean())
    error = pick_matched_filter(batch["signal"], PULSE) - batch["burst_start"]
    # 3000 errors give their RMS to 1.3 %.
    assert rms(error) / bound == pytest.approx(1, abs=0.1)
    assert abs(error.mean()) < 4 * bound / np.sqrt(3000) + 1e-3


@pytest.mark.parametrize("snr_db", [18.0, 28.0, 38.0])
def test_cross_correlation_attains_the_envelope_bound(snr_db):
    config = dataclasses.replace(ONE_PULSE, snr_db=(snr_db, snr_db), phase=(0, 2 * np.pi))
    batch = synthesize(config, 3000, seed=2)
    bound = delay_crb_envelope(PULSE, batch["noise_rms"].mean())
    error = pick_cross_correlation(batch["signal"], PULSE) - batch["burst_start"]
    assert rms(error) / bound == pytest.approx(1, abs=0.1)


def test_matched_filter_with_a_pulse_for_each_signal_attains_the_bound_of_each():
    config = dataclasses.replace(PAPER, envelopes=("hann", "tukey", "gaussian"))
    batch = synthesize(config, 2000, seed=3)
    pulses = own_pulses(batch, config)
    error = pick_matched_filter(batch["signal"], pulses) - batch["burst_start"]
    assert rms(error / delay_crb_carrier(pulses, batch["noise_rms"])) == pytest.approx(1, abs=0.1)


def test_without_noise_the_matched_filter_is_exact_between_samples():
    config = dataclasses.replace(PAPER, envelopes=("hann", "gaussian"))
    parameters = draw_parameters(config, 300, seed=4)
    error = pick_matched_filter(render(parameters, config), own_pulses(parameters, config)) - parameters["burst_start"]
    # The parabola's own error, largest for the 25 samples to a period of 4 MHz.
    assert np.abs(error).max() < 0.005


def test_cross_correlation_does_not_need_the_phase_or_polarity():
    config = dataclasses.replace(ONE_PULSE, phase=(0, 2 * np.pi))
    parameters = draw_parameters(config, 200, seed=5)
    clean = render(parameters, config)
    for signals in (clean, -3 * clean + 0.5):
        assert np.abs(pick_cross_correlation(signals, PULSE) - parameters["burst_start"]).max() < 0.6


def test_a_wrong_length_shifts_the_pick_by_half_of_the_difference():
    config = dataclasses.replace(ONE_PULSE, burst_length=(360, 360))
    parameters = draw_parameters(config, 50, seed=6)
    error = pick_cross_correlation(render(parameters, config), PULSE) - parameters["burst_start"]
    np.testing.assert_allclose(error, 30, atol=1)


def test_the_first_echo_that_reaches_the_level_is_taken():
    signal = np.zeros(2048, np.float32)
    signal[300:600] += 0.6 * PULSE
    signal[1000:1300] += PULSE
    np.testing.assert_allclose(pick_cross_correlation(signal[None], PULSE), 300, atol=0.1)
    np.testing.assert_allclose(pick_cross_correlation(signal[None], PULSE, level=0.7), 1000, atol=0.1)
    np.testing.assert_allclose(pick_matched_filter(signal[None], PULSE), 1000, atol=0.01)


def test_a_bank_takes_the_pulse_that_fits():
    bank = np.zeros((4, 400), np.float32)
    for row, (frequency, length) in zip(bank, [(1.5e6, 300), (3e6, 200), (3e6, 400), (3.5e6, 300)], strict=True):
        row[:length] = tone_burst(frequency, length, 100e6)
    config = dataclasses.replace(ONE_PULSE, center_frequency=(3e6, 3e6), burst_length=(400, 400), snr_db=(18, 38))
    batch = synthesize(config, 100, seed=7)
    assert np.abs(pick_cross_correlation(batch["signal"], bank) - batch["burst_start"]).max() < 6


def test_the_bank_of_a_configuration_on_the_ranges_of_the_paper():
    bank = pulse_bank(PAPER)
    assert bank.shape == (13 * 9 * 5, 400)
    assert len(np.unique(bank.round(5), axis=0)) == len(bank)
    batch = synthesize(PAPER, 256, seed=8)
    error = pick_cross_correlation(batch["signal"], bank) - batch["burst_start"]
    assert np.median(np.abs(error)) < 8
    assert rms(error) < 16


def test_a_burst_at_either_end_is_found():
    signal = np.zeros((2, 2048), np.float32)
    signal[0, :300] = PULSE
    signal[1, -300:] = PULSE
    np.testing.assert_allclose(pick_matched_filter(signal, PULSE), [0, 1748], atol=1e-3)
    np.testing.assert_allclose(pick_cross_correlation(signal, PULSE), [0, 1748], atol=0.2)


@pytest.mark.parametrize("picker", [pick_matched_filter, pick_cross_correlation])
def test_nothing_is_found_in_nothing(picker):
    assert np.isnan(picker(np.zeros((2, 2048)), PULSE)).all()
    assert picker(np.zeros((0, 2048)), PULSE).shape == (0,)


@pytest.mark.parametrize("picker", [pick_matched_filter, pick_cross_correlation])
def test_bad_input_is_named(picker):
    signals = np.ones((3, 256))
    with pytest.raises(ValueError, match="index 2 holds NaN"):
        picker(np.array([[0.0] * 8, [1.0] * 8, [np.nan] * 8]), np.ones(4))
    with pytest.raises(ValueError, match="300 samples, and they 256"):
        picker(signals, PULSE)
    with pytest.raises(ValueError, match="pulse at index 1 is zero"):
        picker(signals, np.array([[1.0, 2.0], [0.0, 0.0], [1.0, 2.0]]))


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="one for each of the 3 signals, but got 2"):
        pick_matched_filter(np.ones((3, 256)), np.ones((2, 8)))
    with pytest.raises(ValueError, match="`level` must lie in"):
        pick_cross_correlation(np.ones((3, 256)), np.ones(8), level=0.0)
