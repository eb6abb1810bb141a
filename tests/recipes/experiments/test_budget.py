import csv

import pytest

from recipes.experiments import budget
from recipes.experiments.sweep import Sweep
from recipes.experiments.trial import FinishedRun


def sweep(preset, **changes):
    return Sweep(preset, "ultrasound_measured/paper", "ultrasound_synthetic/quickstart", None, 1000, 64, 5, **changes)


def test_what_is_compared_depends_on_the_weights_that_ship():
    always = {"from scratch", "CNN", "CNN, masked autoencoder"}
    assert set(budget.starts(sweep("nano"))) == {*always, "masked autoencoder", budget.FINETUNED}
    assert set(budget.starts(sweep("base"))) == always
    fresh = [trial for trial in budget.trials(sweep("base")) if trial.picker == budget.READY]
    assert not fresh


def test_every_number_of_labels_has_five_seeds_of_every_method():
    trials = budget.trials(sweep("nano"))
    for labels in budget.LABELS:
        methods = [trial.method for trial in trials if trial.labels == labels]
        assert all(methods.count(method) == 5 for method in methods)
        assert len(set(methods)) == 10
    assert len({(trial.method, trial.labels, trial.seed) for trial in trials}) == len(trials)


def test_a_taught_cnn_stands_beside_the_same_one_untaught():
    trials = budget.trials(sweep("nano", cnn_picker="runs/cnn"))
    cnn = [trial for trial in trials if trial.pretraining == FinishedRun("runs/cnn")]
    assert {(trial.method, trial.steps) for trial in cnn} == {("CNN picker", 0), ("CNN picker, taught", 60)}
    assert {trial.labels for trial in cnn} == set(budget.LABELS)


@pytest.mark.slow
@pytest.mark.measured
def test_labels_take_the_offset_out_of_a_picker(recipe_here, measured_dir, tmp_path):
    options = ["budget", "--only", "envelope threshold picker", "--seeds", 2, "--output", tmp_path]
    options += ["--data-dir", measured_dir]
    code, printed = recipe_here("experiments.run", *options)
    assert code == 0, printed
    with open(tmp_path / "budget.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["method"] == "envelope threshold picker"]
    error = {
        int(row["labels"]): float(row["test_bias_free_without_hole_mean_error_samples"])
        for row in rows
        if row["seed"] == "0"
    }
    assert error[0] > 10  # as it stands
    assert all(4 < error[labels] < 8 for labels in (8, 6400))
