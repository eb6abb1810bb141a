import numpy as np
import pytest

from keras_usmae.evaluation import echo_recall, median_offset, score_estimates
from keras_usmae.picker.picks import Picks
from keras_usmae.picker.scale import as_scale

RATE = 100e6


def picks_of(trace, onset, amplitude, num_traces, half_width=5.0, start=20e-6):
    trace, onset = np.array(trace), np.array(onset, float)
    ends = onset[:, None] + half_width * np.array([-1, 1])
    return Picks(
        trace=trace,
        echo=np.arange(len(trace)) - np.searchsorted(trace, trace),
        onset=onset,
        tof=onset / RATE + start,
        interval=ends / RATE + start,
        confidence=np.ones(len(trace)),
        amplitude=np.array(amplitude, float),
        snr_db=np.full(len(trace), 30.0),
        num_traces=num_traces,
        reason=np.array([""] * num_traces),
        scale=as_scale(1),
        sampling_rate=RATE,
    )


def test_a_constant_offset_costs_nothing_once_it_is_taken_out():
    onset = np.linspace(100, 1500, 50)
    estimate = onset - 40
    estimate[3] = np.nan
    offset = median_offset(onset, estimate)
    scores = score_estimates(onset, estimate, offset, 16, RATE, 1480.0)
    assert offset == -40
    assert scores["within_one_bin"] == 0
    assert scores["mean_error_samples"] == pytest.approx(40)
    free = scores["bias_free"]
    assert free["mean_error_samples"] == pytest.approx(0)
    assert free["within_one_bin"] == free["accuracy"] == pytest.approx(0.98)
    assert free["far"] == pytest.approx(0.02), "what was not found is far"


def test_nothing_found_has_no_offset_and_is_all_missed():
    onset, nothing = np.array([100.0, 200.0]), np.full(2, np.nan)
    offset = median_offset(onset, nothing)
    assert np.isnan(offset)
    assert score_estimates(onset, nothing, offset, 16, RATE, 1480.0)["bias_free"]["far"] == 1


def test_signals_with_a_hole_are_scored_apart():
    onset = np.array([500.0, 600.0, 700.0])
    scores = score_estimates(onset, np.array([300.0, 600, 700]), 0.0, 16, RATE, 1480.0, hole=[True, False, False])
    assert scores["bias_free"]["far"] == pytest.approx(1 / 3)
    assert scores["bias_free_without_hole"]["far"] == 0
    assert scores["bias_free_without_hole"]["signals"] == 2


def test_the_labelled_echo_may_be_any_of_the_picks():
    onset = np.array([500.0, 900.0, 300.0, 50.0])
    picks = picks_of(
        trace=[0, 0, 1, 1, 1, 1, 2],
        onset=[200, 504, 100, 300, 600, 910, 360],
        amplitude=[1, 2, 4, 5, 6, 1, 1],
        num_traces=4,
    )
    found = echo_recall(picks, onset, 16)
    assert found["recall"] == 0.5
    assert found["recall_of_three"] == 0.25, "the fourth strongest does not count"
    assert found["picks_a_signal"] == 7 / 4
    assert found["no_pick"] == 0.25
    assert found["coverage"] == 0.5, "4 samples lie within 5, 10 do not, whenever the record starts"
    assert echo_recall(picks, onset, 16, offset=60.0)["recall"] == 0.25
