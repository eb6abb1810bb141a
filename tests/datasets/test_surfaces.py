import numpy as np
import pytest
from usmae_datasets.ultrasound_measured.surfaces import fit_surface, robust_sigma, smooth_line


def grid():
    x, y = np.indices((60, 30)).reshape(2, -1)
    return x, y, 50 + 0.05 * x - 2e-3 * x * y + 3e-7 * x**4 - 1e-5 * y**3


def test_surface_is_recovered_from_noisy_picks_with_slips():
    x, y, truth = grid()
    rng = np.random.default_rng(0)
    picks = truth + 0.2 * rng.standard_normal(truth.size)
    slipped = rng.random(truth.size) < 0.15
    picks[slipped] += rng.choice([-2.8, 2.8], slipped.sum())
    picks[::37] = np.nan
    surface, sigma = fit_surface(x, y, picks)
    # 15 coefficients from about 1,500 picks leave 0.2 * sqrt(15 / 1500) = 0.02.
    assert np.sqrt(np.mean((surface - truth) ** 2)) < 0.03
    assert sigma == pytest.approx(0.2, rel=0.25)


def test_surface_of_exact_picks_is_exact():
    x, y, truth = grid()
    surface, sigma = fit_surface(x, y, truth)
    np.testing.assert_allclose(surface, truth, atol=1e-8)
    assert sigma < 1e-8


def test_surface_needs_enough_picks():
    x, y, truth = grid()
    picks = np.where(np.arange(truth.size) < 14, truth, np.nan)
    with pytest.raises(ValueError, match="at least 15 finite picks, but only 14 of 1800 are finite"):
        fit_surface(x, y, picks)


def test_line_keeps_slow_waviness_and_drops_noise():
    position = np.arange(300)
    truth = 324 + 5.2 * position + 20 * np.sin(position / 20)
    picks = truth + 0.5 * np.random.default_rng(0).standard_normal(300)
    line, sigma = smooth_line(picks, window=11)
    assert np.sqrt(np.mean((line - truth) ** 2)) < 0.3
    assert sigma == pytest.approx(0.5, rel=0.2)


def test_median_keeps_outliers_out_of_the_line():
    truth = 3000 + 5.2 * np.arange(300.0)
    picks = truth.copy()
    picks[50:53] += 80
    line, _ = smooth_line(picks, window=21, median=9)
    assert np.abs(line - truth)[10:-10].max() < 12
    assert np.abs(smooth_line(picks, window=21)[0] - truth).max() > 12


def test_line_refuses_gaps_and_short_lines():
    picks = np.arange(30.0)
    picks[4] = np.nan
    with pytest.raises(ValueError, match="pick at index 4 is not finite"):
        smooth_line(picks, window=11)
    with pytest.raises(ValueError, match="filter of 11 records cannot smooth 5 picks"):
        smooth_line(np.arange(5.0), window=11)


def test_robust_sigma_is_that_of_a_normal_distribution():
    values = np.random.default_rng(0).normal(3.0, 2.0, 20000)
    values[:500] = 1e6
    assert robust_sigma(values) == pytest.approx(2.0, rel=0.06)
