"""Arrays in .npy and .npz files: headers first, never pickles."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_usmae.signals.readers.guards import ArrayHeader

_HEADER_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def describe_npy(path: Path) -> dict[str, ArrayHeader]:
    """Header of the one array of a .npy file, under the name of the file."""
    with path.open("rb") as file:
        header, _ = _read_header(file)
        _check_room(header, path.stat().st_size - file.tell())
    return {path.stem: header}


def load_npy(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The array of a .npy file, by its only name."""
    with path.open("rb") as file:
        return {names[0]: _read_data(file, *_read_header(file))}


def describe_npz(path: Path) -> dict[str, ArrayHeader]:
    """Headers of the arrays of a .npz file, by name. Members that hold Python objects have dtype object."""
    headers = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if not member.filename.endswith(".npy"):
                continue
            name = member.filename.removesuffix(".npy")
            if name in headers:
                raise ValueError(f"two members are named {member.filename!r}")
            with archive.open(member) as file:
                header, _ = _read_header(file)
                _check_room(header, member.file_size - file.tell())
            headers[name] = header
    return headers


def load_npz(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Some arrays of a .npz file, by name. No more than an array's stated size is decompressed."""
    with zipfile.ZipFile(path) as archive:
        return {name: _read_member(archive, name) for name in names}


def _read_member(archive, name):
    with archive.open(f"{name}.npy") as file:
        data = _read_data(file, *_read_header(file))
        # Reading on to the end makes zipfile compare the checksum.
        if file.read(1):
            raise ValueError(f"{name!r} is longer than its header says")
        return data


def _read_header(file):
    version = np.lib.format.read_magic(file)
    if version not in _HEADER_READERS:
        raise ValueError(f"version {version} of the .npy format, which only arrays of records use")
    shape, fortran_order, dtype = _HEADER_READERS[version](file)
    if any(isinstance(size, bool) or size < 0 for size in shape):
        raise ValueError(f"its header states the shape {shape}")
    return ArrayHeader(shape, dtype), fortran_order


def _check_room(header, available):
    # A pickle's length is not stated; it is refused by its dtype.
    if not header.dtype.hasobject and header.num_bytes != available:
        raise ValueError(f"its header states {header.num_bytes:,} bytes of data, but {available:,} follow")


def _read_data(file, header, fortran_order):
    data = file.read(header.num_bytes)
    if len(data) != header.num_bytes:
        raise ValueError(f"its header states {header.num_bytes:,} bytes of data, but {len(data):,} follow")
    return np.frombuffer(data, header.dtype).reshape(header.shape, order="F" if fortran_order else "C")
