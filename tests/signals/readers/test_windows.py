import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_usmae.signals.readers.windows import (
    add_noise,
    burst_rms,
    cut_windows,
    draw_windows,
    resample,
    resampling_margin,
    window_starts,
)

LENGTH = 2048


def burst(num_samples, onset, sampling_rate, frequency=2.25e6, duration=1.6e-6):
    """A Hann-windowed burst that leaves zero at `onset`, in samples of `sampling_rate`."""
    time = (np.arange(num_samples) - onset) / sampling_rate
    envelope = np.where((time > 0) & (time < duration), np.sin(np.pi * np.clip(time / duration, 0, 1)) ** 2, 0)
    return envelope * np.sin(2 * np.pi * frequency * time)


@pytest.mark.parametrize(("sampling_rate", "factor"), [(12.5e6, 8), (50e6, 2), (100e6, 1)])
@given(st.floats(100.0, 300.0))
@settings(max_examples=20)
def test_resampling_has_no_delay_and_scales_the_onset(sampling_rate, factor, onset):
    resampled = resample(burst(564, onset, sampling_rate)[None], factor)[0]
    expected = burst(564 * factor, onset * factor, 100e6)
    assert resampled.shape == expected.shape
    # The same burst, at the same place: the best shift between the two is none.
    shifts = np.arange(-3, 4)
    scores = [np.dot(np.roll(expected, shift), resampled) for shift in shifts]
    assert shifts[np.argmax(scores)] == 0
    assert np.abs(resampled - expected).max() < 0.01


@pytest.mark.parametrize("factor", [2, 8])
def test_samples_between_the_margins_do_not_depend_on_what_lies_beyond_the_record(factor):
    long = np.random.default_rng(0).standard_normal((1, 700))
    margin = resampling_margin(factor)
    whole = resample(long, factor)[0]
    part = resample(long[:, 50:650], factor)[0]
    expected = whole[50 * factor :][: 600 * factor]
    np.testing.assert_allclose(part[margin:-margin], expected[margin:-margin], atol=1e-5)
    assert np.abs(part - expected).max() > 1e-3  # outside of the margins it does


def test_resampling_by_one_copies():
    records = np.ones((2, 30), np.float32)
    assert not np.shares_memory(resample(records, 1), records)
    assert resampling_margin(1) == 0


@pytest.mark.parametrize("factor", [0, -2, 1.5])
def test_resampling_refuses_other_factors(factor):
    with pytest.raises(ValueError, match=f"`factor` must be an integer of 1 or more, but is {factor}"):
        resample(np.ones((1, 100)), factor)


def test_resampling_refuses_records_shorter_than_its_filter():
    with pytest.raises(ValueError, match="Records of 8 samples are shorter than the filter of 9"):
        resample(np.ones((1, 8)), 8)


@pytest.mark.parametrize("frequency", [1e6, 2.25e6, 4e6])
def test_resampling_keeps_the_band_of_a_transducer(frequency):
    tone = np.sin(2 * np.pi * frequency / 12.5e6 * np.arange(564) + 0.3)
    expected = np.sin(2 * np.pi * frequency / 100e6 * np.arange(4512) + 0.3)
    margin = resampling_margin(8)
    error = (resample(tone[None], 8)[0] - expected)[margin:-margin]
    assert np.abs(error).max() < 0.025  # droop of 0.1 dB and images 39 dB down, at 4 MHz


def test_resampling_hardly_rings_ahead_of_a_clipped_echo():
    clipped = np.clip(8 * burst(564, 200.0, 12.5e6), -1, 1)
    ahead = resample(clipped[None], 8)[0, 1600 - 150 : 1600 - 20]
    assert np.abs(ahead).max() < 0.02


@given(
    onset=st.floats(0.0, 5000.0),
    burst_length=st.floats(1.0, 400.0),
    earliest=st.floats(0.0, 4000.0),
    spare=st.integers(LENGTH, 6000),
)
def test_every_admissible_window_holds_the_burst(onset, burst_length, earliest, spare):
    end = int(earliest) + spare
    first, last = (int(value[0]) for value in window_starts([onset], [burst_length], [earliest], [end], LENGTH))
    for start in {first, last} if first <= last else ():
        assert earliest <= start
        assert start + LENGTH <= end
        assert onset - start >= 0
        assert onset - start + burst_length <= LENGTH + 1e-6
    # One step further out breaks a rule.
    if first <= last:
        early, late = first - 1, last + 1
        assert early < earliest or onset - early + burst_length > LENGTH - 1e-6
        assert late + LENGTH > end or onset < late


