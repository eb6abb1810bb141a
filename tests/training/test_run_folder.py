import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_usmae.files import atomic_write, remove_leftovers, write_csv, write_json
from keras_usmae.training import check_run_folder, open_run_folder, read_history, save_arrays

CONFIG = {"preset": "nano", "seed": 0, "weights": None}


def test_new_folder_holds_its_configuration(tmp_path):
    folder = open_run_folder(tmp_path / "a" / "run", CONFIG)
    assert json.loads((folder / "config.json").read_text()) == CONFIG


def test_same_run_needs_resume(tmp_path):
    open_run_folder(tmp_path / "run", CONFIG)
    with pytest.raises(FileExistsError, match="--resume"):
        open_run_folder(tmp_path / "run", CONFIG)
    assert open_run_folder(tmp_path / "run", CONFIG, resume=True) == tmp_path / "run"


def test_another_configuration_is_refused_and_named(tmp_path):
    open_run_folder(tmp_path / "run", CONFIG)
    with pytest.raises(FileExistsError, match=r"seed: 0 there, 1 now\)"):
        open_run_folder(tmp_path / "run", {**CONFIG, "seed": 1}, resume=True)
    assert json.loads((tmp_path / "run" / "config.json").read_text()) == CONFIG


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="not a run folder"):
        open_run_folder(tmp_path, CONFIG)
    with pytest.raises(FileExistsError, match="not a run folder"):
        open_run_folder(tmp_path / "thesis.txt", CONFIG)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_failed_write_leaves_the_old_file(tmp_path):
    write_json(tmp_path / "metrics.json", {"a": 1})
    with pytest.raises(TypeError):
        write_json(tmp_path / "metrics.json", {"a": object()})
    assert json.loads((tmp_path / "metrics.json").read_text()) == {"a": 1}


@settings(max_examples=30, deadline=None)
@given(values=st.lists(st.floats(allow_nan=False, width=64), max_size=8))
def test_history_round_trip(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("history") / "metrics.csv"
    rows = [{"epoch": i, "loss": value} for i, value in enumerate(values)]
    write_csv(path, rows)
    assert read_history(path) == rows


def test_no_history_yet(tmp_path):
    assert read_history(tmp_path / "metrics.csv") == []


def test_arrays_round_trip(tmp_path):
    save_arrays(tmp_path / "test.npz", {"signal": np.eye(3, dtype="float32")})
    assert [path.name for path in tmp_path.iterdir()] == ["test.npz"]
    with np.load(tmp_path / "test.npz", allow_pickle=False) as data:
        np.testing.assert_array_equal(data["signal"], np.eye(3))


HOLD = """
import sys
from keras_usmae.training.folder_lock import lock_folder
lock_folder(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_a_folder_is_one_processs_until_that_ends_however_it_ends(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    write_json(folder / "config.json", CONFIG)
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        for function in (check_run_folder, open_run_folder):
            with pytest.raises(FileExistsError, match="Another process is at work"):
                function(folder, CONFIG, resume=True)
        other.kill()
        other.wait()
    assert open_run_folder(folder, CONFIG, resume=True) == folder
    assert open_run_folder(folder, CONFIG, resume=True) == folder, "it is this process's own"


def test_writers_of_one_file_do_not_meet_and_follow_no_link(tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    (tmp_path / "partial.metrics.json").symlink_to(tmp_path / "precious.txt")
    (tmp_path / "metrics.json").symlink_to(tmp_path / "precious.txt")
    with atomic_write(tmp_path / "metrics.json") as first, atomic_write(tmp_path / "metrics.json") as second:
        assert first != second
        first.write_text("1")
        second.write_text("2")
    assert (tmp_path / "metrics.json").read_text() == "1", "the one that ended last"
    assert not (tmp_path / "metrics.json").is_symlink()
    assert (tmp_path / "precious.txt").read_text() == "mine"
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.json", "precious.txt"]


@pytest.mark.parametrize("kind", ["a file", "a link to nowhere", "read-only"])
def test_a_folder_that_cannot_be_written_is_told_before_work_begins(tmp_path, kind):
    target = tmp_path / "a" / "run"
    if kind == "a file":
        (tmp_path / "a").write_text("")
    elif kind == "a link to nowhere":
        (tmp_path / "a").symlink_to(tmp_path / "nowhere")
    elif os.path.isdir("/proc/self"):
        target = "/proc/self/run"  # not even root writes there
    else:
        pytest.skip("no folder here that nobody can write to")
    with pytest.raises(OSError, match=r"Nothing can be written to .*run: .* Choose another --output"):
        check_run_folder(target, CONFIG)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "config.json is not JSON"),
        (b"[" * 100_000, "config.json is not JSON"),
        (b"[1]", "must hold a JSON object, but holds a list"),
        (b"\xff\xfe", "config.json is not text"),
        (b" " * (2**24 + 1), "config.json has 17 MB"),
    ],
    ids=["half", "deep", "list", "bytes", "huge"],
)
def test_an_edited_configuration_is_told_with_its_file(tmp_path, content, message):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        check_run_folder(tmp_path, CONFIG, resume=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("epoch,loss\n0,abc\n", "line 2, column 'loss': 'abc' is no number"),
        ("epoch,loss\n0\n", "line 2, column 'loss': None is no number"),
        ("epoch,loss\n0,1,2\n", "line 2, column None"),
        ("loss\n1\n", "column 'epoch': None is no number of an epoch"),
        ("epoch,loss\n0.5,1\n", "column 'epoch': 0.5"),
        ("epoch,loss\nnan,1\n", "column 'epoch': nan"),
    ],
)
def test_an_edited_log_is_told_with_line_and_column(tmp_path, content, message):
    (tmp_path / "metrics.csv").write_text(content)
    with pytest.raises(ValueError, match=message):
        read_history(tmp_path / "metrics.csv")
