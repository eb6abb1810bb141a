"""Scores of the ready picker on synthetic signals whose onsets are known."""

import numpy as np
import pytest

from keras_usmae.evaluation import evaluate, label_ceiling
from keras_usmae.evaluation.evaluate import _ceilings
from keras_usmae.evaluation.report import write_evaluation
from keras_usmae.picker import EchoPicker
from keras_usmae.signals import SignalConfig, synthesize


@pytest.fixture(scope="module")
def found():
    config = SignalConfig.from_preset("quickstart")
    held_out, arrays = (synthesize(config, 96, seed) for seed in (1, 2))
    arrays["hole_echo"] = np.arange(96) % 4 == 0
    arrays["onset_sigma"] = np.where(np.arange(96) % 2, 1.0, 4.0)
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


def test_the_ceiling_of_the_labels_stands_beside_the_estimators(found, tmp_path):
    evaluation, arrays = found
    plain = ~arrays["hole_echo"]
    assert evaluation.ceiling["all"] == label_ceiling(arrays["onset"], arrays["onset_sigma"], 16) | {
        "sharp_mean_error_samples": pytest.approx(0.79788, rel=1e-4)
    }
    expected = label_ceiling(arrays["onset"][plain], arrays["onset_sigma"][plain], 16)["accuracy"]
    assert evaluation.ceiling["without_hole"]["accuracy"] == expected
    free = evaluation.scores["nano"]["bias_free_without_hole"]
    assert free["sharp_signals"] == np.sum(plain & (arrays["onset_sigma"] < 1.5))
    text, _ = write_evaluation(evaluation, arrays, tmp_path / "out", "nano", "synthetic", "test", 100e6, 16)
    assert text.count("| ceiling of the labels |") == 3
    assert "beyond 3 sigma" in text


def test_labels_that_state_no_sigma_have_no_ceiling():
    arrays = {"onset": np.arange(4.0), "hole_echo": np.zeros(4, bool)}
    assert _ceilings(arrays, 16) == {}
