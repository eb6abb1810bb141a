"""Trials and their plain values, which name the files of their results."""

import json

import pytest

from recipes import experiments
from recipes.experiments.grid import trial_file
from recipes.experiments.sweep import Sweep
from recipes.experiments.trial import FinishedRun, Pretraining, Trial

SWEEP = Sweep("nano", "ultrasound_measured/paper", "ultrasound_synthetic/quickstart", None, 1000, 64, 2)


@pytest.mark.parametrize("name", experiments.NAMES)
def test_every_trial_comes_back_from_its_file(name):
    trials = experiments.find_experiment(name).trials(SWEEP)
    stored = [json.loads(json.dumps(trial.values())) for trial in trials]
    assert [Trial.of(values) for values in stored] == trials
    assert len({trial_file("", values) for values in stored}) == len(set(trials))


def test_the_files_of_results_keep_their_names():
    """A result that was computed once is found again: these are names that earlier code gave."""
    mixture = Pretraining("nano", "a+b", 96, mixture=True)
    trial = SWEEP.trial("paper", 0, pretraining=mixture, held_out="array", shots=32)
    assert mixture.name == "nano_a+b_96_0.002_cross_64_0_None"
    assert trial.values()["pretraining"]["held_out"] is None
    assert Trial.of({"method": "a", "seed": 0, "pretraining": {"run": "runs/x"}}).pretraining == FinishedRun("runs/x")
    assert trial_file("", SWEEP.trial("from scratch", 0).values()).name == "cf16e28296c1ddfb.json"
    assert Trial("AIC picker", 0, "d", picker="AIC picker").values() == {
        "method": "AIC picker",
        "seed": 0,
        "dataset": "d",
        "picker": "AIC picker",
    }
