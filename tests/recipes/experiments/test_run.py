import csv

import pytest


@pytest.mark.slow
def test_done_trials_are_kept_and_tabled(recipe_here, small_preset, tmp_path):
    options = ["decoders", "--preset", small_preset, "--dataset", "ultrasound_synthetic/quickstart"]
    options += ["--signals", 256, "--steps", 50, "--seeds", 2, "--output", tmp_path / "out"]
    code, printed = recipe_here("experiments.run", *options, "--only", "decoder cross")
    assert code == 0, printed
    assert "2 of 6 trials are done" in printed
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "cells").glob("*.json")}
    assert len(before) == 2
    code, printed = recipe_here("experiments.run", *options)
    assert code == 0, printed
    assert "6 of 6 trials are done" in printed
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())
    with open(tmp_path / "out" / "decoders.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["seed"] for row in rows] == ["0"] * 3 + ["1"] * 3
    assert all(0 <= float(row["test_accuracy"]) <= 1 for row in rows)
    table = (tmp_path / "out" / "decoders.md").read_text()
    assert "decoder cross minus decoder full" in table
    assert table.count("| 2 |") == 3  # seeds


def test_unknown_experiments_are_told(recipe_here):
    code, printed = recipe_here("experiments.run", "everything")
    assert code == 1
    assert "Unknown experiment 'everything'; choose one of baselines, masking" in printed


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--labels", 77, "no trial with labels 77; choose one of [0, 64, 128"),
        ("--only", "a guess", "no trial with method 'a guess'; choose one of ['AIC picker', 'CNN'"),
    ],
)
def test_trials_that_there_are_not_are_told(recipe_here, tmp_path, option, value, message):
    code, printed = recipe_here("experiments.run", "labels", option, value, "--output", tmp_path)
    assert code == 1
    assert message in " ".join(printed.split())


def test_no_picker_is_better_than_the_bound(recipe_here, tmp_path):
    options = ["baselines", "--dataset", "ultrasound_synthetic/quickstart", "--output", tmp_path]
    for method in ("Cramér-Rao bound of the envelope", "AIC picker"):
        code, printed = recipe_here("experiments.run", *options, "--only", method)
        assert code == 0, printed
    with open(tmp_path / "baselines.csv") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    error = {name: float(row["test_unclipped_mean_error_samples"]) for name, row in rows.items()}
    assert 0.05 < error["Cramér-Rao bound of the envelope"] < error["AIC picker"] / 5
    # Clipped signals have no bound.
    assert (tmp_path / "baselines.md").read_text().count("Cramér-Rao bound of the envelope | 1 | - | - |") == 1