def echoes():
    """A front echo early in its records, and a back echo that reaches everywhere."""
    rng = np.random.default_rng(3)
    onset = np.concatenate([rng.uniform(300, 400, 50), rng.uniform(2600, 2700, 50)])
    first, last = window_starts(onset, np.full(100, 200.0), np.repeat([0, 500], 50), np.full(100, 4500), LENGTH)
    return onset, first, last, np.repeat([0, 1], 50)


def test_onsets_are_uniform_over_the_range_whatever_the_echoes_are():
    onset, first, last, kind = echoes()
    index, start = draw_windows(onset, first, last, kind, [0.5, 0.5], 4000, (0, 1800), seed=0)
    in_window = onset[index] - start
    assert scipy.stats.kstest(in_window, "uniform", args=(0, 1800)).pvalue > 0.01
    assert ((first[index] <= start) & (start <= last[index])).all()


def test_kinds_come_by_their_weights_where_they_can():
    onset, first, last, kind = echoes()
    index, _ = draw_windows(onset, first, last, kind, [0.2, 0.8], 4000, (260, 300), seed=0)
    assert np.mean(kind[index] == 0) == pytest.approx(0.2, abs=0.02)
    index, _ = draw_windows(onset, first, last, kind, [0.2, 0.8], 500, (500, 1800), seed=0)
    assert (kind[index] == 1).all()
    assert len(np.unique(index)) == 50  # every echo of the kind is used


def test_windows_repeat_by_seed():
    arguments = (*echoes(), [0.5, 0.5], 100, (0, 1800))
    np.testing.assert_array_equal(draw_windows(*arguments, seed=1), draw_windows(*arguments, seed=1))
    assert (draw_windows(*arguments, seed=1)[1] != draw_windows(*arguments, seed=2)[1]).any()


def test_an_onset_that_no_echo_can_have_is_an_error():
    onset, first, last, kind = echoes()
    with pytest.raises(ValueError, match=r"No echo can have an onset of .* samples in a window.*Narrow `onset_range`"):
        draw_windows(onset, first, last, kind, [1.0, 0.0], 10, (500, 1800), seed=0)


def test_windows_are_slices_of_their_records():
    records = np.arange(60.0).reshape(2, 30)
    windows = cut_windows(records, [1, 0, 1], [0, 20, 20], 10)
    np.testing.assert_array_equal(windows, [records[1, :10], records[0, 20:], records[1, 20:]])


@pytest.mark.parametrize("start", [-1, 21])
def test_windows_outside_of_the_record_are_refused(start):
    with pytest.raises(
        ValueError, match=f"window from sample {start} on, of 10 samples, does not lie inside a record of 30"
    ):
        cut_windows(np.zeros((1, 30)), [0], [start], 10)


def test_burst_rms_counts_the_burst_only():
    signals = np.zeros((2, 100))
    signals[0, 10:30] = 2.0
    signals[1, 50:60] = [3.0, -3.0] * 5
    np.testing.assert_allclose(burst_rms(signals, [10.0, 50.0], [20.0, 20.0]), [2.0, 3.0 / np.sqrt(2)])


def test_burst_rms_refuses_a_burst_that_leaves_the_window():
    with pytest.raises(ValueError, match="burst of signal 1, from sample 90 up to 110, does not lie inside its 100"):
        burst_rms(np.zeros((2, 100)), [10.0, 90.0], [20.0, 20.0])


def test_noise_reaches_the_wanted_snr_together_with_the_noise_that_was_there():
    rng = np.random.default_rng(0)
    native = np.array([0.01, 0.05, 0.02, 0.2])
    wanted = np.array([18.0, 20.0, 34.0, 20.0])
    signals = (native[:, None] * rng.standard_normal((4, 200_000))).astype(np.float32)
    noisy, reached, added = add_noise(signals, np.ones(4), native, wanted, seed=1)
    np.testing.assert_array_equal(added, [True, True, False, False])
    measured = -20 * np.log10(noisy.std(axis=1))
    np.testing.assert_allclose(reached, measured, atol=0.1)
    np.testing.assert_allclose(reached[:2], wanted[:2])
    np.testing.assert_array_equal(noisy[2:], signals[2:])


def test_an_infinite_snr_adds_no_noise():
    signals = np.ones((2, 16), np.float32)
    noisy, reached, added = add_noise(signals, np.ones(2), np.array([0.1, 0.01]), np.inf, seed=0)
    np.testing.assert_array_equal(noisy, signals)
    np.testing.assert_allclose(reached, [20.0, 40.0])
    assert not added.any()
