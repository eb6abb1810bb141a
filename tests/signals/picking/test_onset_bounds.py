import dataclasses

import numpy as np
import pytest

from keras_usmae.signals import (
    SignalConfig,
    delay_crb_envelope,
    draw_parameters,
    estimate_bandwidth,
    measured_onset_bounds,
    onset_bound,
    synthesize,
    synthetic_onset_bounds,
)

SIGMA, OMEGA = 30.0, 2 * np.pi * 0.025  # of a Gaussian envelope in samples, and its carrier in rad a sample
LENGTH = 240.0
BANDWIDTH = 1 / (np.sqrt(2) * SIGMA)  # of its energy spectrum, in closed form


def gaussian_signals(snr_db, seed=0):
    """Signals of one Gaussian pulse at known places, in white noise of a known SNR over `LENGTH` samples."""
    rng = np.random.default_rng(seed)
    onset = rng.uniform(300, 1500, len(snr_db))
    time = np.arange(2048) - onset[:, None] - LENGTH / 2
    signals = np.exp(-(time**2) / (2 * SIGMA**2)) * np.cos(OMEGA * time + rng.uniform(0, 6, (len(snr_db), 1)))
    rms = np.sqrt((signals**2).sum(axis=1) / LENGTH)
    noise = rng.normal(size=signals.shape) * (rms * 10 ** (-snr_db / 20))[:, None]
    return 0.3 * (signals + noise), onset, np.full(len(snr_db), LENGTH)


def test_bound_from_the_snr_is_that_of_the_pulse():
    signals, *_ = gaussian_signals(np.full(1, 300.0))  # without noise, but for rounding
    noise_rms = np.sqrt((signals**2).sum() / LENGTH) / 10  # 20 dB
    expected = delay_crb_envelope(signals[0], noise_rms)
    assert onset_bound(BANDWIDTH, LENGTH, 20.0) == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(onset_bound(BANDWIDTH, LENGTH, np.array([20.0, 40.0])), [expected, expected / 10])


@pytest.mark.parametrize("snr_db", [15.0, 25.0, 60.0])
def test_bandwidth_of_a_gaussian_pulse_is_found_in_noise(snr_db):
    signals, onset, length = gaussian_signals(np.full(20, snr_db))
    # All that lies beyond -30 dB, 0.9 % of the variance, is not counted.
    assert estimate_bandwidth(signals, onset, length) == pytest.approx(BANDWIDTH, rel=0.03)
    assert estimate_bandwidth(1000 * signals + 5, onset, length) == pytest.approx(BANDWIDTH, rel=0.03)


def test_measured_bounds_take_the_pulse_of_each_source_and_no_clipped_one():
    snr_db = np.tile([18.0, 30.0], 10)
    signals, onset, length = gaussian_signals(snr_db)
    wide, *_ = gaussian_signals(snr_db)  # the same pulse with every second sample left out: twice the bandwidth
    source, clipped = np.repeat([3, 7], 20), np.zeros(40, bool)
    clipped[[0, 25]] = True
    faster = np.pad(wide[:, ::2], ((0, 0), (0, 1024)))
    bounds = measured_onset_bounds(
        np.concatenate([signals, faster]),
        np.concatenate([onset, onset / 2]),
        np.concatenate([length, length / 2]),
        np.tile(snr_db, 2),
        source,
        ~clipped,
    )
    assert np.flatnonzero(np.isnan(bounds)).tolist() == [0, 25]
    expected = onset_bound(BANDWIDTH, LENGTH, snr_db)
    np.testing.assert_allclose(bounds[1:20], expected[1:], rtol=0.04)
    np.testing.assert_allclose(bounds[26:], expected[6:] / np.sqrt(2), rtol=0.04)


def test_synthetic_bounds_are_those_of_the_rendered_bursts_and_the_measured_ones_agree():
    config = dataclasses.replace(SignalConfig.from_preset("paper"), envelopes=("gaussian",))
    made = synthesize(config, 8, seed=0)
    bounds = synthetic_onset_bounds(made, config.sampling_rate)
    clean = synthesize(dataclasses.replace(config, snr_db=(200.0, 200.0)), 8, seed=0)["signal"]
    np.testing.assert_allclose(bounds, delay_crb_envelope(clean, made["noise_rms"]), rtol=0.01)
    measured = measured_onset_bounds(
        *(made[name] for name in ("signal", "onset", "burst_length", "snr_db")), np.arange(8), np.ones(8, bool)
    )
    np.testing.assert_allclose(measured, bounds, rtol=0.05)


def test_other_than_white_noise_has_no_bound():
    config = dataclasses.replace(SignalConfig.from_preset("paper"), noise_colors=("white", "band"))
    parameters = draw_parameters(config, 20, seed=0)
    bounds = synthetic_onset_bounds(parameters, config.sampling_rate)
    np.testing.assert_array_equal(np.isnan(bounds), parameters["noise_color"] != 0)


def test_a_bandwidth_needs_signals():
    with pytest.raises(ValueError, match="one or more signals"):
        estimate_bandwidth(np.empty((0, 2048)), [], [])
