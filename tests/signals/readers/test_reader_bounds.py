"""Whatever the file, a reader takes at most twice `max_bytes` and ten seconds for ten megabytes."""

import os
import re
import resource
import struct
import subprocess
import sys
import time
import zlib

import h5py
import numpy as np
import pytest
import scipy.io

from keras_usmae.signals.readers import read_recordings
from tests.conftest import REPOSITORY

LARGE = np.random.default_rng(0).normal(size=(1250, 1000))  # 10 MB
# Memory of a process that begins anew with each program, where `ru_maxrss` is handed down by its parent.
CHILD = """
import sys
from pathlib import Path
import h5py, numpy, scipy.io
from keras_usmae.signals.readers import read_recordings
def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
before = peak()
try:
    (recording,) = read_recordings(sys.argv[1], sampling_rate=1e7, max_bytes=int(sys.argv[2]), axis=int(sys.argv[3]))
    print("read", recording.signals.shape)
except ValueError as error:
    print("refused", str(error)[:500])
print(peak() - before)
"""
# What a process takes beside the data: code of a parser that is loaded, a chunk, a block of a table.
ROOM = 24 * 2**20


def measure(path, max_bytes, axis=1):
    """What became of a file in a process of its own, and bytes and seconds of the processor that it took."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", CHILD, str(path), str(max_bytes), str(axis)]
    before = _spent_by_children()
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, check=True)
    told, _, taken = result.stdout.strip().rpartition("\n")
    return told, int(taken), _spent_by_children() - before


def _spent_by_children():
    """Seconds of the processor. Those of the clock say how busy the machine is."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _groups_linked_twice(path):
    with h5py.File(path, "w") as file:
        group = file.create_group("level")
        for level in range(30):
            outer = file.create_group(f"level{level}")
            outer["a"] = outer["b"] = group
            del file["level" if level == 0 else f"level{level - 1}"]
            group = outer


def _chunk_around_few_samples(path):
    with h5py.File(path, "w") as file:
        shape, chunks = (4, 4, 4), (60_000, 64, 64)
        file.create_dataset("t", shape, "f8", maxshape=(None,) * 3, chunks=chunks, compression="gzip")


def _bomb_in_a_chunk(path):
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("t", (1, 64), "f8", chunks=(1, 64), compression="gzip")
        dataset.id.write_direct_chunk((0, 0), zlib.compress(bytes(2**29)))


def _bomb_in_matlab(path):
    scipy.io.savemat(path, {"t": np.zeros((64, 2**20))}, do_compression=True)


def _bomb_in_npz(path):
    np.savez_compressed(path, t=np.zeros((64, 2**20)))


def _wide_line(path):
    path.write_text("1," * 4_000_000)


def _empty_cells(path):
    def element(kind, body):
        return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)

    count = 2**20
    cells = element(6, struct.pack("<II", 1, 0)) + element(5, struct.pack("<ii", count, 1)) + element(1, b"data")
    packed = zlib.compress(element(14, cells + struct.pack("<II", 14, 0) * count))
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + struct.pack("<II", 15, len(packed)) + packed)


@pytest.mark.parametrize(
    ("name", "write", "max_bytes", "message"),
    [
        ("scan.h5", _groups_linked_twice, 10**6, "no arrays"),
        ("scan.h5", _chunk_around_few_samples, 1000, "far larger chunks.*h5repack"),
        ("scan.h5", _bomb_in_a_chunk, 10**6, "unpacks to more"),
        ("scan.mat", _bomb_in_matlab, 10**6, "'max_bytes'"),
        ("scan.npz", _bomb_in_npz, 10**6, "'max_bytes'"),
        ("scan.csv", _wide_line, 34 * 10**6, "4,000,001 cells in a line.*'max_bytes'"),
        ("scan.mat", _empty_cells, 10**6, "more than 100,000 members"),
    ],
)
def test_hostile_files_are_refused_in_bounded_memory_and_time(tmp_path, name, write, max_bytes, message):
    write(tmp_path / name)
    told, taken, seconds = measure(tmp_path / name, max_bytes)
    assert re.search(f"refused .*{message}", told), told
    assert taken <= 2 * max_bytes + ROOM
    assert seconds < 15  # of which some are the start of a process


def _write_hdf5(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("t", data=LARGE, chunks=(10, 1000), compression="gzip", shuffle=True)


def _write_columns(path):
    np.savetxt(path, LARGE.reshape(-1, 2), delimiter=",", fmt="%.5f")


@pytest.mark.parametrize(
    ("name", "write", "axis"),
    [
        ("scan.npy", lambda path: np.save(path, LARGE), 1),
        ("scan.npy", lambda path: np.save(path, LARGE), 0),
        ("scan.npz", lambda path: np.savez_compressed(path, t=LARGE), 0),
        ("scan.mat", lambda path: scipy.io.savemat(path, {"t": LARGE}, do_compression=True), 0),
        ("scan.mat", lambda path: scipy.io.savemat(path, {"t": LARGE}), 1),
        ("scan.h5", _write_hdf5, 0),
        ("scan.csv", lambda path: np.savetxt(path, LARGE, delimiter=",", fmt="%.5f"), 1),
        ("scan.csv", _write_columns, 0),
    ],
)
def test_ten_megabytes_are_read_in_twice_the_limit(tmp_path, name, write, axis):
    write(tmp_path / name)
    max_bytes = 4 * (tmp_path / name).stat().st_size if name.endswith("csv") else LARGE.nbytes
    told, taken, seconds = measure(tmp_path / name, max_bytes, axis)
    assert told.startswith("read"), told
    assert taken <= 2 * max_bytes + ROOM, f"{taken:,}"
    assert seconds < 15


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".".join("a" * 100_000) + " = 1", "more than 16 parts"),
        ("[" + ".".join("a" * 100_000) + "]", "more than 16 parts"),
        ("sampling_rate = " + "9" * 400, "'sampling_rate' must be a positive number"),
        ("sampling_rate = " + "9" * 5000, "not valid TOML"),
        ("sampling_rate = 0x" + "9" * 5000, "'sampling_rate' must be"),
        ("x = " + "[" * 100_000, "not valid TOML"),
    ],
)
def test_sidecars_of_any_kind_are_answered_at_once(tmp_path, text, message):
    np.save(tmp_path / "scan.npy", LARGE[:4])
    (tmp_path / "scan.toml").write_text(text)
    started = time.monotonic()
    with pytest.raises(ValueError, match=rf"scan\.toml.*{message}") as caught:
        read_recordings(tmp_path / "scan.npy")
    assert time.monotonic() - started < 5
    assert len(str(caught.value)) < 1000
