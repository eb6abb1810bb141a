import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_usmae.export import stream_picks, window_starts


@given(st.integers(1, 50), st.integers(0, 200), st.data())
def test_windows_cover_the_record_and_touch(length, more, data):
    hop = data.draw(st.integers(1, length))
    starts = window_starts(length + more, length, hop)
    assert starts[0] == 0
    assert starts[-1] == more
    assert all(0 < b - a <= hop for a, b in itertools.pairwise(starts))


def first_sample_above_half(signals):
    """Knows where a step is: confident if it is inside, and not at the first sample."""
    above = signals > 0.5
    onset = above.argmax(axis=1).astype(float)
    return {"onset": onset, "confidence": np.where(above.any(axis=1) & (onset > 0), 0.9 - onset / 1000, 0.1)}


def test_finds_each_echo_once():
    record = np.random.default_rng(0).normal(scale=0.01, size=500)
    for onset in (130, 390):
        record[onset : onset + 20] = 1.0
    onset, confidence = stream_picks(record, first_sample_above_half, 100, hop=50, merge_distance=10)
    np.testing.assert_array_equal(onset, [130, 390])
    assert np.all(confidence > 0.5)


def test_the_most_confident_of_close_picks_stays():
    answers = {"onset": np.array([60.0, 15.0, 5.0]), "confidence": np.array([0.6, 0.9, 0.7])}
    record = np.arange(200.0)
    onset, confidence = stream_picks(record, lambda signals: answers, 100, hop=50, merge_distance=10)
    np.testing.assert_array_equal(onset, [65, 105])
    np.testing.assert_array_equal(confidence, [0.9, 0.7])


def test_a_record_without_variance_has_no_picks():
    onset, confidence = stream_picks(np.zeros(300), first_sample_above_half, 100, hop=50)
    assert onset.size == confidence.size == 0


def test_refuses_what_would_leave_samples_out():
    with pytest.raises(ValueError, match=r"at least one window of 100 samples\. Received: 99"):
        window_starts(99, 100, 50)
    with pytest.raises(ValueError, match=r"hop=101"):
        window_starts(500, 100, 101)
