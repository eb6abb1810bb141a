"""Places of traces, typed or from the shape of a file."""

import re

import numpy as np
import pytest

from keras_usmae.picker.scan import Scan, check_scan, parse_scan, parse_step, seems_transposed
from keras_usmae.picker.source import find_scan
from keras_usmae.signals.readers import read_recordings


def test_the_second_number_of_a_scan_runs_fastest():
    scan = parse_scan("3x4", step="1x0.5")
    assert {name: values.tolist() for name, values in scan.positions(np.array([0, 1, 4])).items()} == {
        "x_mm": [0, 0, 1],
        "y_mm": [0, 0.5, 0],
    }
    assert scan.labels == ("x / mm", "y / mm")
    assert scan.extent() == (-0.5, 2.5, -0.25, 1.75)


def test_a_map_has_nan_where_a_trace_has_no_value():
    grid = parse_scan("2x3").to_map([1, 5], [7.0, 8.0])
    np.testing.assert_array_equal(grid, [[np.nan, 7, np.nan], [np.nan, np.nan, 8]])


@pytest.mark.parametrize("text", ["41", "41by81", "0x81", "4x5x6", ""])
def test_a_scan_that_is_not_understood_is_named(text):
    with pytest.raises(ValueError, match=f"The scan '{text}' is not understood"):
        parse_scan(text)


@pytest.mark.parametrize("text", ["0", "-1", "1x2x3", "wide"])
def test_a_step_that_is_not_understood_is_named(text):
    with pytest.raises(ValueError, match=f"The step '{text}' is not understood"):
        parse_step(text, 2)


@pytest.mark.parametrize(("size", "options"), [("5x7", "5x6."), ("4x10", "3x10."), ("4x7", "5x6, 3x10, 2x15.")])
def test_a_scan_of_another_size_is_refused_with_sizes_that_fit(size, options):
    with pytest.raises(ValueError, match=re.escape(f"'scan.npy' has 30. Possible are {options}")):
        check_scan(parse_scan(size), 30, "scan.npy")


def test_a_scan_typed_the_wrong_way_round_is_noticed():
    wedge = np.arange(30.0)[:, None] + 0.1 * np.arange(20)
    assert seems_transposed(wedge.reshape(20, 30))
    assert not seems_transposed(wedge)
    assert not seems_transposed(np.full((3, 4), np.nan))


def test_an_array_of_three_axes_is_a_scan_of_two(tmp_path):
    np.save(tmp_path / "scan.npy", np.random.default_rng(0).standard_normal((100, 5, 6)))
    (recording,) = read_recordings(tmp_path / "scan.npy", sampling_rate=50e6, axis=0)
    assert find_scan(recording) == Scan((5, 6), ("x", "y"))


def test_an_array_of_two_axes_is_a_line(tmp_path):
    np.save(tmp_path / "scan.npy", np.random.default_rng(0).standard_normal((100, 5)))
    (recording,) = read_recordings(tmp_path / "scan.npy", sampling_rate=50e6, axis=0)
    assert not find_scan(recording).is_grid


def test_a_full_matrix_has_transmitters_and_receivers_counted_from_1(tmp_path):
    matrix = np.random.default_rng(0).standard_normal((4, 100, 4))
    np.savez(tmp_path / "matrix.npz", **{f"tx_{i}": part for i, part in enumerate(matrix)})
    (recording,) = read_recordings(tmp_path / "matrix.npz", sampling_rate=50e6, axis=0, signals="tx_*")
    scan = find_scan(recording)
    assert (scan.shape, scan.names) == ((4, 4), ("tx", "rx"))
    assert scan.positions(np.array([5])) == {"tx": [2], "rx": [2]}
