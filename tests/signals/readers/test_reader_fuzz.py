"""Every format against every kind of wrong file: it reads right, or a ValueError that names the file says why."""

import os
import struct
import tracemalloc

import h5py
import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_usmae.signals import SignalConfig, synthesize
from keras_usmae.signals.readers import read_recordings
from tests.reader_files import FORMATS, RATE, TRACES, read, write

# A reader that hangs on a file misses the deadline, in ms.
FUZZ = settings(max_examples=30, deadline=10_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
DTYPES = {
    "npy": ["u1", "i1", "<i2", ">i2", "<u4", ">i8", "<f2", "<f4", ">f4", ">f8"],
    "npz": ["u1", "i1", "<i2", ">i2", "<u4", ">i8", "<f2", "<f4", ">f4", ">f8"],
    "mat": ["u1", "i1", "<i2", "<u4", "<i8", "<f4", "<f8"],
    "v73.mat": ["u1", "<i2", "<i8", "<f4", "<f8"],
    "h5": ["u1", "i1", "<i2", ">i2", "<u4", ">i8", "<f2", "<f4", ">f4", ">f8"],
    "nde": ["u1", "<i2", ">i2", "<f4", ">f8"],
    "csv": ["i1", "<i2", "<f4", "<f8"],
    "wav": ["u1", "<i2", "<i4", "<f4", "<f8"],
}
ECHOES = np.rint(synthesize(SignalConfig.from_preset("paper"), num_signals=6, seed=1)["signal"] * 4000).astype("<i2")


@pytest.mark.parametrize("kind", FORMATS)
@FUZZ
@given(data=st.data())
def test_round_trip_of_any_shape_and_dtype(tmp_path, kind, data):
    dtype = np.dtype(data.draw(st.sampled_from(DTYPES[kind])))
    shape = data.draw(st.integers(1, 9)), data.draw(st.integers(16, 200))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    traces = np.clip(rng.integers(-100, 100, shape), 0 if dtype.kind == "u" else -100, 100).astype(dtype)
    traces[:, 0], traces[:, 1] = 1, 2  # none is constant
    # One column or row is an axis all the same; SciPy's writer of .wav flattens one channel.
    np.testing.assert_array_equal(read(write(tmp_path, kind, traces)).signals, traces.astype(np.float32))


@pytest.mark.parametrize("kind", FORMATS)
@FUZZ
@given(data=st.data())
def test_traces_with_nan_are_left_out_and_named(tmp_path, kind, data):
    traces = TRACES.copy()
    bad = data.draw(st.sets(st.integers(0, len(traces) - 1), max_size=len(traces) - 1))
    for row in bad:
        traces[row, data.draw(st.integers(0, 63))] = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    recording = read(write(tmp_path, kind, traces))
    assert recording.index.tolist() == sorted(set(range(len(traces))) - bad)
    np.testing.assert_array_equal(recording.signals, TRACES[recording.index])
    assert len(recording.rejected) == len(bad)
    assert all("1 of 64 samples are NaN or infinite" in reason for _, reason in recording.rejected)


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_but_nan(tmp_path, kind):
    with pytest.raises(ValueError, match="none of 5 traces can be used"):
        read(write(tmp_path, kind, np.full((5, 64), np.nan, np.float32)))


@pytest.mark.parametrize("kind", FORMATS)
@FUZZ
@given(data=st.data())
def test_transposed(tmp_path, kind, data):
    """The other axis gives the transpose, and 'samples' proves which one was meant."""
    shape = data.draw(st.integers(16, 24)), data.draw(st.integers(25, 40))
    traces = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    path = write(tmp_path, kind, traces)
    sidecar = path.with_suffix(".toml")
    stated = sidecar.read_text()
    other = stated.replace("axis = 1", "axis = ?").replace("axis = 0", "axis = 1").replace("axis = ?", "axis = 0")
    sidecar.write_text(other)
    if kind == "wav":
        with pytest.raises(ValueError, match=r"time runs along axis 0 in a \.wav file"):
            read(path)
        return
    np.testing.assert_array_equal(read(path).signals, traces.T)
    sidecar.write_text(other + f"samples = {shape[1]}\n")
    with pytest.raises(ValueError, match=rf"'samples' is {shape[1]}.*Is 'axis' right"):
        read(path)
    sidecar.write_text(stated + f"samples = {shape[1]}\n")
    assert read(path).signals.shape == shape


@pytest.mark.parametrize("kind", FORMATS)
@FUZZ
@given(data=st.data())
def test_bytes_of_any_kind_behind_a_true_beginning(tmp_path, kind, data):
    path = write(tmp_path, kind)
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, 600))] + data.draw(st.binary(max_size=600)))
    try:
        told = read(path).source
    except ValueError as error:
        told = str(error)
    assert "scan" in told


