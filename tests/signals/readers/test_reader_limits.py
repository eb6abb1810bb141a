"""Every kind of file, large and hostile, under a limit of the system on the process: read or refused, never killed.

The limit on the address space lies twice `max_bytes` and `ROOM` above what the process has once all is imported, so
that more memory is a MemoryError, which no reader may raise. `test_reader_bounds.py` measures the memory that is used.
"""

import json
import math
import os
import re
import struct
import subprocess
import sys
import zlib
from types import SimpleNamespace

import h5py
import nptdms
import numpy as np
import pytest
import scipy.io

from tests.conftest import REPOSITORY

# Reads its files one after the other, each in a fork that starts from the same memory, and prints a line of JSON each.
CHILD = """
import json, os, resource, sys, time, warnings
import h5py, nptdms, numpy, scipy.io.wavfile, scipy.signal
from keras_usmae.signals.readers import read_recordings
room = int(sys.argv[1])
for job in json.loads(sys.argv[2]):
    if os.fork():
        _, status = os.wait()
        if status:
            print(json.dumps(["died", f"status {status}", 0.0]), flush=True)
        continue
    size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    limit = size + 2 * job["max_bytes"] + room
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        (recording,) = read_recordings(job.pop("path"), **job)
        answer = ["read", str(recording.signals.shape)]
    except ValueError as error:
        answer = ["refused", str(error)[:600]]
    except BaseException as error:
        answer = ["raised", repr(error)[:600]]
    spent = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps([*answer, spent.ru_utime + spent.ru_stime]), flush=True)
    os._exit(0)
"""
ROOM = 32 * 2**20  # code and stacks of parsers, a chunk, a block of a table
SECONDS = 10.0  # of the processor, for 10 MB
LARGE = np.random.default_rng(0).integers(-900, 900, (640, 4096)).astype("<i4")  # 10 MB
RATE = {"sampling_rate": 10e6}
REFUSED = "read|refused.*hostile"


