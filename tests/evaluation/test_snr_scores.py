import itertools

import numpy as np
import pytest

from keras_usmae.evaluation import score_over_snr

RNG = np.random.default_rng(0)
SNR = RNG.uniform(18, 38, 4000)
BOUND = 10 ** (-SNR / 20)
NORMAL = RNG.normal(size=4000) * BOUND


def test_normal_errors_at_the_bound_have_a_ratio_of_one():
    rows = score_over_snr(SNR, {"efficient": NORMAL, "thrice": 3 * NORMAL}, BOUND)
    assert len(rows) == 8
    assert sum(row["signals"] for row in rows) == 4000
    assert all(before["snr_high"] <= after["snr_low"] for before, after in itertools.pairwise(rows))
    for row in (*rows, *score_over_snr(SNR, {"efficient": NORMAL, "thrice": 3 * NORMAL}, BOUND, num_groups=1)):
        for name, factor in (("efficient", 1), ("thrice", 3)):
            assert row["estimators"][name]["rmse_ratio"] == pytest.approx(factor, rel=0.1)
            assert row["estimators"][name]["sigma_ratio"] == pytest.approx(factor, rel=0.12)


def test_outliers_move_the_rms_alone():
    error = np.where(np.arange(4000) % 50 == 0, 1000.0, NORMAL)
    (row,) = score_over_snr(SNR, {"slips": error}, BOUND, num_groups=1)
    assert row["estimators"]["slips"]["rmse_ratio"] > 100
    assert row["estimators"]["slips"]["sigma_ratio"] == pytest.approx(1, rel=0.1)


def test_scores_by_hand_and_what_is_not_known_is_left_out():
    error = np.array([1.0, -2.0, 3.0, np.nan])
    (row,) = score_over_snr([20.0, 22.0, 24.0, 26.0], {"a": error, "none": np.full(4, np.nan)}, num_groups=8)
    assert row.keys() == {"snr_low", "snr_db", "snr_high", "signals", "estimators"}
    assert (row["snr_low"], row["snr_db"], row["snr_high"]) == (20, 23, 26)
    expected = {"missed": 0.25, "rmse": np.sqrt(14 / 3), "median_error": 2.0, "sigma": 2 / 0.6745}
    assert row["estimators"]["a"] == pytest.approx(expected)
    assert row["estimators"]["none"] == {"missed": 1.0}
    (row,) = score_over_snr([20.0] * 4, {"a": error}, np.full(4, 0.5), np.array([3.0, 3.0, 4.0, 4.0]))
    assert (row["bound"], row["label_sigma"]) == pytest.approx((0.5, np.sqrt(12.5)))
