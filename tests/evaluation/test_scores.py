import numpy as np
import pytest

from keras_usmae.evaluation import score_onsets


def test_scores_by_hand():
    onset = np.array([8.0, 24.0, 40.0, 100.0])
    estimate = np.array([9.0, 20.0, 15.0, np.nan])
    scores = score_onsets(onset, estimate, bin_width=16, sampling_rate=100e6, speed_of_sound=1480.0)
    assert scores["accuracy"] == 0.5
    assert scores["within_one_bin"] == 0.5  # bin 2 read as bin 0 is two off, and a missed pick is wrong
    assert scores["missed"] == 0.25
    assert scores["bias_samples"] == pytest.approx((1 - 4 - 25) / 3)
    assert scores["mean_error_samples"] == pytest.approx(10)
    assert scores["median_error_samples"] == 4
    assert scores["median_error_ns"] == pytest.approx(40)
    assert scores["median_error_mm"] == pytest.approx(40e-9 * 1480 / 2 * 1e3)
    assert scores["rmse_samples"] == pytest.approx(np.sqrt((1 + 16 + 625) / 3))


def test_classes_of_a_classifier_count_where_given():
    scores = score_onsets([15.9], [16.2], 16, 100e6, 1480.0, predicted_class=np.array([0]))
    assert scores["accuracy"] == 1
    assert scores["mean_error_samples"] == pytest.approx(0.3)


def test_nothing_to_score():
    with pytest.raises(ValueError, match="no labelled signals"):
        score_onsets([], [], 16, 100e6, 1480.0)
