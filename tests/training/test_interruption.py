"""Trainings in processes of their own that are killed, or find the disk full, against one that nothing interrupts."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from keras_usmae.training import BEST_FILE, LAST_FILE, check_run_folder, read_history

pytest.importorskip("resource", reason="no limits on the size of a file here")

SCRIPT = Path(__file__).with_name("train_and_die.py")
EPOCHS, STEPS = 6, 4


def start(folder, kind, *plans):
    """Starts or resumes a training and waits: exit code and what it printed."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT), str(folder), kind, *plans]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def weights(path):
    """All arrays of a checkpoint, by name, and what it says of itself."""
    arrays = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: arrays.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
        return arrays, dict(file.attrs)


def assert_same_run(whole, cut):
    histories = [read_history(folder / "metrics.csv") for folder in (whole, cut)]
    assert [row["epoch"] for row in histories[1]] == list(range(EPOCHS))
    for expected, row in zip(*histories, strict=True):
        for name in set(expected) - {"seconds"}:
            assert row[name] == pytest.approx(expected[name], rel=1e-6, abs=1e-6), (row["epoch"], name)
    for name in (LAST_FILE, BEST_FILE):
        (expected, attributes), (arrays, found) = (weights(folder / name) for folder in (whole, cut))
        assert {key: found[key] for key in ("epochs_done", "improved")} == {
            key: attributes[key] for key in ("epochs_done", "improved")
        }
        assert arrays.keys() == expected.keys()
        for key in expected:
            np.testing.assert_allclose(arrays[key], expected[key], rtol=1e-5, atol=1e-6, err_msg=f"{name} {key}")
    assert {path.name for path in cut.iterdir()} == {path.name for path in whole.iterdir()}
    events = EventAccumulator(str(cut / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("loss")] == list(range(EPOCHS))


def assert_resumable(folder, epochs_done):
    """The folder has a whole checkpoint of so many epochs, and a whole log."""
    assert weights(folder / LAST_FILE)[1]["epochs_done"] == epochs_done
    assert len(read_history(folder / "metrics.csv")) in (epochs_done, epochs_done + 1)


@pytest.mark.slow
def test_killed_within_a_write_and_then_a_full_disk(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    code, printed = start(whole, "mae")
    assert code == 0, printed
    code, printed = start(cut, "mae", "within:2")
    assert code == -signal.SIGKILL, printed
    (partial,) = cut.glob(f"partial.*.{LAST_FILE}")
    assert 0 < partial.stat().st_size < (cut / LAST_FILE).stat().st_size, "killed in mid-write"
    assert_resumable(cut, 2)
    code, printed = start(cut, "mae", f"full:3:{(cut / LAST_FILE).stat().st_size // 2}")
    assert code == 1
    for part in (f"{LAST_FILE} could not be written", "MB are free", "go on with --resume"):
        assert part in printed, printed
    assert not partial.exists(), "it would keep the space that there is too little of"
    assert_resumable(cut, 3)
    code, printed = start(cut, "mae")
    assert code == 0, printed
    assert_same_run(whole, cut)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mae", "tof"])
def test_killed_again_and_again(tmp_path, kind):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    code, printed = start(whole, kind)
    assert code == 0, printed
    draw = random.Random(2026)
    chosen = [f"step:{draw.randint(1, STEPS + 1)}:{draw.uniform(0, 0.3):.3f}" for _ in range(5)]
    plans = [
        ("before:config.json:-1", "before:metrics.csv:0", f"before:{LAST_FILE}:0", f"after:{LAST_FILE}:0", chosen[0]),
        (f"before:{BEST_FILE}:1", "after:metrics.csv:2", chosen[1], "within:3", chosen[2]),
        (f"after:{LAST_FILE}:4", chosen[3], chosen[4], f"after:{LAST_FILE}:5"),
    ]
    killed = 0
    for plan in [plan for part in plans for plan in part] if kind == "mae" else ["within:0", *chosen[:3]]:
        code, printed = start(cut, kind, plan)
        print(plan, code)
        assert code in (0, -signal.SIGKILL), printed  # 0: all was done, or that epoch was past
        killed += code != 0
        if not (cut / "config.json").exists():
            check_run_folder(cut, {})
    assert killed >= (8 if kind == "mae" else 3)
    code, printed = start(cut, kind)
    assert code == 0, printed
    assert_same_run(whole, cut)
