"""Recipes that are killed, terminated and interrupted again and again, against one that nothing interrupts."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

from tests.attack.conftest import INTERRUPTIONS, SEED

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
SIZES = {"hidden_dim": 8, "num_heads": 1, "head_dim": 8, "num_layers": 1, "mlp_dim": 8}
DATASET = ["--dataset", "ultrasound_synthetic/quickstart"]
SPACE = """
[size]
choice = ["free"]
[hidden_dim]
choice = [8]
[num_layers]
choice = [1]
[num_heads]
choice = [1]
[head_dim]
choice = [8]
[patch_size]
choice = [64]
[learning_rate]
low = 1e-3
high = 1e-2
"""
# Not the same in two runs.
TIMES = {"seconds"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Where the recipes run: a preset, a search space, and prepared datasets."""
    folder = tmp_path_factory.mktemp("attack")
    encoder = {"signal_length": 2048, "patch_size": 64, **SIZES}
    (folder / "small.json").write_text(json.dumps({"encoder": encoder, "decoder": SIZES}))
    (folder / "space.toml").write_text(SPACE)
    return folder


RECIPES = {
    "pretrain": ["--fresh-signals", "512", "--epochs", "6", "--batch-size", "64", "--preset", "small.json", *DATASET],
    "finetune": ["--labels", "256", "--epochs", "6", "--no-augment", "--pretrained", "none", "--preset", "small.json"],
    "tune": ["--task", "finetune", "--tuner", "hyperband", "--labels", "128", "--epochs", "3", "--max-trials", "6"],
    "experiment": ["decoders", "--preset", "small.json", "--signals", "256", "--steps", "50", "--seeds", "1"],
}
RECIPES["finetune"] += DATASET
RECIPES["tune"] += [*DATASET, "--space", "space.toml"]
RECIPES["experiment"] += DATASET
RESULTS = {"pretrain": "metrics.csv", "finetune": "metrics.csv", "tune": "results.csv", "experiment": "decoders.csv"}


class Recipe:
    """One recipe in one folder."""

    def __init__(self, name, repository, place, folder):
        self.name, self.place, self.folder = name, place, folder
        file = "experiments/run.py" if name == "experiment" else f"{name}.py"
        self.command = [sys.executable, str(repository / "recipes" / file), *RECIPES[name]]
        self.command += ["--output", str(folder)]
        self.environment = {
            **os.environ,
            "TFDS_DATA_DIR": str(place / "tfds"),
            "PYTHONPATH": str(repository),
            "OMP_NUM_THREADS": "1",
        }
        self.environment.pop("DATA_DIR", None)

    def run(self, after=None, number=None):
        """Starts or resumes; sends a signal after a time. Exit code, what it printed, and how long it took."""
        resume = ["--resume"] if self.name != "experiment" and (self.folder / "config.json").exists() else []
        started = time.monotonic()
        with subprocess.Popen(
            [*self.command, *resume],
            cwd=self.place,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                printed, _ = process.communicate(timeout=after)
            except subprocess.TimeoutExpired:
                process.send_signal(number)
                try:
                    printed, _ = process.communicate(timeout=60)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    pytest.fail(f"{self.name} did not end after {number!r}")
        return process.returncode, printed, time.monotonic() - started

    def results(self):
        """Rows of the result, without times, and the weights."""
        with (self.folder / RESULTS[self.name]).open(newline="") as file:
            rows = [{key: value for key, value in row.items() if key not in TIMES} for row in csv.DictReader(file)]
        arrays = {}
        if (self.folder / "last.weights.h5").exists():
            with h5py.File(self.folder / "last.weights.h5") as file:
                file.visititems(
                    lambda name, item: arrays.update({name: item[()]} if isinstance(item, h5py.Dataset) else {})
                )
        return rows, arrays


def assert_nothing_torn(folder, counts):
    """Every file that has its name is whole."""
    for path in folder.rglob("*"):
        if not path.is_file() or path.name.startswith("partial.") or "lock" in path.name:
            continue
        counts["files looked at after an interruption"] += 1
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".csv":
            with path.open(newline="") as file:
                assert all(None not in row and None not in row.values() for row in csv.DictReader(file)), path
        elif path.suffix == ".h5":
            h5py.File(path).close()
        else:
            assert path.stat().st_size or path.suffix not in (".png", ".keras", ".npz", ".md"), path


def assert_same(whole, cut):
    (expected, weights), (rows, found) = whole.results(), cut.results()
    assert len(rows) == len(expected)
    for ours, theirs in zip(rows, expected, strict=True):
        assert ours.keys() == theirs.keys()
        for key, value in theirs.items():
            try:
                assert float(ours[key]) == pytest.approx(float(value), rel=1e-5, abs=1e-6, nan_ok=True), key
            except ValueError:
                assert ours[key] == value
    assert found.keys() == weights.keys()
    for key, array in weights.items():
        np.testing.assert_allclose(found[key], array, rtol=1e-5, atol=1e-6, err_msg=key)


@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_that_is_interrupted_again_and_again_gives_what_it_would_have_given(name, repository, place, counts):
    draw = random.Random(f"{SEED} {name} {os.environ['KERAS_BACKEND']}")
    Recipe(name, repository, place, place / f"{name}_first").run()  # makes the data, so that the next one is timed
    whole = Recipe(name, repository, place, place / f"{name}_whole")
    code, printed, seconds = whole.run()
    assert code == 0, printed
    done, number = 0, 0
    while done < INTERRUPTIONS:
        # A run that is interrupted often never ends: a new folder after every fifth time.
        cut = Recipe(name, repository, place, place / f"{name}_cut_{number}")
        number += 1
        for _ in range(min(5, INTERRUPTIONS - done)):
            kind = draw.choice(SIGNALS)
            code, printed, _ = cut.run(after=draw.uniform(0.2, 1.0) * seconds, number=kind)
            done += 1
            counts[f"{name}: {'ended before' if code == 0 else kind.name}"] += 1
            if code == 130 or code == 143:
                counts[f"{name}: told how to go on"] += 1
                assert "Interrupted. " in printed, printed
                assert "Traceback" not in printed, printed
            elif code not in (0, -kind):  # -kind: while Python imports, ahead of the recipe
                assert "import" in printed, f"exit code {code} after {kind.name}: {printed}"
                assert kind == signal.SIGINT, f"exit code {code}: {printed}"
            if cut.folder.exists():
                assert_nothing_torn(cut.folder, counts)
            if code == 0:
                break
        code, printed, _ = cut.run()
        assert code == 0, printed
        assert_same(whole, cut)
        assert not list(cut.folder.glob("partial.*")), "what killed runs left is removed"
        counts[f"{name}: identical results"] += 1
