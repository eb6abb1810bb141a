import csv

import numpy as np
import pytest

import keras_usmae as ku
from recipes.experiments import laboratories


@pytest.mark.parametrize("kind", laboratories.PULSES)
def test_a_pulse_rises_through_a_tenth_of_its_peak_where_it_says(kind):
    shape, onset = laboratories.pulse(kind, 0.05, 3.0, phase=0.4)
    long = np.concatenate([np.zeros(400), shape, np.zeros(400)])[None].astype("float32")
    onsets = ku.pick_threshold(long, 100e6, level=0.2)  # crosses half of its level, which is a tenth
    assert onsets[0] == pytest.approx(400 + onset, abs=25)  # the picker filters, and a slow rise is smeared


def test_the_first_echo_begins_at_the_onset():
    for seed in range(3):
        signals, onset, facts = laboratories.draw(seed)
        again, _, _ = laboratories.draw(seed)
        np.testing.assert_array_equal(signals, again)
        assert signals.shape == (laboratories.NUM_TRACES, facts["samples"])
        power = np.square(signals - np.median(signals))
        row = int(np.argmax(onset))
        ahead, behind = int(onset[row]) - 4, int(onset[row]) + int(2 / facts["cycles_per_sample"])
        assert power[row, ahead:behind].max() > 3 * power[row, : max(ahead, 4)].mean()


def test_the_table_has_every_picker(tmp_path, capsys):
    laboratories.main(laboratories=2, seed=5, output=tmp_path)
    with open(tmp_path / "laboratories.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["seed"] for row in rows] == ["5", "6"]
    text = (tmp_path / "laboratories.md").read_text()
    for name in ("`nano`", "`nano_mcu`", "`tiny`", "`tiny_patch64`", "AIC picker", "envelope threshold picker"):
        assert f"| {name} |" in text
        assert all(0 <= float(row[f"{name} far"]) <= 1 for row in rows)
