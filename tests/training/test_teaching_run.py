"""`teach.py`: labelled recordings to a picker, with the shipped `nano` and a training of some steps."""

import csv
import json

import numpy as np
import pytest

from keras_usmae.configs import TeachConfig
from keras_usmae.picker import EchoPicker
from keras_usmae.picker.settings import TraceConfig
from keras_usmae.signals import SignalConfig, synthesize
from keras_usmae.training import teaching_run

RATE, LATE = 100e6, 12  # samples that every label is late by


@pytest.fixture(scope="module")
def drawn():
    return synthesize(SignalConfig.from_preset("quickstart"), num_signals=96, seed=3)


@pytest.fixture
def folder(tmp_path, drawn):
    """Two files of traces, whose labels are all late, with a sidecar for both."""
    data = tmp_path / "data"
    data.mkdir()
    for name, rows in (("a", slice(0, 48)), ("b", slice(48, 96))):
        np.savez(data / f"{name}.npz", scan=drawn["signal"][rows], tof=(drawn["onset"][rows] + LATE) / RATE * 1e6)
    sidecar = 'sampling_rate = 100e6\naxis = 1\nsignals = "scan"\nonset = { key = "tof", unit = "us" }\n'
    (data / "both.toml").write_text(sidecar)
    return data


def teach(folder, tmp_path, **changes):
    traces = TraceConfig(str(folder), sidecar=str(folder / "both.toml"), preset="nano", scale="1", **changes)
    config = TeachConfig(steps=20, batch_size=32, learning_rate=2e-3)
    return teaching_run.teach_recordings(config, traces, tmp_path / "taught", verbose=0)


@pytest.mark.long
def test_a_picker_takes_over_what_labels_have_in_common(folder, tmp_path, drawn, without_xla):
    metrics = teach(folder, tmp_path)
    run = tmp_path / "taught"
    assert metrics["labels"] + metrics["held_out"] == 96
    assert metrics["files"] == 2
    assert metrics["held_out"] >= 16
    # Labels that are 120 ns late have the ready picker err by that.
    assert metrics["before"]["median_error_ns"] == pytest.approx(120, abs=25)
    assert metrics["after"]["median_error_ns"] < metrics["before"]["median_error_ns"] - 40
    assert json.loads((run / "metrics.json").read_text()) == metrics
    with (run / "held_out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["file"] for row in rows} <= {"a.npz", "b.npz"}
    assert len(rows) == metrics["held_out"]
    first = rows[0]
    trace = int(first["trace"]) + (48 if first["file"] == "b.npz" else 0)
    assert float(first["label_us"]) == pytest.approx((drawn["onset"][trace] + LATE) / 100, abs=1e-4)
    picks = EchoPicker.from_run(run).pick(drawn["signal"][[trace]], RATE, scale=1)
    assert np.abs(picks.tof * 1e6 - float(first["after_us"])).min() < 0.01


@pytest.mark.parametrize(("labels", "told"), [(0, "No labels"), (5, "5 labels")])
def test_too_few_labels_are_told_ahead_of_any_work(folder, tmp_path, drawn, monkeypatch, labels, told):
    monkeypatch.setattr(teaching_run, "load_picker", lambda config: pytest.fail("work began"))
    (folder / "b.npz").unlink()
    tof = np.where(np.arange(48) < labels, 5.0, np.nan)
    np.savez(folder / "a.npz", scan=drawn["signal"][:48], tof=tof)
    with pytest.raises(ValueError, match=f"{told}.*8 or more"):
        teach(folder, tmp_path)
    assert not (tmp_path / "taught").exists()


def test_a_folder_that_is_there_is_not_written_over(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(teaching_run, "load_picker", lambda config: pytest.fail("work began"))
    (tmp_path / "taught").mkdir()
    with pytest.raises(FileExistsError, match="choose another --output"):
        teach(folder, tmp_path)


def test_groups_are_held_out_whole(folder, drawn):
    names = np.repeat(["weld", "plate", "tube"], 16)
    tof = drawn["onset"][:48] / RATE * 1e6
    np.savez(folder / "a.npz", scan=drawn["signal"][:48], tof=tof, part=np.tile(names[::16], 16))
    (folder / "b.npz").unlink()
    with (folder / "both.toml").open("a") as file:
        file.write('groups = { key = "part" }\n')
    source = teaching_run.Source(str(folder), str(folder / "both.toml"), {}, lambda recording: None)
    parts, _ = teaching_run._read_labels(source)
    (held,) = teaching_run._held_out(parts)
    assert set(np.array(parts[0].group)[held]).isdisjoint(np.array(parts[0].group)[~held])
    assert held.sum() == 16


def test_a_trace_that_cannot_be_used_is_told_with_its_label(folder, drawn):
    signals, tof = drawn["signal"][:48].copy(), drawn["onset"][:48] / RATE * 1e6
    signals[3] = np.nan
    tof[5] = 1e6  # out of the record
    np.savez(folder / "a.npz", scan=signals, tof=tof)
    (folder / "b.npz").unlink()
    source = teaching_run.Source(str(folder), str(folder / "both.toml"), {}, lambda recording: None)
    (part,), rejected = teaching_run._read_labels(source)
    assert len(part.table) == 46
    assert len(rejected) == 2
    assert any("onset" in each and "outside" in each for each in rejected)


def test_every_echo_that_the_sidecar_names_is_a_label(folder, drawn):
    onset = drawn["onset"][:48] / RATE * 1e6
    np.savez(folder / "a.npz", scan=drawn["signal"][:48], tof=onset, back=np.where(onset < 15, onset + 3, np.nan))
    (folder / "b.npz").unlink()
    text = (folder / "both.toml").read_text().replace('key = "tof"', 'key = ["tof", "back"]')
    (folder / "both.toml").write_text(text)
    source = teaching_run.Source(str(folder), str(folder / "both.toml"), {}, lambda recording: None)
    (part,), _ = teaching_run._read_labels(source)
    assert (part.table.gate == 0).sum() == 48
    assert (part.table.gate == 1).sum() == (onset < 15).sum()
