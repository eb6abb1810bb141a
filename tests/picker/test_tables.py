"""The table of picks on the disk."""

import csv

import numpy as np

from keras_usmae.picker.tables import PickTable

KINDS = {"_hidden": "int64", "file": str, "trace": "int64", "tof_us": "float64", "snr_db": "float64", "flag": str}


def write(folder, blocks=2, rows=3):
    with PickTable(folder, KINDS) as table:
        for block in range(blocks):
            table.append(
                {
                    "_hidden": np.full(rows, block),
                    "file": [f"scan_{block}.npy"] * rows,
                    "trace": np.arange(rows),
                    "tof_us": [31.23456789, np.nan, 2.0][:rows],
                    "snr_db": [30.04, np.inf, np.nan][:rows],
                    "flag": ["", "no echo, or none that is sure", ""][:rows],
                }
            )
        columns = {name: column.copy() for name, column in table.columns().items()}
        table.save_npz()
    return columns


def test_the_table_holds_rows_of_all_blocks_with_units_that_can_be_read(tmp_path):
    write(tmp_path)
    with (tmp_path / "picks.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", "trace", "tof_us", "snr_db", "flag"]
    assert rows[0] == {"file": "scan_0.npy", "trace": "0", "tof_us": "31.2346", "snr_db": "30.0", "flag": ""}
    assert rows[4]["tof_us"] == ""
    assert rows[4]["flag"] == "no echo, or none that is sure"
    assert len(rows) == 6


def test_the_arrays_hold_what_the_table_holds(tmp_path):
    write(tmp_path)
    arrays = np.load(tmp_path / "picks.npz")
    assert "_hidden" not in arrays
    np.testing.assert_array_equal(arrays["trace"], [0, 1, 2] * 2)
    np.testing.assert_array_equal(arrays["tof_us"], [31.23456789, np.nan, 2.0] * 2)
    assert arrays["file_texts"][arrays["file"]].tolist() == ["scan_0.npy"] * 3 + ["scan_1.npy"] * 3


def test_nothing_but_the_two_files_is_left(tmp_path):
    write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"picks.csv", "picks.npz"}


def test_the_columns_are_read_from_the_disk(tmp_path):
    assert write(tmp_path)["_hidden"].tolist() == [0, 0, 0, 1, 1, 1]


def test_a_table_without_rows_is_written_too(tmp_path):
    write(tmp_path, blocks=0)
    assert np.load(tmp_path / "picks.npz")["tof_us"].shape == (0,)
    assert len((tmp_path / "picks.csv").read_text().splitlines()) == 1
