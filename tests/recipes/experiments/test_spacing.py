import csv

import numpy as np
import pytest

import keras_usmae as ku
from recipes.experiments import spacing
from recipes.experiments.laboratories import draw


@pytest.fixture(scope="module")
def picker():
    return ku.EchoPicker.from_preset("nano")


def test_a_laboratory_without_a_later_echo_has_no_row(picker):
    seeds = [seed for seed in range(20) if draw(seed)[2]["later_echoes"] == 0]
    assert spacing.measure(picker, seeds[0]) is None


def test_to_lay_echoes_over_each_other_is_finer_and_its_intervals_hold(picker):
    rows = [row for seed in range(2000, 2006) if (row := spacing.measure(picker, seed))]
    assert len(rows) >= 3
    for row in rows:
        assert row["traces"] >= spacing.LEAST_TRACES
        if row["laid over (%)"] > 90:
            assert row["fit RMS"] < 0.5 * row["onsets RMS"]
    assert np.mean([row["fit in interval (%)"] for row in rows]) > 90


def test_the_page_is_that_of_the_table(tmp_path, capsys):
    spacing.main(laboratories=4, seed=2001, output=tmp_path)
    with open(tmp_path / "spacing.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    text = (tmp_path / "spacing.md").read_text()
    assert f"{len(rows)} laboratories" in text
    assert all(f"| {name} |" in text for name in spacing.WAYS.values())
    assert capsys.readouterr().out.strip() == text.strip()
