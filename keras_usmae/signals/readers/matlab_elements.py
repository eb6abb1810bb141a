"""Elements of a MATLAB v5 to v7 file as streams: unpacked piece by piece, and never further than is allowed."""

import math
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from keras_usmae.signals.readers.guards import RefusedError

_PIECE = 2**20
_MATRIX, _COMPRESSED = 14, 15
_OPAQUE = 17
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_IS_COMPLEX = 0x0800
_LONGEST, _LONGEST_NAMES = 4096, 2**18  # bytes of a name or of the dimensions, and of all names of a structure's fields


def elements(file: BinaryIO, size: int, order: str, max_bytes: int) -> "Iterator[Element]":
    """The matrices of a file, each with its tag read.

    Args:
        file: file opened in binary mode, behind its header.
        size: int. Bytes of the file.
        order: str. `"<"` or `">"`.
        max_bytes: int. No element may unpack to more.
    """
    while file.tell() < size:
        tag = file.read(8)
        if len(tag) < 8:
            raise ValueError("it ends within an element")
        kind, length = struct.unpack(f"{order}II", tag)
        start = file.tell()
        if start + length > size:
            raise ValueError(f"an element states {length:,} bytes, but {size - start:,} follow")
        if kind == _COMPRESSED:
            element = Element(_unpacked(file, length, max_bytes), order)
            kind, _ = element.tag()
        else:
            element = Element(_pieces(file, length), order)
        if kind == _MATRIX:
            yield element
        else:
            element.drain()
        file.seek(start + length)


class Element:
    """Bytes that come in pieces, and what MATLAB makes a matrix of.

    Args:
        pieces: iterator of bytes.
        order: str. `"<"` or `">"`.
    """

    def __init__(self, pieces: Iterator[bytes], order: str) -> None:
        self._pieces, self._order = pieces, order
        self._rest, self.position = memoryview(b""), 0

    def _take(self, length):
        """Yields views that are `length` bytes together."""
        self.position += length
        while length:
            if not self._rest:
                self._rest = memoryview(next(self._pieces, b""))
                if not self._rest:
                    raise ValueError("an element ends early")
            # A view, since a copy of the rest for each of a million tags would take hours.
            view, self._rest = self._rest[:length], self._rest[length:]
            length -= len(view)
            yield view

    def read(self, length: int) -> bytes:
        """The next bytes."""
        return b"".join(self._take(length))

    def skip(self, length: int) -> None:
        """Leaves out bytes."""
        if length < 0:
            raise ValueError("an array is longer than what holds it")
        for _ in self._take(length):
            pass

    def drain(self) -> None:
        """Reads to the end, so that what is packed is checked."""
        for _ in self._pieces:
            pass

    def tag(self) -> tuple[int, int]:
        """Type and length of the next element."""
        return struct.unpack(f"{self._order}II", self.read(8))

    def part(self, longest: int) -> tuple[int, bytes]:
        """Type and data of a part: eight bytes of tag and the data, padded to as many, or four of each."""
        kind, length = self.tag()
        if kind >> 16:
            return kind & 0xFFFF, struct.pack(f"{self._order}I", length)[: kind >> 16]
        if length > longest:
            raise ValueError(f"a part of {length:,} bytes, where {longest:,} are the most")
        data = self.read(length)
        self.skip(-length % 8)
        return kind, data

    def matrix_header(self) -> tuple[str, int, tuple[int, ...], bool]:
        """Name, class, shape, and whether it is complex, of a matrix. Of objects, the class alone."""
        _, flags = self.part(longest=8)
        if len(flags) != 8:
            raise ValueError(f"the flags of a matrix have {len(flags)} bytes")
        flags = struct.unpack(f"{self._order}I", flags[:4])[0]
        kind = flags & 0xFF
        if kind == _OPAQUE:
            return "", kind, (), False
        _, sizes = self.part(_LONGEST)
        if len(sizes) % 4:
            raise ValueError(f"the shape of a matrix has {len(sizes)} bytes")
        shape = tuple(np.frombuffer(sizes, f"{self._order}i4").tolist())
        if min(shape, default=0) < 0:
            raise ValueError(f"a matrix states the shape {shape}")
        _, name = self.part(_LONGEST)
        return name.decode("ascii"), kind, shape, bool(flags & _IS_COMPLEX)

    def field_names(self) -> list[str]:
        """Names of the fields of a structure, behind its header."""
        _, length = self.part(longest=8)
        (length,) = struct.unpack(f"{self._order}i", length[:4])
        _, names = self.part(_LONGEST_NAMES)
        if length < 1 or len(names) % length:
            raise ValueError(f"names of {length} bytes in {len(names)}")
        starts = range(0, len(names), length)
        return [names[start : start + length].partition(b"\0")[0].decode("utf-8") for start in starts]

    def numbers(self, name: str, header: Any) -> np.ndarray:
        """The numbers of a real matrix, which may be stored as a smaller type than its class."""
        count = math.prod(header.shape)
        kind, length = self.tag()
        if kind >> 16:  # a small part holds its data in its tag
            data = np.frombuffer(struct.pack(f"{self._order}I", length)[: kind >> 16], np.uint8)
            kind &= 0xFFFF
        elif length <= 8 * count:
            data, place = np.empty(length, np.uint8), 0
            for view in self._take(length):
                data[place : place + len(view)] = view
                place += len(view)
            self.skip(-length % 8)
        else:
            raise ValueError(f"{name!r} has {length:,} bytes for the shape {header.shape}")
        if kind not in _TYPES or len(data) != count * np.dtype(_TYPES[kind]).itemsize:
            raise ValueError(f"{name!r} has {len(data):,} bytes of type {kind} for the shape {header.shape}")
        stored = data.view(np.dtype(f"{self._order}{_TYPES[kind]}"))
        return stored.astype(header.dtype, copy=False).reshape(header.shape, order="F")


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
                raise RefusedError(
                    f"an element unpacks to more than the allowed {max_bytes:,} bytes. Raise the sidecar's 'max_bytes'"
                )
            if piece:
                yield piece
            pending = unpacker.unconsumed_tail
        if unpacker.eof:
            break
    if not unpacker.eof:
        raise ValueError("a compressed element ends early")
