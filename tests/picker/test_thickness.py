import math

import numpy as np
import pytest

from keras_usmae.picker import thickness
from tests.made_picks import picks_of
from tests.picker.stand_in import StandIn, a_scans

# Two echoes in the first and the third of four traces, 100 us apart.
PICKS = picks_of([(0, 0, 100, 0.9, 1.0), (0, 1, 200, 0.8, 40.0), (2, 0, 150, 0.6, 7.0), (2, 1, 250, 0.9, 7.0)])


def test_thickness_is_half_of_the_way_and_its_interval_that_of_two_independent_errors():
    millimetres, interval = thickness(PICKS.nth(0), PICKS.nth(1), speed_of_sound=2000.0)
    np.testing.assert_allclose(millimetres, [100, np.nan, 100, np.nan])
    np.testing.assert_allclose(interval[0], 100 + 3 * math.sqrt(2) * np.array([-1, 1]))
    assert interval.shape == (4, 2)


def test_thickness_of_a_back_before_the_front_is_unknown():
    millimetres, interval = thickness(PICKS.nth(1), PICKS.nth(0), speed_of_sound=2000.0)
    assert np.isnan(millimetres).all()
    assert np.isnan(interval).all()


def test_thickness_refuses_what_it_cannot_measure():
    with pytest.raises(ValueError, match="several picks"):
        thickness(PICKS, PICKS.nth(1), 2000.0)
    with pytest.raises(ValueError, match="are of 4 and 2"):
        thickness(PICKS.nth(0), picks_of([], num_traces=2), 2000.0)
    with pytest.raises(ValueError, match="Received: 0"):
        thickness(PICKS.nth(0), PICKS.nth(1), 0)
    with pytest.raises(ValueError, match="are of 4 traces, but there are 3 signals"):
        thickness(PICKS.nth(0), PICKS.nth(1), 2000.0, np.zeros((3, 500)))


def test_signals_make_a_thickness_finer():
    signals = a_scans(30)
    picks = StandIn().pick(signals, 50e6, scale=StandIn().choose_scale(signals, 50e6))
    truth = 400 / 50e6 * 6000 / 2 * 1e3
    coarse, wide = thickness(picks.nth(0), picks.nth(1), 6000.0)
    fine, narrow = thickness(picks.nth(0), picks.nth(1), 6000.0, signals)
    assert np.abs(fine - truth).max() < 0.2 * np.abs(coarse - truth).max()
    assert np.ptp(narrow, axis=1).max() < 0.3 * np.ptp(wide, axis=1).min()
    assert ((narrow[:, 0] <= truth) & (truth <= narrow[:, 1])).mean() > 0.9
    # Where nothing fits, that of the onsets stays.
    noise = np.random.default_rng(0).standard_normal(signals.shape)
    kept, interval = thickness(picks.nth(0), picks.nth(1), 6000.0, noise)
    same = np.isclose(kept, coarse)
    assert same.mean() > 0.8
    np.testing.assert_allclose(interval[same], wide[same])