@pytest.mark.parametrize("kind", FORMATS)
def test_empty_files(tmp_path, kind):
    path = write(tmp_path, kind)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"scan.* is empty"):
        read(path)


@pytest.mark.parametrize("kind", FORMATS)
def test_files_without_samples(tmp_path, kind):
    path = write(tmp_path, kind)
    if kind == "csv":
        path.write_text("a,b,c\n")
    elif kind == "wav":
        path.write_bytes(_wav("<", np.empty((0, 2), "<i2")))
    elif kind.endswith("mat"):
        path = write(tmp_path, kind, np.empty((0, 64)))
    else:
        path = write(tmp_path, kind.replace("nde", "h5"), np.empty((0, 64)))
    with pytest.raises(ValueError, match=r"empty|no arrays|one line|no chunk|damaged"):
        read(path)


@pytest.mark.parametrize("kind", sorted(set(FORMATS) - {"csv", "wav"}))
def test_complex_arrays(tmp_path, kind):
    path = write(tmp_path, kind)
    traces = TRACES + 1j
    if kind == "v73.mat":  # MATLAB writes a compound of real and imag
        with h5py.File(path, "r+") as file:
            del file["traces"]
            file["traces"] = _compound(traces.T)
    else:
        path = write(tmp_path, kind, traces)
    with pytest.raises(ValueError, match=r"complex|dtype"):
        read(path)


def test_complex_numbers_in_text(tmp_path):
    path = write(tmp_path, "csv")
    for text in ("1+2j,3\n1,2\n3,4\n", "1,2\n1+2j,2\n3,4\n", "a,b\n1+2j,2\n3,4\n"):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"scan\.csv.*1\+2j"):
            read(path)


@pytest.mark.parametrize("kind", ["npy", "npz", "mat", "v73.mat", "h5", "nde", "wav"])
def test_integers_whose_byte_order_is_stated_wrongly(tmp_path, kind):
    """A trace of echoes reads right; with its bytes swapped under the same header, it is refused."""
    np.testing.assert_array_equal(read(write(tmp_path, kind, ECHOES)).signals, ECHOES)
    with pytest.raises(ValueError, match=r"bytes in the other order.*states the wrong one"):
        read(write(tmp_path, kind, ECHOES.byteswap()))


