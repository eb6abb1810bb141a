"""Cells of MATLAB files, as full matrices of arrays come in."""

import io
import struct

import h5py
import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_usmae.signals.readers import read_recordings
from keras_usmae.signals.readers.matlab_v5 import read_arrays, read_headers

RATE = 50_000_000
SIDECAR = f'sampling_rate = {RATE}\naxis = 0\nsignals = "data{{*}}"\n'
# A matrix for each of 12 transmitters, more than 9 so that the order is that of numbers: samples by receivers.
CELLS = np.random.default_rng(0).integers(-900, 900, (12, 64, 3)).astype(np.int16).cumsum(axis=1, dtype=np.int16) // 16


def cell_array(items, shape=None):
    cells = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):
        cells[index] = item
    return cells.reshape(shape or (-1, 1), order="F")


def read(path, sidecar=SIDECAR):
    path.with_suffix(".toml").write_text(sidecar)
    (recording,) = read_recordings(path)
    return recording


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("shape", [(12, 1), (3, 4)])
def test_cells_of_v5(tmp_path, compressed, shape):
    path = tmp_path / "scan.mat"
    variables = {"setup": {"gain": 3.0, "taps": np.ones(5)}, "data": cell_array(CELLS, shape), "fs": 50.0}
    scipy.io.savemat(path, variables, do_compression=compressed)
    recording = read(path)
    np.testing.assert_array_equal(recording.signals, CELLS.transpose(0, 2, 1).reshape(36, 64))
    assert recording.names[3] == "data{2}[0]"


def test_cells_of_v73(tmp_path):
    path = tmp_path / "scan.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        for index, cell in enumerate(CELLS):
            file[f"#refs#/{'abcdefghijkl'[index]}"] = cell.T
        references = [file[f"#refs#/{letter}"].ref for letter in "abcdefghijkl"]
        file.create_dataset("data", (4, 3), dtype=h5py.ref_dtype)[...] = np.reshape(references, (4, 3))
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + b"\x00\x02IM")
    np.testing.assert_array_equal(read(path).signals, CELLS.transpose(0, 2, 1).reshape(36, 64))


def test_cells_of_unlike_members(tmp_path):
    path = tmp_path / "scan.mat"
    members = ["text", CELLS[0], {"gain": 1.0}, cell_array([CELLS[1]]), np.zeros((0, 0)), CELLS[2] > 0, CELLS[3]]
    scipy.io.savemat(path, {"data": cell_array(members)})
    names = {"data{2}", "data{3}/gain", "data{4}{1}", "data{5}", "data{6}", "data{7}"}
    assert set(read_headers(path, 10**6)) == names
    with pytest.raises(ValueError, match=r"'data\{5\}'.* is empty: its shape is \(0, 0\)"):
        read(path)
    np.testing.assert_array_equal(read(path, SIDECAR.replace("*", "7")).signals, CELLS[3].T)


def test_complex_variables_are_told_by_their_headers(tmp_path):
    path = tmp_path / "scan.mat"
    scipy.io.savemat(path, {"data": cell_array([CELLS[0] * (1 + 1j)])})
    with pytest.raises(ValueError, match=r"'data\{1\}'.* is complex"):
        read(path)


def test_a_cell_counts_with_the_limit(tmp_path):
    path = tmp_path / "scan.mat"
    scipy.io.savemat(path, {"data": cell_array(CELLS)}, do_compression=True)
    with pytest.raises(ValueError, match="max_bytes"):
        read(path, SIDECAR + "max_bytes = 5000\n")


@pytest.mark.parametrize("compressed", [False, True])
def test_arrays_are_those_of_scipy(tmp_path, compressed):
    path = tmp_path / "scan.mat"
    shapes = [(3, 4, 2), (1, 3), (1, 1), (700, 500)]
    variables = {
        f"a_{name}_{index}": (np.arange(np.prod(shape)) % 100).astype(name).reshape(shape)
        for name in ("i1", "u2", "i4", "u8", "f4", "f8")
        for index, shape in enumerate(shapes)
    }
    scipy.io.savemat(path, variables, do_compression=compressed)
    arrays = read_arrays(path, list(variables), 10**8)
    assert set(arrays) == set(variables)
    for name, array in scipy.io.loadmat(path, variable_names=list(variables)).items():
        if not name.startswith("__"):
            np.testing.assert_array_equal(arrays[name], array)
            assert arrays[name].dtype == array.dtype == read_headers(path, 10**8)[name].dtype


def _file():
    file = io.BytesIO()
    scipy.io.savemat(file, {"data": cell_array(CELLS[:2, :4]), "fs": 50.0})
    return file.getvalue()


@settings(max_examples=300, deadline=None)
@given(st.integers(128, len(_file()) - 4), st.one_of(st.integers(0, 2**32 - 1), st.integers(0, 300)))
def test_wrong_words_are_told(tmp_path_factory, position, word):
    """Any four bytes of a file replaced: it reads, or is refused by name. SciPy's reader crashes on some of them."""
    path = tmp_path_factory.getbasetemp() / "words.mat"
    content = bytearray(_file())
    content[position : position + 4] = struct.pack("<I", word)
    path.write_bytes(content)
    try:
        told = str(path) if read(path).signals.ndim == 2 else "not traces"
    except ValueError as error:
        told = str(error)
    assert str(path) in told


@pytest.mark.measured
@pytest.mark.parametrize(
    ("name", "folder", "shape", "start_time"),
    [
        ("plane_scan", "synaptus_immersion_scans", (4440, 564), 81e-6),
        ("copper_block", "synaptus_immersion_scans", (301, 5700), 55e-6),
        ("copper_array", "synaptus_array_fmc", (1024, 1250), 28e-6),
        ("steel_pins", "synaptus_array_fmc", (1024, 1750), 40e-6),
    ],
)
def test_sources_of_the_measured_set(measured_dir, repository, name, folder, shape, start_time):
    sidecar = repository / "datasets" / "ultrasound_measured" / "sidecars" / f"{name}.toml"
    (recording,) = read_recordings(measured_dir / folder, sidecar)
    assert recording.signals.shape == shape
    assert recording.start_time == start_time
