"""Reliability, temperature and coverage on logits whose probabilities are known to be true."""

import numpy as np
import pytest

from keras_usmae.evaluation.calibration import coverage, fit_temperature, reliability

BIN_WIDTH = 16


@pytest.fixture(scope="module")
def honest():
    """Logits, and onsets drawn from just the probabilities that they state."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 8)) * rng.uniform(0.5, 4.0, (20_000, 1))
    drawn = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return logits, (drawn + rng.uniform(size=len(drawn))) * BIN_WIDTH


@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0])
def test_the_temperature_undoes_a_factor(honest, factor):
    logits, onset = honest
    assert fit_temperature(factor * logits, onset, BIN_WIDTH) == pytest.approx(factor, rel=0.03)


def test_honest_probabilities_have_no_calibration_error(honest):
    logits, onset = honest
    curve = reliability(logits, onset, BIN_WIDTH)
    assert curve["expected_calibration_error"] < 0.015
    assert curve["count"].sum() == len(onset)
    assert reliability(3 * logits, onset, BIN_WIDTH)["expected_calibration_error"] > 0.1
    mended = reliability(3 * logits, onset, BIN_WIDTH, temperature=3.0)
    assert mended["expected_calibration_error"] == pytest.approx(curve["expected_calibration_error"])


def test_a_curve_by_hand():
    logits = np.log([[0.8, 0.2], [0.8, 0.2], [0.8, 0.2], [0.8, 0.2], [0.05, 0.95], [0.05, 0.95]])
    curve = reliability(logits, np.array([1.0, 2.0, 3.0, 20.0, 20.0, 1.0]), BIN_WIDTH, num_bins=4)
    np.testing.assert_array_equal(curve["count"], [0, 0, 0, 6])
    assert curve["accuracy"][3] == pytest.approx(4 / 6)
    assert curve["expected_calibration_error"] == pytest.approx((4 * 0.8 + 2 * 0.95) / 6 - 4 / 6)
    assert np.isnan(curve["accuracy"][0])


def test_coverage_counts_both_ends():
    assert coverage([1.0, 2.0, 3.0, 4.0], [[1, 2], [1, 2], [0, 2.9], [5, 6]]) == 0.5


@pytest.mark.parametrize(
    ("logits", "onset", "message"),
    [
        (np.zeros((2, 8)), [1.0], r"shape \(2, 8\) and 1 onsets"),
        (np.zeros((0, 8)), [], "at least one"),
        (np.full((1, 8), np.nan), [1.0], "finite; those at 0"),
        (np.zeros((1, 8)), [128.0], "128"),
    ],
)
def test_bad_input(logits, onset, message):
    for function in (fit_temperature, reliability):
        with pytest.raises(ValueError, match=message):
            function(logits, onset, BIN_WIDTH)
