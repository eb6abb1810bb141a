import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_usmae.signals.picking.echo_spacing import echo_spacing

PERIOD, BURST, LENGTH = 28.0, 110.0, 1200


def traces(first, spacing, gain=-0.4, period=PERIOD, burst=BURST, length=LENGTH, noise=0.0, seed=0, phase=0.0):
    """Two bursts in each trace, at places between samples; the second one is `gain` times the first."""
    first, spacing, gain = np.broadcast_arrays(np.atleast_1d(first), spacing, gain)
    time = np.arange(length) - first[:, None]

    def at(time, phase=0.0):
        inside = (time > 0) & (time < burst)
        return np.where(inside, np.sin(np.pi * time / burst) ** 2 * np.sin(2 * np.pi * time / period + phase), 0)

    clean = at(time) + gain[:, None] * at(time - spacing[:, None], phase)
    return clean + noise * np.random.default_rng(seed).standard_normal(clean.shape)


def measure(signals, first, spacing, off=0.0, half_width=8.0, period=PERIOD, burst=BURST):
    """What is found where the onsets are late by 3 samples both, and the second one by `off` more."""
    count = len(signals)
    first = np.broadcast_to(np.asarray(first, float) + 3, count)
    return echo_spacing(signals, first, first + spacing + off, period, burst, np.full(count, half_width))


@settings(max_examples=40, deadline=None)
@given(
    first=st.floats(60, 500),
    spacing=st.floats(130, 500),
    off=st.floats(-4, 4),
    gain=st.sampled_from([-1.0, -0.2, 0.3, 0.9]),
    period=st.sampled_from([5.5, 9.0, 28.0, 70.0]),
)
def test_spacings_between_samples_are_found_at_any_rate(first, spacing, off, gain, period):
    burst = 4 * period
    scale = period / PERIOD
    signals = traces(first, spacing * scale, gain, period, burst, round(500 + 700 * scale))
    found, deviation = measure(signals, first, spacing * scale, off * scale, 8 * scale, period, burst)
    assert found[0] == pytest.approx(spacing * scale, abs=0.01 * period)
    assert deviation[0] < 0.02 * period


def test_a_deviation_tells_how_far_noise_moves_a_spacing():
    rng = np.random.default_rng(1)
    first, spacing = rng.uniform(80, 300, 300), rng.uniform(200, 600, 300)
    for noise in (0.01, 0.05):
        signals = traces(first, spacing, noise=noise)
        found, deviation = measure(signals, first, spacing, rng.uniform(-3, 3, 300))
        assert np.isfinite(found).all()
        error = np.abs(found - spacing)
        assert (error < 1.96 * deviation).mean() > 0.93
        assert np.sqrt(np.mean(error**2)) > 0.2 * np.median(deviation)  # and is not much too wide


def test_bursts_that_run_into_each_other_are_measured_by_their_beginning_or_not_at_all():
    found, _ = measure(traces(200.0, 95.0), 200.0, 95.0)
    assert found[0] == pytest.approx(95, abs=0.5)
    for spacing in (30.0, 50.0, 70.0):
        found, deviation = measure(traces(200.0, spacing), 200.0, spacing)
        assert np.isnan(found[0]) or abs(found[0] - spacing) < 1.96 * deviation[0]


def test_what_does_not_fit_is_not_measured():
    noise = np.random.default_rng(0).standard_normal((50, LENGTH))
    found, deviation = measure(noise, 200.0, 400.0)
    assert np.isnan(found).mean() > 0.9
    np.testing.assert_array_equal(np.isnan(found), np.isnan(deviation))
    nothing, _ = measure(np.zeros((2, LENGTH)), 200.0, 400.0)
    assert np.isnan(nothing).all()


def test_traces_without_either_echo_stay_without():
    signals = np.repeat(traces(200.0, 400.0), 3, axis=0)
    first, second = np.array([200.0, np.nan, 200.0]), np.array([600.0, 600.0, np.nan])
    found, _ = echo_spacing(signals, first, second, PERIOD, BURST, np.array([5.0, np.nan, np.nan]))
    np.testing.assert_array_equal(np.isfinite(found), [True, False, False])


def test_most_traces_tell_the_polarity_and_one_of_another_is_still_found():
    gain = np.full(40, -0.4)
    gain[7] = 0.4  # such as behind a disbond
    signals = traces(200.0, 400.0, gain)
    found, _ = measure(signals, 200.0, 400.0)
    np.testing.assert_allclose(found, 400, atol=0.2)
    # An onset that is off by a third of a period is nearer to the half wave of the other polarity.
    off = np.zeros(40)
    off[20] = PERIOD / 3
    found, _ = measure(signals, 200.0, 400.0, off, half_width=12.0)
    assert found[20] == pytest.approx(400, abs=0.2)


def test_a_second_echo_of_another_phase_is_left_to_the_onsets():
    rng = np.random.default_rng(2)
    signals = traces(np.full(40, 200.0), 400.0, phase=np.pi / 2, noise=0.01)
    found, _ = measure(signals, 200.0, 400.0, rng.normal(0, 1.5, 40), half_width=7.0)
    assert np.isnan(found).all()  # the best fit is a quarter of a period off


def test_alone_a_trace_whose_polarity_is_open_is_not_measured():
    found, _ = measure(traces(200.0, 400.0), 200.0, 400.0, off=PERIOD / 4, half_width=12.0)
    assert np.isnan(found[0]) or found[0] == pytest.approx(400, abs=0.2)


def test_a_record_may_end_inside_of_the_second_echo():
    signals = traces(200.0, 400.0)[:, :680]
    found, _ = measure(signals, 200.0, 400.0)
    assert found[0] == pytest.approx(400, abs=0.3)
