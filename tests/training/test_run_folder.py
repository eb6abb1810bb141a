import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_usmae.training import open_run_folder, read_history, save_arrays, write_history, write_json

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
    write_history(path, rows)
    assert read_history(path) == rows


def test_no_history_yet(tmp_path):
    assert read_history(tmp_path / "metrics.csv") == []


def test_arrays_round_trip(tmp_path):
    save_arrays(tmp_path / "test.npz", {"signal": np.eye(3, dtype="float32")})
    assert [path.name for path in tmp_path.iterdir()] == ["test.npz"]
    with np.load(tmp_path / "test.npz", allow_pickle=False) as data:
        np.testing.assert_array_equal(data["signal"], np.eye(3))
