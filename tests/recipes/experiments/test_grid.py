"""Grids run each trial once, share them between processes, and summarise over seeds."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from filelock import FileLock

from recipes.experiments.grid import paired_test, read_trials, run_trials, summarize, trial_file

TRIALS = [{"method": name, "seed": seed} for name in ("a", "b") for seed in range(3)]


def test_trials_are_run_once(tmp_path):
    calls = []

    def run(trial):
        calls.append(trial)
        return {"value": trial["seed"] * 2}

    rows = run_trials(TRIALS, run, tmp_path)
    assert rows == run_trials(TRIALS, run, tmp_path)
    assert calls == TRIALS
    assert [row["value"] for row in rows] == [0, 2, 4, 0, 2, 4]


def test_an_interrupted_trial_is_run_again(tmp_path):
    def fail(trial):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_trials(TRIALS, fail, tmp_path)
    assert read_trials(TRIALS, tmp_path) == []
    assert len(run_trials(TRIALS, lambda trial: {"value": 1}, tmp_path)) == 6


def test_a_trial_of_another_process_is_left_to_it(tmp_path):
    taken = trial_file(tmp_path, TRIALS[2])
    taken.parent.mkdir()
    with FileLock(f"{taken}.lock"):
        rows = run_trials(TRIALS, lambda trial: {}, tmp_path)
    assert rows == [trial for trial in TRIALS if trial != TRIALS[2]]


def test_two_processes_share_the_trials(tmp_path):
    script = (
        "import os, sys, time; from recipes.experiments.grid import run_trials\n"
        "def run(trial): time.sleep(0.2); return {'pid': os.getpid()}\n"
        "run_trials([{'seed': seed} for seed in range(20)], run, sys.argv[1])"
    )
    processes = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    rows = read_trials([{"seed": seed} for seed in range(20)], tmp_path)
    assert len(rows) == 20
    files = [json.loads(path.read_text()) for path in (tmp_path / "cells").glob("*.json")]
    assert len(files) == 20


def test_summary_is_mean_and_sample_deviation():
    rows = [{"method": "a", "value": value} for value in (1.0, 2.0, 4.5)] + [{"method": "b", "value": 7.0}]
    first, second = summarize(rows, ("method",), ("value",))
    assert first["n"] == 3
    assert first["value_mean"] == pytest.approx(2.5)
    assert first["value_std"] == pytest.approx(np.std([1.0, 2.0, 4.5], ddof=1))
    assert second["value_mean"] == 7.0
    assert math.isnan(second["value_std"])


def test_paired_test_sees_what_an_unpaired_one_does_not():
    rng = np.random.default_rng(0)
    hard = 10 * rng.standard_normal(6)  # what the seeds share
    better = hard + 1 + 0.1 * rng.standard_normal(6)
    rows = [{"method": "a", "seed": seed, "value": value} for seed, value in enumerate(better)]
    rows += [{"method": "b", "seed": seed, "value": hard[seed]} for seed in range(5)]
    result = paired_test(rows, "value", "a", "b")
    assert result["n"] == 5
    assert result["low"] < 1 < result["high"]
    assert result["difference"] == pytest.approx(1, abs=0.2)
    assert result["p_value"] < 0.001


def test_paired_test_needs_two_pairs():
    rows = [{"method": "a", "seed": 0, "value": 1.0}, {"method": "b", "seed": 0, "value": 1.0}]
    with pytest.raises(ValueError, match=r"two or more seeds.*there are 1"):
        paired_test(rows, "value", "a", "b")
