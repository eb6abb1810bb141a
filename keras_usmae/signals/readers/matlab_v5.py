"""Numeric variables of a MATLAB v5 to v7 file, and numeric members of its cells.

Not by SciPy: its `loadmat` crashes the process on files with damaged tags; its `whosmat` gives up on files that hold
objects of MATLAB's classes, as acquisition software leaves them, and does not look into cells, in which full matrices
of arrays come. Objects, functions, structures and texts are passed over.

Reference:
    - [MAT-File Format](https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf), level 5.
"""

import math
import struct
import zlib

import numpy as np

from keras_usmae.signals.readers.guards import ArrayHeader

HEADER_SIZE = 128
_PIECE = 2**20
_MATRIX, _COMPRESSED = 14, 15
_CELL, _OPAQUE = 1, 17
# What a variable is, and what its numbers are stored as: the format numbers the two apart.
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_IS_LOGICAL, _IS_COMPLEX = 0x0200, 0x0800
_LONGEST = 4096  # bytes of a name or of the dimensions


def read_headers(path, max_bytes):
    """Headers of the numeric arrays of a file; none of their data is kept.

    Args:
        path: `pathlib.Path`.
        max_bytes: int. No element may unpack to more.

    Returns:
        dict from a name, or for a member of a cell `name{1}`, `name{2}`, ... as MATLAB counts, to an `ArrayHeader`.

    Raises:
        ValueError: for a file that is cut short, contradicts itself, or unpacks to more than is allowed.
    """
    return {name: header for name, header, _ in _walk(path, max_bytes, wanted=())}


def read_arrays(path, names, max_bytes):
    """Some of these arrays, by name, with the axes as MATLAB shows them.

    Args:
        path: `pathlib.Path`.
        names: collection of str, keys of `read_headers`.
        max_bytes: int. No element may unpack to more.

    Returns:
        dict from name to array.

    Raises:
        ValueError: as above.
    """
    return {name: array for name, _, array in _walk(path, max_bytes, set(names)) if array is not None}


def _walk(path, max_bytes, wanted):
    """Yields name, header and, where it is wanted, array of each numeric array."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(HEADER_SIZE - 2)
        order = "<" if file.read(2) == b"IM" else ">"
        while file.tell() < size:
            tag = file.read(8)
            if len(tag) < 8:
                raise ValueError("it ends within an element")
            kind, length = struct.unpack(f"{order}II", tag)
            start = file.tell()
            if start + length > size:
                raise ValueError(f"an element states {length:,} bytes, but {size - start:,} follow")
            if kind == _COMPRESSED:
                element = _Stream(_unpacked(file, length, max_bytes), order)
                kind, _ = element.tag()
            else:
                element = _Stream(_pieces(file, length), order)
            if kind == _MATRIX:
                yield from _arrays(element, wanted)
            element.drain()
            file.seek(start + length)


def _arrays(element, wanted):
    name, kind, shape, header = element.matrix_header()
    if header is not None:
        yield name, header, element.data(name, header) if name in wanted else None
    elif kind == _CELL:
        for index in range(1, math.prod(shape) + 1):
            tag, length = element.tag()
            if tag != _MATRIX:
                raise ValueError(f"a cell of {name!r} holds an element of type {tag}")
            if not length:
                continue
            end, member = element.position + length, f"{name}{{{index}}}"
            _, _, _, header = element.matrix_header()
            if header is not None:
                yield member, header, element.data(member, header) if member in wanted else None
            element.skip(end - element.position)


class _Stream:
    """Bytes that come in pieces, and what MATLAB makes a matrix of."""

    def __init__(self, pieces, order):
        self.pieces, self.order = pieces, order
        self.rest, self.position = b"", 0

    def read(self, length):
        parts, missing = [], length
        while missing:
            self.rest = self.rest or next(self.pieces, b"")
            if not self.rest:
                raise ValueError("an element ends early")
            parts.append(self.rest[:missing])
            self.rest = self.rest[missing:]
            missing -= len(parts[-1])
        self.position += length
        return b"".join(parts)

    def skip(self, length):
        if length < 0:
            raise ValueError("an array is longer than the cell that holds it")
        while length:
            length -= len(self.read(min(length, _PIECE)))

    def drain(self):
        for _ in self.pieces:
            pass

    def tag(self):
        return struct.unpack(f"{self.order}II", self.read(8))

    def part(self, longest):
        """Type and data of a part: eight bytes of tag and the data, padded to as many, or four of each."""
        kind, length = self.tag()
        if kind >> 16:
            return kind & 0xFFFF, struct.pack(f"{self.order}I", length)[: kind >> 16]
        if length > longest:
            raise ValueError(f"a part of {length:,} bytes, where {longest:,} are the most")
        return kind, self.read(-(-length // 8) * 8)[:length]

    def matrix_header(self):
        """Name, class, shape and, where it is numeric, `ArrayHeader` of a matrix."""
        _, flags = self.part(longest=8)
        if len(flags) != 8:
            raise ValueError(f"the flags of a matrix have {len(flags)} bytes")
        flags = struct.unpack(f"{self.order}I", flags[:4])[0]
        kind = flags & 0xFF
        if kind == _OPAQUE:
            return "", kind, (), None
        _, shape = self.part(_LONGEST)
        shape = tuple(np.frombuffer(shape, f"{self.order}i4").tolist())
        if min(shape, default=0) < 0:
            raise ValueError(f"a matrix states the shape {shape}")
        _, name = self.part(_LONGEST)
        if kind not in _CLASSES or flags & _IS_LOGICAL:
            return name.decode("ascii"), kind, shape, None
        dtype = np.dtype("complex128" if flags & _IS_COMPLEX else _CLASSES[kind])
        return name.decode("ascii"), kind, shape, ArrayHeader(shape, dtype)

    def data(self, name, header):
        """The numbers of a real matrix, which may be stored as a smaller type than its class."""
        count = math.prod(header.shape)
        kind, data = self.part(longest=8 * count)
        if kind not in _TYPES or len(data) != count * np.dtype(_TYPES[kind]).itemsize:
            raise ValueError(f"{name!r} has {len(data):,} bytes of type {kind} for the shape {header.shape}")
        stored = np.frombuffer(data, np.dtype(_TYPES[kind]).newbyteorder(self.order))
        return stored.astype(header.dtype).reshape(header.shape, order="F")


def _pieces(file, length):
    while length > 0:
        piece = file.read(min(length, _PIECE))
        if not piece:
            return
        length -= len(piece)
        yield piece


def _unpacked(file, length, max_bytes):
    unpacker, total = zlib.decompressobj(), 0
    for pending in _pieces(file, length):
        while pending and not unpacker.eof:
            piece = unpacker.decompress(pending, _PIECE)
            total += len(piece)
            # Variables have names and dimensions beside their data.
            if total > max_bytes + 65536:
                raise ValueError(
                    f"an element unpacks to more than the allowed {max_bytes:,} bytes; raise the sidecar's 'max_bytes'"
                )
            yield piece
            pending = unpacker.unconsumed_tail
        if unpacker.eof:
            break
    if not unpacker.eof:
        raise ValueError("a compressed element ends early")
