import csv

import numpy as np
import pytest

from recipes.experiments import boards, sources
from recipes.experiments.sweep import Sweep

NANO = ("nano", "ultrasound_measured/paper", "ultrasound_synthetic/quickstart", None, 1000, 64, 2)


def test_every_source_is_left_out_of_every_training(tmp_path):
    trials = sources.trials(Sweep(*NANO))
    trained = [(trial.method, trial.held_out, trial.seed) for trial in trials if trial.picker is None]
    methods = {method for method, _, _ in trained}
    assert sorted(trained) == sorted((m, s, seed) for m in methods for s in sources.SOURCES for seed in (0, 1))
    (tmp_path / "openhw_pic0rick_un0rick").mkdir()
    more = {trial.held_out for trial in sources.trials(Sweep(*NANO, raw_dir=tmp_path))}
    assert more == {*sources.SOURCES, "pic0rick", "un0rick"}


@pytest.mark.measured
@pytest.mark.parametrize("board", boards.BOARDS)
def test_the_front_echo_of_a_board_begins_at_its_label(measured_dir, board):
    """Ahead of the onset there is noise; within the next microsecond the strongest part of the window."""
    windows = boards.board_windows(board, boards.find_boards(measured_dir))
    onset = windows["onset"].round().astype(int)
    assert windows["signal"].shape == (len(onset), 2048)
    assert (onset >= 0).all()
    assert np.ptp(onset) > 1500
    inside = onset > 200
    loud = [np.abs(s[o : o + 100]).max() for s, o in zip(windows["signal"], onset, strict=True)]
    before = [np.abs(s[: o - 100]).max() for s, o in zip(windows["signal"][inside], onset[inside], strict=True)]
    assert np.median(np.array(loud)[inside] / before) > 10


@pytest.mark.measured
def test_a_picker_is_scored_on_what_is_left_out(recipe_here, measured_dir, tmp_path):
    options = ["sources", "--only", "envelope threshold picker", "--output", tmp_path, "--data-dir", measured_dir]
    code, printed = recipe_here("experiments.run", *options)
    assert code == 0, printed
    with open(tmp_path / "sources.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["method"] == "envelope threshold picker"]
    error = {row["held_out"]: float(row[sources.VALUE]) for row in rows}
    assert list(error) == [*sources.SOURCES, *boards.BOARDS]
    assert all(0.5 < value < 12 for value in error.values()), error
    table = (tmp_path / "sources.md").read_text()
    assert "| ceiling of the labels | " in table


@pytest.mark.slow
@pytest.mark.measured
def test_a_network_is_scored_on_what_it_has_no_label_of(recipe_here, measured_dir, small_preset, tmp_path):
    options = ["sources", "--preset", small_preset, "--only", "from scratch", "--seeds", 1, "--steps", 50]
    options += ["--output", tmp_path, "--data-dir", measured_dir]
    code, printed = recipe_here("experiments.run", *options)
    assert code == 0, printed
    with open(tmp_path / "sources.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["method"] == "from scratch"]
    assert [row["held_out"] for row in rows] == [*sources.SOURCES, *boards.BOARDS]
    assert all(float(row["test_mean_error_samples"]) > 0 for row in rows)
    assert rows[-1].get("validation_accuracy") == ""  # a board has no split to validate on
