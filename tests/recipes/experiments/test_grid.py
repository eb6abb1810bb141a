"""Grids run each cell once, share them between processes, and summarise over seeds."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from filelock import FileLock

from recipes.experiments.grid import cell_file, paired_test, read_cells, run_cells, summarize

CELLS = [{"contender": name, "seed": seed} for name in ("a", "b") for seed in range(3)]


def test_cells_are_run_once(tmp_path):
    calls = []

    def run(cell):
        calls.append(cell)
        return {"value": cell["seed"] * 2}

    rows = run_cells(CELLS, run, tmp_path)
    assert rows == run_cells(CELLS, run, tmp_path)
    assert calls == CELLS
    assert [row["value"] for row in rows] == [0, 2, 4, 0, 2, 4]


def test_interrupted_cell_is_run_again(tmp_path):
    def fail(cell):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_cells(CELLS, fail, tmp_path)
    assert read_cells(CELLS, tmp_path) == []
    assert len(run_cells(CELLS, lambda cell: {"value": 1}, tmp_path)) == 6


def test_cell_of_another_process_is_left_to_it(tmp_path):
    taken = cell_file(tmp_path, CELLS[2])
    taken.parent.mkdir()
    with FileLock(f"{taken}.lock"):
        rows = run_cells(CELLS, lambda cell: {}, tmp_path)
    assert rows == [cell for cell in CELLS if cell != CELLS[2]]


def test_two_processes_share_the_cells(tmp_path):
    script = (
        "import os, sys, time; from recipes.experiments.grid import run_cells\n"
        "def run(cell): time.sleep(0.2); return {'pid': os.getpid()}\n"
        "run_cells([{'seed': seed} for seed in range(20)], run, sys.argv[1])"
    )
    processes = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    rows = read_cells([{"seed": seed} for seed in range(20)], tmp_path)
    assert len(rows) == 20
    files = [json.loads(path.read_text()) for path in (tmp_path / "cells").glob("*.json")]
    assert len(files) == 20


def test_summary_is_mean_and_sample_deviation():
    rows = [{"contender": "a", "value": value} for value in (1.0, 2.0, 4.5)] + [{"contender": "b", "value": 7.0}]
    first, second = summarize(rows, ("contender",), ("value",))
    assert first["n"] == 3
    assert first["value_mean"] == pytest.approx(2.5)
    assert first["value_std"] == pytest.approx(np.std([1.0, 2.0, 4.5], ddof=1))
    assert second["value_mean"] == 7.0
    assert math.isnan(second["value_std"])


def test_paired_test_sees_what_an_unpaired_one_does_not():
    rng = np.random.default_rng(0)
    hard = 10 * rng.standard_normal(6)  # what the seeds share
    better = hard + 1 + 0.1 * rng.standard_normal(6)
    rows = [{"contender": "a", "seed": seed, "value": value} for seed, value in enumerate(better)]
    rows += [{"contender": "b", "seed": seed, "value": hard[seed]} for seed in range(5)]
    result = paired_test(rows, "value", "a", "b")
    assert result["n"] == 5
    assert result["low"] < 1 < result["high"]
    assert result["difference"] == pytest.approx(1, abs=0.2)
    assert result["p_value"] < 0.001


def test_paired_test_needs_two_pairs():
    rows = [{"contender": "a", "seed": 0, "value": 1.0}, {"contender": "b", "seed": 0, "value": 1.0}]
    with pytest.raises(ValueError, match=r"two or more seeds.*there are 1"):
        paired_test(rows, "value", "a", "b")
