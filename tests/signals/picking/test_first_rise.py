import dataclasses

import numpy as np
import pytest

from keras_usmae.signals import (
    ENVELOPES,
    SignalConfig,
    draw_parameters,
    pick_aic,
    pick_threshold,
    render,
    synthesize,
)
from keras_usmae.signals.picking.analytic import analytic_signal

RATE = 100e6
PAPER = SignalConfig.from_preset("paper")
PICKERS = [pick_threshold, pick_aic]


def clean_signals(envelope, count=200, seed=1, **arguments):
    # Onsets away from the start, so that there is something quiet before them.
    config = dataclasses.replace(PAPER, envelopes=(envelope,), onset_range=(100, 1600), **arguments)
    parameters = draw_parameters(config, count, seed)
    return render(parameters, config), parameters["burst_start"]


def errors(picker, preset, count=1024, seed=2, **arguments):
    config = dataclasses.replace(SignalConfig.from_preset(preset), **arguments)
    batch = synthesize(config, count, seed)
    return picker(batch["signal"], RATE) - batch["burst_start"]


# Without noise: what the definition of each says


@pytest.mark.parametrize("envelope", ["hann", "tukey"])
def test_threshold_is_exact_on_raised_cosine_flanks(envelope):
    signals, onset = clean_signals(envelope, center_frequency=(2.5e6, 4e6))
    error = pick_threshold(signals, RATE) - onset
    # The band-pass blunts the shortest flanks, of 10 samples, most.
    assert np.median(np.abs(error)) < 1.5
    assert np.quantile(np.abs(error), 0.95) < 8


@pytest.mark.parametrize(
    ("envelope", "low", "high"), [("rectangular", -15, -2), ("damped", -12, -2), ("gaussian", 5, 40)]
)
def test_threshold_is_early_on_steeper_flanks_and_late_on_flatter_ones(envelope, low, high):
    signals, onset = clean_signals(envelope, center_frequency=(2.5e6, 4e6))
    assert low < np.median(pick_threshold(signals, RATE) - onset) < high


def test_aic_is_exact_to_half_a_class_where_the_burst_starts_at_once():
    noise = 0.01 * np.random.default_rng(3).standard_normal((200, 2048))
    for envelope in ("rectangular", "damped"):
        signals, onset = clean_signals(envelope, amplitude_db=(0, 0))
        error = pick_aic(signals + noise, RATE) - onset
        # A zero-phase band-pass of 20 MHz rings five samples ahead of a jump.
        assert np.median(np.abs(error)) < 4
        assert np.quantile(np.abs(error), 0.95) < 8


@pytest.mark.parametrize("picker", PICKERS)
def test_picks_move_with_the_signal(picker):
    signals, _ = clean_signals("hann", count=50)
    signals = signals + 0.003 * np.random.default_rng(4).standard_normal(signals.shape)
    wide = np.concatenate([signals[:, -300:], signals], axis=1)  # the tail is noise only, or the end of a burst
    quiet = np.flatnonzero(np.abs(signals[:, -300:]).max(axis=1) < 0.02)
    shift = picker(wide, RATE)[quiet] - picker(signals, RATE)[quiet]
    np.testing.assert_allclose(shift, 300, atol=1)


@pytest.mark.parametrize("picker", PICKERS)
def test_picks_do_not_depend_on_gain_offset_polarity_or_batch(picker):
    batch = synthesize(PAPER, 600, seed=5)
    picks = picker(batch["signal"], RATE)
    np.testing.assert_allclose(picker(-40 * batch["signal"] + 7, RATE), picks, atol=0.05, equal_nan=True)
    np.testing.assert_allclose(picker(batch["signal"][511:514], RATE), picks[511:514], atol=1e-6)
    assert picks.dtype == np.float64


# With noise: good enough to compare a network with


def test_threshold_on_the_ranges_of_the_paper():
    error = errors(pick_threshold, "paper")
    assert np.mean(np.isnan(error)) < 0.005
    error = error[np.isfinite(error)]
    assert np.median(np.abs(error)) < 8  # half of a class
    assert np.sqrt(np.mean(error**2)) < 15


