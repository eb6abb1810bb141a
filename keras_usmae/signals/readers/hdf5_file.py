"""Arrays in HDF5 files: .h5, .hdf5, .nde, .mfmc and MATLAB's v7.3.

Links and storage that lead out of the file are refused, so that a file cannot make its reader open another one, and
so are filters that would be loaded as plug-ins.
"""

# h5py is a dependency of Keras and of this package; of `signals`, these readers alone use it.
from collections.abc import Collection
from typing import Any

import h5py
import numpy as np

from keras_usmae.signals.readers.guards import ArrayHeader, RefusedError
from keras_usmae.signals.readers.hdf5_storage import load_dataset

MAX_DEPTH, MAX_VISITS = 32, 50_000
_BYTES_OF_TEXT = 24  # a character of JSON, as Python's objects
_MAX_ATTRIBUTE, _MAX_ATTRIBUTES = 4096, 256  # bytes of one, and how many are looked at


class Hdf5Contents:
    """Datasets of an open file by path, without the leading slash, each once, and their other names.

    Attributes:
        datasets: dict of `h5py.Dataset` by path, in the file's order.
        aliases: dict of str: paths that lead to a dataset that has another name in `datasets`.
    """

    def __init__(self, file: h5py.File) -> None:
        self._file = file
        self.datasets, self.aliases = {}, {}
        self._names, self._groups, self._visits, soft = {}, set(), 0, []
        self._walk(file, "", soft, depth=0)
        for path, target in soft:
            name = self._follow(target)
            if name is not None:
                self.aliases[path] = name

    def _walk(self, group, prefix, soft, depth):
        if depth > MAX_DEPTH:
            raise RefusedError(f"its groups nest deeper than {MAX_DEPTH}")
        for key in group:
            self._visits += 1
            if self._visits > MAX_VISITS:
                raise RefusedError(f"it has more than {MAX_VISITS:,} links. Save its traces as one array")
            # By HDF5's own call: an object for each link would be half of the time that a large file takes.
            link, path = group.id.links.get_info(key.encode("utf-8", "surrogateescape")), f"{prefix}{key}"
            if link.type == h5py.h5l.TYPE_SOFT:
                soft.append((path, _absolute(group.get(key, getlink=True).path, prefix)))
            # Others lead out of the file.
            if link.type != h5py.h5l.TYPE_HARD:
                continue
            address = link.u
            if address in self._names:
                self.aliases[path] = self._names[address]
                continue
            # A group under two names is looked into once: 30 that hold the next one twice would be 2^30.
            if address in self._groups:
                continue
            item = group[key]
            if isinstance(item, h5py.Group):
                self._groups.add(address)
                self._walk(item, f"{path}/", soft, depth + 1)
            elif isinstance(item, h5py.Dataset) and item.shape is not None:
                self._names[address] = path
                self.datasets[path] = item

    def _follow(self, path):
        """Name of the dataset at a path, by links within the file alone; `None` where there is none."""
        group, parts = self._file, [part for part in path.split("/") if part not in ("", ".")]
        for number, part in enumerate(parts[:MAX_DEPTH]):
            if not isinstance(group, h5py.Group) or not isinstance(group.get(part, getlink=True), h5py.HardLink):
                return None
            group = group[part]
            if number == len(parts) - 1 and isinstance(group, h5py.Dataset):
                return self._names.get(h5py.h5o.get_info(group.id).addr)
        return None

    def attributes(self, path: str) -> dict:
        """Numbers and texts among the attributes of a group or dataset, a dict by name."""
        item = self._file[path] if path else self._file
        found = {}
        for number, name in enumerate(item.attrs):
            if number >= _MAX_ATTRIBUTES:
                break
            if not isinstance(name, str):  # bytes that are no UTF-8
                continue
            try:
                value = _small_attribute(item.attrs, name)
            # An attribute of a type that h5py does not know is no reason to refuse the data.
            except (OSError, TypeError, ValueError, RuntimeError, UnicodeError):
                continue
            if value is not None:
                found[name] = value
        return found


def _absolute(target, prefix):
    return target if target.startswith("/") else prefix + target


def _small_attribute(attributes, name):
    identifier = attributes.get_id(name)
    if (
        identifier.dtype.kind not in "iufSO"
        or int(np.prod(identifier.shape)) * identifier.dtype.itemsize > _MAX_ATTRIBUTE
    ):
        return None
    if identifier.dtype.kind == "O" and h5py.check_string_dtype(identifier.dtype) is None:
        return None
    return plain(attributes[name])


def plain(value: Any) -> Any:
    """A float, a text or a short list of floats out of what h5py and NumPy give; `None` for anything else."""
    value = np.asarray(value)
    if value.dtype.kind in "iuf":
        return float(value.ravel()[0]) if value.size == 1 else value.ravel().tolist() if value.size == 2 else None
    if value.size != 1:
        return None
    item = value.ravel()[0]
    text = item.decode("utf-8", "replace") if isinstance(item, bytes) else item
    return text if isinstance(text, str) else None


def load_text(dataset: h5py.Dataset, max_bytes: int) -> str | None:
    """The text that a dataset holds.

    Returns:
        A str, or `None` where it holds something else.

    Raises:
        RefusedError: where it is too long. Left out, it could be the set-up that says how the traces lie.
    """
    stated = dataset.dtype.itemsize if dataset.dtype.kind == "S" else 0
    text = None if _BYTES_OF_TEXT * stated > max_bytes else plain(load_dataset(dataset, max_bytes))
    size = len(text) if isinstance(text, str) else stated
    if _BYTES_OF_TEXT * size > max_bytes:
        raise RefusedError(
            f"the text {dataset.name!r} has {size:,} characters, which may need {_BYTES_OF_TEXT * size:,} bytes in "
            f"memory; {max_bytes:,} are allowed. Raise 'max_bytes' in the sidecar"
        )
    return text if isinstance(text, str) else None


def describe_hdf5(contents: Hdf5Contents) -> dict[str, ArrayHeader]:
    """Headers of all datasets, by path inside of the file."""
    return {name: ArrayHeader(dataset.shape, dataset.dtype) for name, dataset in contents.datasets.items()}


def load_hdf5(contents: Hdf5Contents, names: Collection[str], max_bytes: int) -> dict:
    """Some of them, by path."""
    return {name: load_dataset(contents.datasets[name], max_bytes) for name in names}
