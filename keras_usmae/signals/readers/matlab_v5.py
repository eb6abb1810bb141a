"""Numeric and logical arrays of a MATLAB v5 to v7 file: variables, fields of structures, members of cells.

Not by SciPy: its `loadmat` crashes the process on files with damaged tags, so that it would need a process of its own
for each file, and it cannot list what a structure holds without loading it whole. Objects, functions and texts are
passed over.

Reference:
    - [MAT-File Format](https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf), level 5.
"""

import math
from collections.abc import Collection
from pathlib import Path

import numpy as np

from keras_usmae.signals.readers.guards import ArrayHeader, RefusedError
from keras_usmae.signals.readers.matlab_elements import elements

HEADER_SIZE = 128
_CELL, _STRUCTURE = 1, 2
# What a variable is, and what its numbers are stored as: the format numbers the two apart.
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
_IS_COMPLEX = 0x0800
_MATRIX = 14
_MAX_MEMBERS, _MAX_DEPTH = 100_000, 16


def read_headers(path: Path, max_bytes: int) -> dict:
    """Headers of the numeric arrays of a file; none of their data is kept.

    Args:
        max_bytes: int. No element may unpack to more.

    Returns:
        dict from a name to an `ArrayHeader`: that of a variable, `capture/rf` of a field, `capture(2)/rf` of one of an
        array of structures, `name{1}`, `name{2}`, ... of the members of a cell as MATLAB counts.

    Raises:
        ValueError: for a file that is cut short, contradicts itself, or unpacks to more than is allowed.
    """
    return {name: header for name, header, _ in _walk(path, max_bytes, wanted=())}


def read_arrays(path: Path, names: Collection[str], max_bytes: int) -> dict:
    """Some of these arrays, by name, with the axes as MATLAB shows them.

    Args:
        names: collection of str, keys of `read_headers`.
        max_bytes: int. No element may unpack to more.
    """
    return {name: array for name, _, array in _walk(path, max_bytes, set(names)) if array is not None}


def _walk(path, max_bytes, wanted):
    """Yields name, header and, where it is wanted, array of each numeric array."""
    visits = _Visits()
    with path.open("rb") as file:
        file.seek(HEADER_SIZE - 2)
        order = "<" if file.read(2) == b"IM" else ">"
        for element in elements(file, path.stat().st_size, order, max_bytes):
            for found in _arrays(element, None, wanted, visits, depth=0):
                # What has no name holds the insides of tables and objects.
                if found[0]:
                    yield found
            element.drain()


class _Visits:
    """Counts members, of which a small file may hold a million empty ones."""

    def __init__(self):
        self.count = 0

    def add(self):
        self.count += 1
        if self.count > _MAX_MEMBERS:
            raise RefusedError(f"its cells and structures have more than {_MAX_MEMBERS:,} members. Save fewer a file")


def _arrays(element, name, wanted, visits, depth):
    """Walks one matrix, whose tag was read; its own name is that of a variable where none is given."""
    visits.add()
    if depth > _MAX_DEPTH:
        raise RefusedError(f"its cells and structures nest deeper than {_MAX_DEPTH}")
    own_name, kind, shape, is_complex = element.matrix_header()
    name = own_name if name is None else name
    if kind in _CLASSES:
        header = ArrayHeader(shape, np.dtype("complex128" if is_complex else _CLASSES[kind]))
        yield name, header, element.numbers(name, header) if name in wanted else None
    elif kind == _CELL:
        for index in range(1, math.prod(shape) + 1):
            yield from _member(element, f"{name}{{{index}}}", wanted, visits, depth)
    elif kind == _STRUCTURE:
        fields = element.field_names()
        count = math.prod(shape) if fields else 0
        for index in range(1, count + 1):
            owner = name if count == 1 else f"{name}({index})"
            for field in fields:
                yield from _member(element, f"{owner}/{field}", wanted, visits, depth)


def _member(element, name, wanted, visits, depth):
    kind, length = element.tag()
    if kind != _MATRIX:
        raise ValueError(f"{name!r} is an element of type {kind}, where a matrix is expected")
    if not length:
        visits.add()
        return
    end = element.position + length
    yield from _arrays(element, name, wanted, visits, depth + 1)
    element.skip(end - element.position)
