"""Numeric arrays of a MATLAB v7.3 file, an HDF5 file, under the names that `matlab_v5` gives them."""

import dataclasses
from collections.abc import Collection

import h5py
import numpy as np

from keras_usmae.signals.readers.guards import ArrayHeader, RefusedError
from keras_usmae.signals.readers.hdf5_storage import load_dataset

_MAX_MEMBERS, _MAX_DEPTH = 100_000, 16
_BYTES_OF_MEMBER, _FEW = 1024, 2**20  # names, headers and what sorts them; less than the second is never refused
# What an array of numbers says to be, or nothing where another program wrote it. Of tables and objects, the file holds
# numbers of its own bookkeeping under their names.
_NUMERIC = {"", "double", "single", "logical", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))}


@dataclasses.dataclass(frozen=True, slots=True)
class Variable:
    """Where an array is. Not the open dataset, of which a hundred thousand would take 60 MB.

    Args:
        place: `h5py.Reference` of the dataset.
        header: its `ArrayHeader`, with the axes as MATLAB shows them.
    """

    place: h5py.Reference
    header: ArrayHeader


def list_variables(file: h5py.File, max_bytes: int) -> dict[str, Variable]:
    """Arrays by name: `capture/rf`, `capture(2)/rf`, `name{1}`.

    Args:
        max_bytes: int. Largest size of the references of a cell.

    Raises:
        RefusedError: where there are too many, or they nest too deep.
    """
    found = {}
    variables = _Variables(file, max_bytes, found)
    for name in file:
        # '#refs#' and '#subsystem#' are MATLAB's own bookkeeping, and what the cells refer to.
        if not name.startswith("#") and isinstance(file.get(name, getlink=True), h5py.HardLink):
            variables.add(name, file[name], 0)
    return found


def describe_variables(variables: dict[str, Variable]) -> dict:
    """Headers of variables, with the axes as MATLAB shows them."""
    return {name: variable.header for name, variable in variables.items()}


def load_variables(
    file: h5py.File, variables: dict[str, Variable], names: Collection[str], max_bytes: int
) -> dict[str, np.ndarray]:
    """Some of them, by name, with the axes as MATLAB shows them."""
    return {name: load_dataset(file[variables[name].place], max_bytes).T for name in names}


class _Variables:
    def __init__(self, file, max_bytes, found):
        self._file, self._max_bytes, self._found, self._visits = file, max_bytes, found, 0
        self._dtypes = {}

    def add(self, name, item, depth):
        self._visits += 1
        if self._visits > _MAX_MEMBERS:
            raise RefusedError(f"its cells and structures have more than {_MAX_MEMBERS:,} members. Save fewer a file")
        if _BYTES_OF_MEMBER * self._visits > max(self._max_bytes, _FEW):
            raise RefusedError(
                f"its cells and structures have more than {self._visits - 1:,} members, which may need more "
                f"than the {self._max_bytes:,} bytes that are allowed. Raise 'max_bytes' in the sidecar"
            )
        if depth > _MAX_DEPTH:
            raise RefusedError(f"its cells and structures nest deeper than {_MAX_DEPTH}")
        if isinstance(item, h5py.Group) and "MATLAB_sparse" not in item.attrs:
            for field in item:
                if isinstance(item.get(field, getlink=True), h5py.HardLink):
                    self._add_field(name, field, item[field], depth)
        elif isinstance(item, h5py.Dataset) and item.shape is not None:
            if _is_reference(item):
                for index, ref in self._members(item):
                    self.add(f"{name}{{{index}}}", self._file[ref], depth + 1)
            # An empty array is stored as its shape.
            elif _class_of(item) in _NUMERIC and not {"MATLAB_empty", "MATLAB_object_decode"} & set(item.attrs):
                dtype = self._dtypes.setdefault(item.dtype, item.dtype)
                self._found[name] = Variable(item.ref, ArrayHeader(item.shape[::-1], dtype))

    def _add_field(self, owner, field, item, depth):
        # A field of an array of structures is a dataset of references without a class of its own.
        if isinstance(item, h5py.Dataset) and _is_reference(item) and not _class_of(item):
            for index, ref in self._members(item):
                self.add(f"{owner}({index})/{field}", self._file[ref], depth + 1)
        else:
            self.add(f"{owner}/{field}", item, depth + 1)

    def _members(self, dataset):
        """Numbers and references of what a dataset refers to, in MATLAB's order: its first axis is the file's last."""
        if dataset.size > _MAX_MEMBERS:
            raise RefusedError(f"{dataset.name!r} has {dataset.size:,} members, more than {_MAX_MEMBERS:,}")
        refs = np.ravel(load_dataset(dataset, self._max_bytes))
        return ((index, ref) for index, ref in enumerate(refs, start=1) if ref)


def _is_reference(dataset):
    return h5py.check_ref_dtype(dataset.dtype) is h5py.Reference


def _class_of(dataset):
    try:
        name = dataset.attrs.get("MATLAB_class", b"")
    except (OSError, TypeError, ValueError):
        return ""
    return name.decode("ascii", "replace") if isinstance(name, bytes) else str(name)
