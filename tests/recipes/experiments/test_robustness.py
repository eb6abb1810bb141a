"""Records of the robustness experiment, and the places where an error doubles."""

import numpy as np
import pytest

from keras_usmae.signals import pick_cross_correlation, synthetic_onset_bounds
from recipes.experiments import robustness
from recipes.experiments.robustness_report import crossing, draw, write_report


def test_bursts_of_one_pulse_are_found_at_the_bound_by_who_is_told_it():
    drawn = robustness.draw("snr, one pulse", 25, 3, 200)
    error = pick_cross_correlation(drawn["signal"], robustness.one_pulse(3)) - drawn["burst_start"]
    bound = synthetic_onset_bounds(drawn, robustness.RATE)
    assert np.ptp(bound) < 1e-3 * bound[0]
    assert np.sqrt(np.mean(error**2)) == pytest.approx(bound[0], rel=0.25)
    assert np.ptp(drawn["onset"] - drawn["burst_start"]) < 1e-6


def test_records_of_another_seed_are_other_records_of_the_same_pulse():
    one, other = (robustness.draw("snr, one pulse", 25, seed, 16) for seed in (3, 3 + robustness.CALIBRATION))
    assert not np.allclose(one["onset"], other["onset"])
    for name in ("center_frequency", "burst_length", "envelope"):
        np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize(("sweep", "key", "value"), [("clipping", "amplitude", 24), ("scale", "center_frequency", 2.0)])
def test_a_setting_is_what_it_says(sweep, key, value):
    hard, easy = (robustness.draw(sweep, each, 0, 64) for each in (value, robustness.easiest(sweep)))
    expected = 10 ** (value / 20) if sweep == "clipping" else value
    assert np.median(hard[key] / easy[key]) == pytest.approx(expected, rel=1e-6)
    if sweep == "clipping":
        assert hard["clipped"].mean() > 0.9


def test_a_crossing_lies_between_settings_by_a_line():
    values, scores = np.array([0.0, 10, 20, 30]), np.array([9.0, 5, 1, 1])
    assert crossing(values, scores, 30, 2.0, -1) == pytest.approx(17.5)
    assert crossing(values, scores, 30, 20.0, -1) is None
    assert crossing(values, np.array([np.nan, 1.0, 1, 1]), 30, 2.0, -1) == 0
    assert crossing(values, scores[::-1], 0, 2.0, 1) == pytest.approx(12.5)
    assert crossing(values, scores, 30, 0.5, -1) == 30
    assert crossing(values, np.array([0.0, 9, 9, 8]), 30, 0.5, -1) == 30, "it is above from the start"


def test_page_and_picture_have_what_there_is(tmp_path):
    rows = [
        {"sweep": "snr", "value": value, "seed": seed, "estimator": "mine", "records": 16, "bound": 0.1, "far": 0.0}
        | {"missed": 0.0, "median_error": error, "sigma": error, "rmse": error, "sigma_ratio": 9.0, "rmse_ratio": 9.0}
        for seed in (0, 1)
        for value, error in ((10, 4.0), (20, 1.0), (30, 1.0))
    ]
    figure, page = write_report(rows, tmp_path, "What was done.")
    text = page.read_text()
    assert "| mine | 16.7; not to 10 |" in text
    assert "9.0 ± 0.0, 9, 0.0 %" in text
    assert sum(bool(axes.lines) for axes in figure.axes) == 1
    assert draw(rows).axes