@pytest.mark.parametrize("kind", ["npy", "npz", "mat", "v73.mat", "h5", "nde", "wav"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_floats_whose_byte_order_is_stated_wrongly(tmp_path, kind, dtype):
    traces = (ECHOES / 4000).astype(dtype)
    with pytest.raises(ValueError, match=r"none of 6 traces can be used|NaN|wrong byte order"):
        read(write(tmp_path, kind, traces.byteswap()))


def test_big_endian_wav(tmp_path):
    path = write(tmp_path, "wav")
    path.write_bytes(_wav(">", ECHOES.T.astype(">i2")))
    np.testing.assert_array_equal(read(path).signals, ECHOES)


def test_big_endian_matlab(tmp_path):
    path = write(tmp_path, "mat")
    path.write_bytes(_big_endian_mat(ECHOES.astype(">f8"), ECHOES.shape))
    np.testing.assert_array_equal(read(path).signals, ECHOES)


def _enormous_mat(path):
    path.write_bytes(_big_endian_mat(np.zeros((4, 4), ">f8"), (2**20, 2**20)))


def _enormous_hdf5(path):
    with h5py.File(path, "r+") as file:
        name = "traces" if "traces" in file else "group/traces"
        del file[name]
        file.create_dataset(name, (2**20, 2**30), "f8", chunks=(64, 64), compression="gzip")


def _enormous_text(path):
    os.truncate(path, 2**36)  # a hole: no disk is used


@pytest.mark.parametrize(
    ("kind", "enlarge"),
    [("mat", _enormous_mat), ("v73.mat", _enormous_hdf5), ("nde", _enormous_hdf5), ("csv", _enormous_text)],
)
def test_enormous_headers_cost_no_memory(tmp_path, kind, enlarge):
    """As in `test_readers.py` for the other formats; measured as memory, too."""
    path = write(tmp_path, kind)
    enlarge(path)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"max_bytes|states|damaged"):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 2**25
    finally:
        tracemalloc.stop()


def test_a_bomb_is_not_unpacked(tmp_path):
    """64 MB of zeros in a file of 65 kB, where 1 MB is allowed."""
    path = write(tmp_path, "mat", extra="max_bytes = 1000000")
    scipy.io.savemat(path, {"traces": np.zeros((32, 2**18))}, do_compression=True)
    assert path.stat().st_size < 2**20
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="max_bytes"):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 2**25
    finally:
        tracemalloc.stop()


def test_folders_name_the_file_that_is_wrong(tmp_path):
    write(tmp_path, "npy")
    path = write(tmp_path, "wav").rename(tmp_path / "other.wav")
    (tmp_path / "other.toml").write_text("axis = 0")
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ValueError, match=r"other\.wav"):
        read_recordings(tmp_path)


def _compound(array):
    compound = np.empty(array.shape, [("real", "<f8"), ("imag", "<f8")])
    compound["real"], compound["imag"] = array.real, array.imag
    return compound


def _wav(order, frames):
    """A .wav file of 16 bits, little-endian (RIFF) or big-endian (RIFX)."""
    channels, data = frames.shape[1], frames.tobytes()
    fmt = struct.pack(f"{order}HHIIHH", 1, channels, RATE, RATE * channels * 2, channels * 2, 16)
    chunks = b"".join(
        name + struct.pack(f"{order}I", len(body)) + body for name, body in ((b"fmt ", fmt), (b"data", data))
    )
    return (b"RIFF" if order == "<" else b"RIFX") + struct.pack(f"{order}I", 4 + len(chunks)) + b"WAVE" + chunks


def _big_endian_mat(array, dims):
    """A MATLAB 5 file of one double array, not compressed, as a big-endian machine writes it."""
    element = lambda kind, body: struct.pack(">II", kind, len(body)) + body + bytes(-len(body) % 8)  # noqa: E731
    matrix = element(6, struct.pack(">II", 6, 0)) + element(5, struct.pack(">ii", *dims)) + element(1, b"traces")
    matrix += element(9, array.tobytes(order="F"))
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI" + element(14, matrix)


def test_chunks_of_another_rank_than_their_array_are_refused(tmp_path):
    """Found by the fuzzer: HDF5 itself would look for chunks without an end, and keep all of them."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("rf", data=np.zeros((1, 5, 64), "i2"), chunks=(1, 5, 64), scaleoffset=0)
    content = path.read_bytes()
    dimensions = content.index(struct.pack("<3Q", 1, 5, 64))
    rank = dimensions - 7  # of the dataspace: version, rank, flags, five bytes of nothing
    assert content[rank - 1 : rank + 1] == b"\x01\x03"
    path.write_bytes(content[:rank] + b"\x01" + content[rank + 1 :])
    with pytest.raises(ValueError, match=r"'/rf' of shape \(1,\) has chunks of another rank, \(1, 5, 64\)"):
        read_recordings(path, sampling_rate=1e7)
