import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from keras_usmae.picker.decoding import decode_picks


def sure(*onsets, num_bins=40, sigma=8.0):
    """Probabilities of bins of 16 samples for echoes that are known but for `sigma` samples."""
    borders = 16.0 * np.arange(num_bins + 1)
    return np.sum([np.diff(norm.cdf(borders, onset, sigma)) for onset in onsets], axis=0)


def ported(p, bin_width, min_confidence, interval_scale, interval_floor, label_sigma):
    """The five steps of the module's docstring, one bin after the other, as firmware takes them."""
    padded = [0.0, 0.0, *map(float, p), 0.0, 0.0]
    peaks = []
    for b in range(2, len(padded) - 2):
        a2, a1, here, b1, b2 = padded[b - 2 : b + 3]
        sum_of_three = a1 + here + b1 + (here if b == 2 else 0)
        if here > a2 and here > a1 and here >= b1 and here >= b2 and sum_of_three >= min_confidence - 1e-6:
            peaks.append(b)
    picks = []
    for i, b in enumerate(peaks):
        first, last = b - 2, b + 2
        if i and b - peaks[i - 1] <= 4:
            first = peaks[i - 1] + (2 if b - peaks[i - 1] == 3 else 3)
        if i + 1 < len(peaks) and peaks[i + 1] - b <= 4:
            last = b + 1
        bins = range(first, last + 1)
        mass = sum(padded[k] for k in bins)
        middle = [(k - 2 + 0.5) * bin_width for k in bins]
        onset = sum(padded[k] * x for k, x in zip(bins, middle, strict=True)) / mass
        variance = sum(padded[k] * (x - onset) ** 2 for k, x in zip(bins, middle, strict=True)) / mass
        confidence = min(sum(padded[b - 1 : b + 2]) + (padded[b] if b == 2 else 0), 1.0)
        doubt = max(variance - label_sigma**2 - bin_width**2 / 12, 0.0)
        picks.append((onset, 1.959964 * interval_scale * (doubt + interval_floor**2) ** 0.5, confidence))
    return np.array(picks).reshape(-1, 3)


@settings(max_examples=200, deadline=None)
@given(arrays(np.float32, st.tuples(st.integers(1, 3), st.integers(1, 30)), elements=st.floats(0, 1, width=16)))
def test_the_described_steps_give_the_same_picks(probabilities):
    decoded = decode_picks(probabilities, 16, 0.3, 0.7, 1.5, 8.0)
    for trace, row in enumerate(probabilities):
        mine = decoded["trace"] == trace
        expected = ported(row, 16, 0.3, 0.7, 1.5, 8.0)
        for i, name in enumerate(("onset", "half_width", "confidence")):
            np.testing.assert_allclose(decoded[name][mine], expected[:, i], rtol=1e-5, atol=1e-3)


@settings(max_examples=100, deadline=None)
@given(st.floats(40, 600))
def test_a_sure_echo_is_found_within_half_a_sample(onset):
    decoded = decode_picks(sure(onset)[None], 16, 0.5)
    assert len(decoded["onset"]) == 1
    assert abs(decoded["onset"][0] - onset) < 0.5
    assert decoded["confidence"][0] > 0.97
    # What is left is less than the 4.6 samples by which a bin rounds: the spread of the target itself is taken off.
    assert decoded["half_width"][0] < 1.96 * 2.5


@settings(max_examples=100, deadline=None)
@given(st.floats(40, 300), st.floats(50, 200))
def test_two_echoes_50_samples_apart_stay_two(onset, gap):
    decoded = decode_picks(sure(onset, onset + gap)[None], 16, 0.5)
    np.testing.assert_allclose(decoded["onset"], [onset, onset + gap], atol=1)


def test_an_echo_that_is_spread_over_many_bins_is_less_sure_and_has_a_wider_interval():
    sharp, blurred = (decode_picks(sure(300, sigma=sigma)[None], 16, 0.3) for sigma in (8, 24))
    assert len(sharp["onset"]) == len(blurred["onset"]) == 1
    assert blurred["confidence"][0] < 0.75 < sharp["confidence"][0]
    assert blurred["half_width"][0] > 20 > 5 > sharp["half_width"][0]


def test_less_sure_picks_are_dropped_and_their_confidence_may_come_from_three_bins():
    probabilities = np.zeros((1, 20))
    probabilities[0, [4, 5, 6]] = 0.1, 0.25, 0.15
    assert len(decode_picks(probabilities, 16, 0.5)["onset"]) == 1
    assert len(decode_picks(probabilities, 16, 0.51)["onset"]) == 0


def test_picks_are_sorted_by_trace_and_onset_and_the_interval_scales():
    probabilities = np.stack([sure(500, 100), sure(300)])
    decoded = decode_picks(probabilities, 16, 0.5, interval_floor=2.0)
    np.testing.assert_array_equal(decoded["trace"], [0, 0, 1])
    np.testing.assert_allclose(decoded["onset"], [100, 500, 300], atol=0.5)
    halved = decode_picks(probabilities, 16, 0.5, interval_scale=0.5, interval_floor=2.0)
    np.testing.assert_allclose(halved["half_width"], decoded["half_width"] / 2)


@pytest.mark.parametrize("shape", [(0, 128), (3, 128), (1, 1), (2, 3)])
def test_no_echo_gives_no_pick(shape):
    decoded = decode_picks(np.zeros(shape, "float32"), 16, 0.5)
    assert all(len(values) == 0 for values in decoded.values())


def test_an_echo_in_the_first_samples_is_as_sure_as_others():
    onsets = np.array([2.0, 6.0, 12.0, 16.0, 24.0])
    decoded = decode_picks(np.stack([sure(onset) for onset in onsets]), 16, 0.9)
    np.testing.assert_array_equal(decoded["trace"], np.arange(5))
    assert np.all(np.abs(decoded["onset"] - onsets) < 10)


def test_an_echo_may_begin_in_the_first_or_the_last_bin():
    probabilities = np.eye(10)[[0, 9]]
    np.testing.assert_allclose(decode_picks(probabilities, 16, 0.5)["onset"], [8, 152])


@pytest.mark.parametrize("least", [0, -0.1, 1.1, float("nan")])
def test_the_least_confidence_is_a_probability(least):
    with pytest.raises(ValueError, match="min_confidence="):
        decode_picks(np.zeros((1, 8)), 16, least)
