"""`teach.py` as an engineer runs it: a picker that has learnt, and what it says of it."""

import numpy as np
import pytest

from keras_usmae.signals import SignalConfig, synthesize
from keras_usmae.training import teaching_run


@pytest.fixture
def scan(tmp_path, monkeypatch):
    """40 traces in two stretches of neighbours and more, with their onsets in a table."""
    monkeypatch.chdir(tmp_path)
    drawn = synthesize(SignalConfig.from_preset("quickstart"), num_signals=40, seed=3)
    np.save("scan.npy", drawn["signal"])
    np.savetxt("labels.csv", drawn["onset"] / 100, header="tof", comments="", fmt="%.3f")
    onset = 'onset = { key = "tof", unit = "us", file = "labels.csv" }'
    (tmp_path / "scan.toml").write_text(f"sampling_rate = 100e6\naxis = 1\n{onset}\n")
    return tmp_path / "scan.npy"


@pytest.mark.long
def test_a_picker_learns_and_picks(recipe_here, scan, tmp_path, without_xla):
    code, printed = recipe_here("teach", scan, "--preset", "nano", "--steps", 10, "--batch-size", 16)
    assert code == 0, printed
    run = tmp_path / "runs" / "teach_scan"
    assert {path.name for path in run.iterdir()} >= {"detector.keras", "config.json", "metrics.json", "held_out.png"}
    assert "before: mean error" in printed
    code, printed = recipe_here("predict", scan, "--run", run, "--output", "picked")
    assert code == 0, printed


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (40.0, 20.0, "after: mean error 20 ns"),
        (20.0, 20.0, "It errs no less than before"),
        (None, None, "too few places for some to be held out"),
    ],
)
def test_it_tells_whether_it_was_worth_it(recipe_here, scan, tmp_path, monkeypatch, before, after, told):
    def score(error):
        same = dict.fromkeys(("mean_error_ns", "median_error_ns"), error)
        return error and {"traces": 5, "far": 0.0, "in_interval": 1.0, **same}

    def teach_recordings(config, traces, folder):
        folder.mkdir(parents=True)
        scores = {"before": score(before), "after": score(after), "held_out": 9 if before else 0}
        facts = {"labels": 31, "seconds": 30.0, "scales": ["x2"], "doubts": ["time was taken to run along an axis"]}
        return {**scores, **facts, "failed": {"bad.npy": "it is empty"}, "rejected": ["scan.npy: 7: it is NaN"]}

    monkeypatch.setattr(teaching_run, "teach_recordings", teach_recordings)
    code, printed = recipe_here("teach", scan, "--scale", "1/2")
    assert code == 0, printed
    for part in (told, "Not read: bad.npy: it is empty", "scan.npy: 7: it is NaN", "Note: time was taken"):
        assert part in printed
    worse = before is not None and after >= before
    assert ("no less" in printed) == worse
    assert ("--run runs/teach_scan --scale 1/2" in printed) != worse


def test_labels_must_be_there(recipe_here, scan, tmp_path):
    (tmp_path / "scan.toml").write_text("sampling_rate = 100e6\naxis = 1\n")
    code, printed = recipe_here("teach", scan)
    assert code == 1
    assert "No labels in" in printed
    assert "usmae label" in printed
    assert not (tmp_path / "runs" / "teach_scan").exists()
