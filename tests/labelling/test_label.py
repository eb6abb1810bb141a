"""The command: what it says of its options, and what it leaves for other commands."""

import re
import shlex
import subprocess
import sys

import numpy as np
import pytest

from keras_usmae.labelling.handoff import write_handoff
from keras_usmae.labelling.serving import open_session
from keras_usmae.labelling.settings import LabelConfig
from keras_usmae.labelling.traces import open_scan
from keras_usmae.picker.echo_table import MARKS
from keras_usmae.signals.readers import plan_windows, read_preparation, read_recordings


def opened(folder, config):
    with open_session(config, folder) as session:
        return session.facts()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"source": "none.npy"}, "no file or folder"),
        ({"gates": ("1us:2us", "a=30us:40us")}, "lies outside"),
        ({"gates": ("who=1us:2us",)}, "'who'"),
        ({"echo": "last"}, "'last'"),
        ({"scan": "7x9"}, "63 traces"),
        ({"axis": None}, "axis"),
        ({"axis": 5}, "no axis 5"),
    ],
)
def test_what_is_wrong_with_the_options_is_told_before_a_page_opens(scan, config, tmp_path, changed, message):
    with pytest.raises((ValueError, OSError), match=message):
        opened(tmp_path / "labels", LabelConfig(**{**config.__dict__, **changed}))


def test_gates_are_echoes_in_order_of_arrival(config, tmp_path):
    facts = opened(tmp_path / "a", LabelConfig(**{**config.__dict__, "gates": ("back=10us:15us", "front=1us:5us")}))
    assert facts["echoes"] == ["front", "back"]
    np.testing.assert_allclose(facts["gates"], [[100, 500], [1000, 1500]])


def test_a_large_npy_is_mapped_and_reads_as_the_readers_read_it(scan, config, tmp_path, monkeypatch):
    monkeypatch.setattr("keras_usmae.labelling.traces._MAPPED_BYTES", 0)
    mapped = open_scan(config, tmp_path / "a")
    assert not (tmp_path / "a").exists()
    monkeypatch.undo()
    copied = open_scan(config, tmp_path / "b")
    (recording,) = read_recordings(scan, sampling_rate=100e6, axis=1)
    for each in (mapped, copied):
        np.testing.assert_array_equal(each.traces.read(slice(0, 64)), recording.signals)
        assert (each.sampling_rate, each.start_time) == (100e6, 0)
        assert each.place(63) == ("scan.npy", 63)


def test_a_folder_is_one_scan_and_files_that_differ_are_told(tmp_path, drawn):
    folder = tmp_path / "shots"
    folder.mkdir()
    for shot in range(5):
        np.save(folder / f"shot_{shot}.npy", drawn["signal"][shot])
    config = LabelConfig(str(folder), sampling_rate=100e6)
    scan = open_scan(config, tmp_path / "labels")
    assert [scan.place(trace) for trace in (0, 4)] == [("shot_0.npy", 0), ("shot_4.npy", 0)]
    np.save(folder / "shot_5.npy", drawn["signal"][5, :1000])
    with pytest.raises(ValueError, match=r"shot_5.npy' has 1,000 samples"):
        open_scan(config, tmp_path / "labels")
    (folder / "shot_5.npy").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"shot_5.npy' cannot be read"):
        open_scan(config, tmp_path / "labels")


def label_some(session, drawn, every=2):
    for trace in range(0, 64, every):
        session.store.add("onset", "sure", [trace], [float(drawn["onset"][trace])])
    session.store.add("onset", "doubtful", [1], [5.0])
    session.store.add("onset", "no echo", [3])


def test_what_is_left_is_a_data_set_whose_splits_all_hold_labels(session, config, tmp_path, drawn):
    label_some(session, drawn)
    lines = write_handoff(session, config, tmp_path / "labels")
    assert lines[0].endswith("34 of onset; the same command goes on with them.")
    preparation = read_preparation(tmp_path / "labels" / "prepare.toml")
    recordings = read_recordings(preparation.data, preparation.sidecar)
    np.testing.assert_allclose(recordings[0].onset[::2], drawn["onset"][::2], atol=0.006)
    assert np.isnan(recordings[0].onset[1::2]).all()
    windows = plan_windows(recordings, preparation).windows
    labelled = np.isfinite(windows["onset"])
    assert np.bincount(windows["split"][labelled], minlength=3).min() >= 5


def test_few_labels_are_kept_and_no_command_is_promised(session, config, tmp_path):
    session.store.add("onset", "sure", [0], [5.0])
    lines = write_handoff(session, config, tmp_path / "labels")
    assert not [line for line in lines if "finetune" in line]
    assert not (tmp_path / "labels" / "prepare.toml").exists()


def test_a_sidecar_that_is_there_stays_in_force(tmp_path, drawn):
    np.savez(tmp_path / "scan.npz", rf=drawn["signal"].T, other=np.zeros((5, 5)))
    (tmp_path / "scan.toml").write_text(
        'sampling_rate = 100e6\naxis = 0\nsignals = "rf"\nunit = "µV"\nstart_time = 1e-6\nfull_scale = [-1, 1]\n'
    )
    config = LabelConfig(str(tmp_path / "scan.npz"))
    with open_session(config, tmp_path / "labels") as session:
        label_some(session, drawn)
        write_handoff(session, config, tmp_path / "labels")
    (recording,) = read_recordings(tmp_path / "scan.npz", tmp_path / "labels" / "labels.toml")
    assert (recording.unit, recording.start_time, recording.full_scale) == ("µV", 1e-6, (-1, 1))
    np.testing.assert_allclose(recording.onset[::2], drawn["onset"][::2], atol=0.006)


@pytest.mark.slow
def test_the_command_that_is_printed_fine_tunes(session, config, tmp_path, drawn, repository):
    label_some(session, drawn, every=1)
    (line,) = [line for line in write_handoff(session, config, tmp_path / "labels") if "usmae finetune" in line]
    _, command, *arguments = shlex.split(line)
    done = subprocess.run(
        [sys.executable, str(repository / f"recipes/{command}.py"), *arguments, "--epochs", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"from synthetic, \d+ labels of ultrasound_measured/custom", done.stdout)


def test_marks_are_what_the_page_takes_them_for():
    assert MARKS == ("", "sure", "doubtful", "no echo")
