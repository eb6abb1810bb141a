"""Full matrices of a MATLAB level 4 file, which oscilloscopes and programs without MATLAB write.

Not by SciPy: a size that is negative in its headers sends SciPy's reader back, and it never ends.

Reference:
    - [MAT-File Format](https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf), level 4.
"""

import struct
from collections.abc import Collection
from pathlib import Path

import numpy as np

from keras_usmae.signals.readers.guards import ArrayHeader

_TYPES = ("f8", "f4", "i4", "i2", "u2", "u1")
_FULL = 0
_MAX_MATRICES, _LONGEST_NAME = 10_000, 1024


def is_level4(header: bytes) -> bool:
    """Whether the first bytes of a file are those of level 4.

    Args:
        header: bytes, 20 or more.
    """
    return len(header) >= 20 and any(_is_kind(struct.unpack(f"{order}5i", header[:20]), order) for order in "<>")


def read_headers(path: Path) -> dict[str, ArrayHeader]:
    """Headers of the full matrices of a file, a dict of `ArrayHeader` by name."""
    return {name: header for name, header, _ in _walk(path)}


def read_arrays(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """Some of these matrices, by name."""
    arrays = {}
    with path.open("rb") as file:
        for name, header, place in _walk(path):
            if name in names:
                file.seek(place)
                data = np.fromfile(file, header.dtype, header.shape[0] * header.shape[1])
                arrays[name] = data.reshape(header.shape, order="F")
    return arrays


def _walk(path):
    """Yields name, header and place of each full matrix."""
    size, place = path.stat().st_size, 0
    with path.open("rb") as file:
        for _ in range(_MAX_MATRICES):
            if place == size:
                return
            file.seek(place)
            words = file.read(20)
            if len(words) < 20:
                raise ValueError("it ends within the header of a matrix")
            order = next((o for o in "<>" if _is_kind(struct.unpack(f"{o}5i", words), o)), None)
            if order is None:
                raise ValueError("a matrix has no header of level 4")
            kind, rows, columns, is_complex, length = struct.unpack(f"{order}5i", words)
            name = file.read(length).rstrip(b"\0").decode("latin-1")
            dtype = np.dtype(order + _TYPES[kind // 10 % 10])
            end = file.tell() + rows * columns * dtype.itemsize * (2 if is_complex else 1)
            if end > size:
                raise ValueError(f"{name!r} states the shape {(rows, columns)}, for which the file is too short")
            if kind % 10 == _FULL:
                yield name, ArrayHeader((rows, columns), np.dtype("c16") if is_complex else dtype), file.tell()
            place = end
    raise ValueError(f"it has more than {_MAX_MATRICES:,} matrices")


def _is_kind(words, order):
    kind, rows, columns, is_complex, length = words
    return (
        kind // 1000 == "<>".index(order)
        and kind // 100 % 10 == 0
        and kind // 10 % 10 < len(_TYPES)
        and kind % 10 <= 2
        and min(rows, columns) >= 0
        and is_complex in (0, 1)
        and 1 <= length <= _LONGEST_NAME
    )
