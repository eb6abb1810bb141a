import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from keras_usmae.evaluation import score_in_sigma


def test_scores_by_hand():
    found = score_in_sigma(np.array([0.5, -2.0, 12.0, np.nan, 1.0]), np.array([1.0, 1.0, 3.0, 2.0, 4.0]))
    assert found == {
        "median_error_sigma": (0.5 + 2) / 2,
        "beyond_three_sigma": 2 / 5,
        "sharp_signals": 2,
        "sharp_mean_error_samples": 1.25,
        "sharp_median_error_samples": 1.25,
    }


def test_the_truth_scores_what_normal_labels_give():
    sigma = np.random.default_rng(0).uniform(0.5, 8, 100_000)
    error = sigma * np.random.default_rng(1).standard_normal(100_000)
    found = score_in_sigma(error, sigma)
    assert found["median_error_sigma"] == pytest.approx(0.6745, abs=0.01)
    assert found["beyond_three_sigma"] == pytest.approx(0.0027, abs=0.0006)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(0.1, 10)), min_size=1, max_size=20), st.floats(0.1, 10))
def test_the_unit_does_not_matter(pairs, unit):
    error, sigma = np.array(pairs).T
    before, after = score_in_sigma(error, sigma), score_in_sigma(unit * error, unit * sigma, 1.5 * unit)
    assert after["median_error_sigma"] == pytest.approx(before["median_error_sigma"])


def test_nothing_found_is_beyond_and_has_no_error():
    found = score_in_sigma(np.array([np.nan]), np.array([1.0]))
    assert found["beyond_three_sigma"] == 1
    assert np.isnan(found["median_error_sigma"])
    assert np.isnan(found["sharp_mean_error_samples"])


@pytest.mark.parametrize(("error", "sigma"), [([], []), ([1.0], [0.0]), ([1.0], [np.nan]), ([1.0, 2.0], [1.0])])
def test_sigmas_that_are_none_are_told(error, sigma):
    with pytest.raises(ValueError, match="sigma"):
        score_in_sigma(np.array(error), np.array(sigma))
