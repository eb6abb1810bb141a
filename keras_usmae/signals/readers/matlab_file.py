"""Numeric variables of MATLAB files: v5 (up to v7) by SciPy, v7.3 as the HDF5 it is."""

import struct
import zlib

import numpy as np
import scipy.io

from keras_usmae.signals.readers import hdf5_file
from keras_usmae.signals.readers.guards import ArrayHeader

_COMPRESSED = 15
_HEADER_SIZE, _TAG_SIZE, _PIECE = 128, 8, 2**20
_DTYPES = {name: np.dtype(name) for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")}
_DTYPES |= {"double": np.dtype("float64"), "single": np.dtype("float32")}


def describe_matlab(path, max_bytes):
    """Headers of the numeric variables of a file, by name."""
    if _is_hdf5(path):
        return hdf5_file.describe_matlab_hdf5(path)
    _check_elements(path, max_bytes)
    variables = scipy.io.whosmat(path)
    return {name: ArrayHeader(shape, _DTYPES[kind]) for name, shape, kind in variables if kind in _DTYPES}


def load_matlab(path, name):
    """One numeric variable of a file. SciPy reads no other, and so meets neither functions nor objects."""
    if _is_hdf5(path):
        return hdf5_file.load_matlab_hdf5(path, name)
    return scipy.io.loadmat(path, variable_names=[name])[name]


def _is_hdf5(path):
    with path.open("rb") as file:
        header = file.read(_HEADER_SIZE)
    if header.startswith(b"MATLAB 7.3"):
        return True
    if len(header) < _HEADER_SIZE or header[124:128] not in (b"\x00\x01IM", b"\x01\x00MI"):
        raise ValueError("no header of MATLAB v5 to v7.3; older ones are read after `save -v7`")
    return False


def _check_elements(path, max_bytes):
    """Walks over the file's elements: all there, and none larger unpacked than is allowed.

    A variable's header is inside of the compressed element, so that it cannot vouch for the element's size.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(_HEADER_SIZE - 2)
        order = "<" if file.read(2) == b"IM" else ">"
        while file.tell() < size:
            tag = file.read(_TAG_SIZE)
            if len(tag) < _TAG_SIZE:
                raise ValueError("it ends within an element")
            kind, length = struct.unpack(f"{order}II", tag)
            start = file.tell()
            if start + length > size:
                raise ValueError(f"an element states {length:,} bytes, but {size - start:,} follow")
            if kind == _COMPRESSED:
                _check_unpacked(file, length, max_bytes)
            file.seek(start + length)


def _check_unpacked(file, length, max_bytes):
    unpacker, total, left = zlib.decompressobj(), 0, length
    # Variables have names and dimensions beside their data.
    allowed = max_bytes + 65536
    while left > 0 and not unpacker.eof:
        pending = file.read(min(left, _PIECE))
        left -= len(pending)
        while pending and not unpacker.eof:
            total += len(unpacker.decompress(pending, _PIECE))
            pending = unpacker.unconsumed_tail
            if total > allowed:
                raise ValueError(
                    f"an element unpacks to more than the allowed {max_bytes:,} bytes; raise the sidecar's 'max_bytes'"
                )
    if not unpacker.eof:
        raise ValueError("a compressed element ends early")