def test_aic_on_the_ranges_of_the_paper():
    error = errors(pick_aic, "paper")
    assert np.mean(np.isnan(error)) < 0.005
    error = error[np.isfinite(error)]
    assert np.median(np.abs(error)) < 12
    assert np.sqrt(np.mean(error**2)) < 24


@pytest.mark.parametrize(("picker", "median"), [(pick_threshold, 10), (pick_aic, 4)])
def test_pickers_hold_where_echoes_follow_and_recorders_clip(picker, median):
    error = errors(picker, "quickstart", ringdown_probability=0.0)
    assert np.mean(np.isnan(error)) < 0.01
    error = np.abs(error[np.isfinite(error)])
    assert np.median(error) < median
    assert np.quantile(error, 0.98) < 100


@pytest.mark.parametrize("picker", PICKERS)
def test_a_record_that_begins_loud_is_armed_once_it_is_quiet(picker):
    error = errors(
        picker,
        "paper",
        ringdown_probability=1.0,
        ringdown_amplitude_db=(0, 6),
        ringdown_decay=(20, 60),
        amplitude_db=(0, 0),
        onset_range=(700, 1600),
    )
    error = np.abs(error[np.isfinite(error)])
    assert error.size > 900
    assert np.median(error) < 12
    assert np.mean(error > 100) < 0.01


# Nothing to pick, and bad input


@pytest.mark.parametrize("picker", PICKERS)
def test_noise_alone_is_no_burst(picker):
    noise = np.random.default_rng(6).standard_normal((500, 2048), dtype=np.float32)
    assert np.mean(np.isnan(picker(noise, RATE))) > 0.99
    assert np.isnan(picker(np.zeros((2, 2048)), RATE)).all()
    assert picker(np.zeros((0, 2048)), RATE).shape == (0,)


@pytest.mark.parametrize("picker", PICKERS)
def test_bad_input_is_named(picker):
    with pytest.raises(ValueError, match="index 1 holds NaN"):
        picker(np.array([[0.0] * 64, [np.nan] * 64]), RATE)
    with pytest.raises(ValueError, match=r"signals\[None\]"):
        picker(np.zeros(64), RATE)
    with pytest.raises(ValueError, match=r"half of the sampling rate, 2.5e.06 Hz"):
        picker(np.zeros((1, 64)), 5e6)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match=r"`level` must lie between 0 and 1, but is 1.5"):
        pick_threshold(np.zeros((1, 64)), RATE, level=1.5)
    with pytest.raises(ValueError, match=r"`window`.*\(0, 20\)"):
        pick_aic(np.zeros((1, 64)), RATE, window=(0, 20))


# The analytic signal


@pytest.mark.parametrize("frequency", [0.5e6, 2e6, 8e6])
def test_analytic_signal_is_a_tone_and_its_hilbert_transform(frequency):
    phase = 2 * np.pi * frequency / RATE * np.arange(4096)
    analytic = analytic_signal(np.sin(phase)[None].astype(np.float32), RATE, (0.5e6, 8e6))[0]
    middle = slice(1500, 2500)
    np.testing.assert_allclose(analytic[middle], -1j * np.exp(1j * phase[middle]), atol=0.03)


def test_analytic_signal_stops_what_is_outside_of_the_band():
    time = np.arange(4096) / RATE
    for frequency in (0.2e6, 13e6, 40e6):
        analytic = analytic_signal(np.sin(2 * np.pi * frequency * time)[None].astype(np.float32), RATE, (0.5e6, 8e6))
        assert np.abs(analytic[0, 1500:2500]).max() < 0.03


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_the_envelope_follows_the_burst(envelope):
    signals, onset = clean_signals(envelope, count=20, center_frequency=(3e6, 3e6), amplitude_db=(0, 0))
    measured = np.abs(analytic_signal(signals, RATE, (0.3e6, 20e6)))
    # Jumps and steep flanks are wider than the band, and ring.
    tolerance = {"rectangular": 0.2, "damped": 0.2, "tukey": 0.05}.get(envelope, 0.01)
    np.testing.assert_allclose(measured.max(axis=1), 1, atol=tolerance)
    before = np.arange(2048) < onset[:, None] - 100
    assert measured[before].max() < 0.05
