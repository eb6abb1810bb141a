"""Scores of the ready picker on synthetic signals whose onsets are known."""

import numpy as np
import pytest

from keras_usmae.evaluation import evaluate
from keras_usmae.picker import EchoPicker
from keras_usmae.signals import SignalConfig, synthesize


@pytest.fixture(scope="module")
def found():
    config = SignalConfig.from_preset("quickstart")
    held_out, arrays = (synthesize(config, 96, seed) for seed in (1, 2))
    arrays["hole_echo"] = np.arange(96) % 4 == 0
    return evaluate(EchoPicker.from_preset("nano"), arrays, held_out, 100e6, name="nano", scale=1), arrays


def test_the_picker_stands_beside_the_classical_ones(found):
    evaluation, _ = found
    assert list(evaluation.scores) == ["nano", "AIC picker", "envelope threshold picker"]
    mine = evaluation.scores["nano"]["bias_free_without_hole"]
    assert mine["signals"] == 72
    assert mine["within_one_bin"] > 0.9
    for scores in evaluation.scores.values():
        assert scores["bias_free"]["median_error_samples"] <= scores["median_error_samples"] + 0.5


def test_intervals_and_estimates_are_of_the_first_pick(found):
    evaluation, arrays = found
    estimate = evaluation.estimates["nano"]
    there = np.isfinite(estimate)
    assert np.all(evaluation.interval[there, 0] < estimate[there])
    assert np.all(estimate[there] < evaluation.interval[there, 1])
    inside = (evaluation.interval[:, 0] <= arrays["onset"]) & (arrays["onset"] <= evaluation.interval[:, 1])
    assert evaluation.calibration["interval_coverage"] == pytest.approx(inside[there].mean())
    assert evaluation.recall["recall"] >= evaluation.recall["recall_of_three"] > 0.9