def answers(jobs):
    """What became of each file, and seconds of the processor."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", CHILD, str(ROOM), json.dumps(jobs)]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, check=True)
    return [json.loads(line) for line in result.stdout.splitlines()]


def _matlab_73(path, **arrays):
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array, chunks=(64, 4096), compression="gzip", compression_opts=1)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + b"\x00\x02IM")


def _level4(path, shape, data=b""):
    path.write_bytes(struct.pack("<5i", 20, *shape, 0, 2) + b"t\0" + data)


def _hdf5(path, name="t", shape=None, **settings):
    with h5py.File(path, "w") as file:
        if shape is None:
            settings = {"chunks": (64, 4096), "compression": "gzip", "compression_opts": 1, **settings}
            dataset = file.create_dataset(name, data=LARGE.reshape(settings.pop("as_shape", LARGE.shape)), **settings)
        else:
            dataset = file.create_dataset(name, shape, "f8", **settings)
        dataset.parent.attrs.update({"TIME_STEP": 1e-7, "START_TIME": 0.0})


def _table(path, delimiter=",", array=LARGE[:, :2048], encoding="ascii", head="", end=""):
    with path.open("w", encoding=encoding) as file:
        file.write(head)
        np.savetxt(file, array, fmt="%d", delimiter=delimiter, newline=f"{end}\n")


def _tdms(path, count=5):
    with nptdms.TdmsWriter(path) as writer:
        channels = [nptdms.ChannelObject("g", f"c{i}", row, {"wf_increment": 1e-7}) for i, row in enumerate(LARGE)]
        for _ in range(count):
            writer.write_segment(channels)


def _setup_of(text, packed):
    def write(path):
        with h5py.File(path, "w") as file:
            file["t"] = LARGE[:8, :64]
            if packed:  # a text of fixed length, which unpacks to far more than the file holds
                file.create_dataset("Setup", data=np.bytes_(text))
            else:
                file["Setup"] = text

    return write


def _npy_of(shape, size=None):
    def write(path):
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
        path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
        # A hole: no disk is used.
        os.truncate(path, size or 10 + len(header) + 8 * math.prod(shape))

    return write


def _wav_of(size, channels=1):
    def write(path):
        fmt = struct.pack("<IHHIIHH", 16, 1, channels, 10**6, 0, 2 * channels, 16)
        path.write_bytes(b"RIFF\xff\xff\xff\xffWAVEfmt " + fmt + b"data" + struct.pack("<I", size))
        os.truncate(path, 44 + size)

    return write


def _references(path):
    with h5py.File(path, "w", userblock_size=512) as file:
        target = file.create_dataset("#refs#/b", data=np.zeros(64))
        cell = file.create_dataset("A", (1, 99_000), h5py.ref_dtype, chunks=(1, 9_000), compression="gzip")
        cell[...] = np.array([target.ref] * 99_000, h5py.ref_dtype)[None]
        cell.attrs["MATLAB_class"] = np.bytes_("cell")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + b"\x00\x02IM")


def _zip_of_many(path):
    np.savez(path, **{f"a{i}": np.zeros((16, 16)) for i in range(10_000)})


def _tdms_claims(path):
    _tdms(path, count=1)
    content = bytearray(path.read_bytes())
    content[20:28] = struct.pack("<Q", 2**40)  # offset of the next segment
    path.write_bytes(content)


def _mat_bomb(path):
    body = struct.pack("<IIIIII", 14, 2**31 - 8, 6, 8, 6, 0) + struct.pack("<IIii", 5, 8, 2**14, 2**14)
    body += struct.pack("<HHI", 1, 1, ord("t")) + struct.pack("<II", 9, 2**31 - 64)
    packed = zlib.compress(body + bytes(2**28))
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + struct.pack("<II", 15, len(packed)) + packed)


def _sparse_table(path):
    path.write_text("1,2\n" * 50)
    os.truncate(path, 2**31)


# By kind: how its large file is written, and keys that read it; more files that are hostile.
LARGE_FILES = {
    "npy": (lambda path: np.save(path, LARGE), {"axis": 1}),
    "npz": (lambda path: np.savez_compressed(path, t=LARGE), {"axis": 0}),
    "mat": (lambda path: scipy.io.savemat(path, {"t": LARGE}, do_compression=True), {"axis": 0}),
    "v73.mat": (lambda path: _matlab_73(path, t=LARGE), {"axis": 0}),
    "level4.mat": (lambda path: _level4(path, LARGE.shape, LARGE.tobytes(order="F")), {"axis": 1}),
    "h5": (_hdf5, {"axis": 0}),
    "nc": (lambda path: _hdf5(path, shuffle=True), {"axis": 1}),
    "nde": (_hdf5, {"axis": 1}),
    "mfmc": (lambda path: _hdf5(path, "SEQUENCE<1>/MFMC_DATA", as_shape=(1, 640, 4096), chunks=(1, 64, 4096)), {}),
    "wav": (lambda path: scipy.io.wavfile.write(path, 10**7, LARGE.T[:, :64].repeat(10, axis=0)), {}),
    "tdms": (_tdms, {"signals": "g/*"}),
    "csv": (_table, {"axis": 1}),
    "tsv": (lambda path: _table(path, "\t", LARGE.reshape(-1, 2)[: 10**6]), {"axis": 0}),
    "txt": (lambda path: _table(path, "  ", LARGE[:, :1000], "utf-16"), {"axis": 0}),
    "dat": (
        lambda path: _table(path, ";", LARGE[:, :1000], head="Depth;Gain\n1;2\n\n", end=";"),
        {"axis": 1, "header": 3},
    ),
    "lvm": (lambda path: _table(path, "\t", LARGE[:, :1000].T, head="Sample interval\t1e-7\n"), {"axis": 0}),
}
HOSTILE_FILES = {
    "npy": [_npy_of((2**20, 2**10)), _npy_of((2**40,), size=256), _npy_of((1,) * 400)],
    "npz": [lambda path: np.savez_compressed(path, t=np.zeros((64, 2**19))), _zip_of_many],
    "mat": [_mat_bomb, lambda path: scipy.io.savemat(path, {"t": np.zeros((64, 2**19))}, do_compression=True)],
    "v73.mat": [_references, lambda path: _matlab_73(path, t=np.zeros((64, 2**19), "f4"))],
    "level4.mat": [lambda path: (_level4(path, (2**20, 2**10)), os.truncate(path, 2**33 + 22))],
    "h5": [
        lambda path: _hdf5(path, shape=(2**30, 2**30), chunks=(64, 64), compression="gzip"),
        lambda path: _hdf5(path, shape=(64, 2**22), fillvalue=1.0, chunks=(64, 64), shuffle=True),
    ],
    "nc": [lambda path: _hdf5(path, shape=(4, 4), maxshape=(None,) * 2, chunks=(60_000, 4096), compression="gzip")],
    "nde": [_setup_of("[" * 10**6, False), _setup_of(b" " * 30_000_000 + b"{}", True)],
    "mfmc": [lambda path: _hdf5(path, "SEQUENCE<1>/MFMC_DATA", shape=(2**10, 2**10, 2**20), chunks=(1, 64, 64))],
    "wav": [_wav_of(2**31), _wav_of(60_000 * 2000, channels=30_000)],
    "tdms": [_tdms_claims],
    "csv": [_sparse_table, lambda path: path.write_text("1," * 4_000_000)],
    "tsv": [lambda path: path.write_text("1\t2\n" + "\t" * 8_000_000 + "\n3\t4\n")],
    "txt": [
        lambda path: path.write_text("1 2\n" + " " * 8_000_000 + "3 4\n"),
        lambda path: path.write_text('"' * 8_000_000),
    ],
    "dat": [lambda path: path.write_bytes(b"1;2\n" * 100 + b"\x81\xff" * 4_000_000)],
    "lvm": [lambda path: path.write_text("X0\t1\n" * 1_000_000 + "1\t2\n")],
}


@pytest.mark.parametrize("kind", LARGE_FILES)
def test_no_file_of_a_kind_is_worth_more_memory_or_time_than_allowed(tmp_path, kind):
    write, keys = LARGE_FILES[kind]
    suffix = kind.rpartition(".")[2]
    large = tmp_path / f"large.{suffix}"
    write(large)
    is_text = kind in ("csv", "tsv", "txt", "dat", "lvm")
    enough = 4 * large.stat().st_size if is_text else LARGE.nbytes * (5 if kind == "tdms" else 1)
    jobs = [SimpleNamespace(path=large, max_bytes=enough, keys=keys, wanted="read", megabytes=enough / 1e7)]
    jobs.append(SimpleNamespace(path=large, max_bytes=enough // 8, keys=keys, wanted="refused.*max_bytes", megabytes=1))
    for number, spoil in enumerate(HOSTILE_FILES[kind]):
        path = tmp_path / f"hostile{number}.{suffix}"
        spoil(path)
        size = path.stat().st_size
        # Of a text, so much that its size alone does not have it refused.
        allowed = 4 * size if is_text and size < 2**28 else 10**7
        jobs.append(
            SimpleNamespace(path=path, max_bytes=allowed, keys=keys, wanted="read|refused.*hostile", megabytes=1)
        )
    rate = {} if kind in ("wav", "tdms", "mfmc", "lvm") else RATE
    told = answers([{"path": str(job.path), "max_bytes": job.max_bytes, **rate, **job.keys} for job in jobs])
    assert len(told) == len(jobs)
    for job, (verdict, message, seconds) in zip(jobs, told, strict=True):
        assert re.search(f"(?s)^({job.wanted})", f"{verdict} {message}"), (job.path.name, verdict, message)
        assert "memory than the system" not in message, (job.path.name, message)
        assert seconds < SECONDS * max(job.megabytes, 1), (job.path.name, verdict, message, seconds)
