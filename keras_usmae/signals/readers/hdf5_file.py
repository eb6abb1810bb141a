"""Arrays in HDF5 files: .h5, .nde and MATLAB's v7.3.

Links and storage that lead out of the file are refused, so that a file cannot make its reader open another one, and
so are filters that would be loaded as plug-ins.
"""

# h5py is a dependency of Keras and of this package; of `signals`, these readers alone use it.
import h5py

from keras_usmae.signals.readers.guards import ArrayHeader

_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_LZF}
_MAX_DEPTH, _MAX_OBJECTS = 32, 100_000


def describe_hdf5(path):
    """Headers of all datasets of a file, by path inside of it without the leading slash."""
    headers = {}
    with h5py.File(path, "r") as file:
        _walk(file, "", headers, depth=0)
    return headers


def load_hdf5(path, names):
    """Some datasets of a file, by name."""
    with h5py.File(path, "r") as file:
        return {name: _load(file[name]) for name in names}


def describe_matlab_hdf5(path):
    """Headers of the variables of a v7.3 file, with the axes as MATLAB shows them, and of cells as `name{1}`."""
    headers = {}
    with h5py.File(path, "r") as file:
        stored = {}
        _walk(file, "", stored, depth=0)
        for name, header in stored.items():
            if name.startswith("#"):  # MATLAB's own bookkeeping, and what the cells refer to
                continue
            members = _members(file, name)
            for index, member in enumerate(members, start=1):
                headers[f"{name}{{{index}}}"] = ArrayHeader(member.shape[::-1], member.dtype)
            if not members:
                headers[name] = ArrayHeader(header.shape[::-1], header.dtype)
    return headers


def load_matlab_hdf5(path, names):
    """Some variables of a v7.3 file or members of its cells, by name, with the axes as MATLAB shows them."""
    arrays, cells = {}, {}
    with h5py.File(path, "r") as file:
        for name in names:
            variable, is_cell, index = name.partition("{")
            if is_cell and variable not in cells:
                cells[variable] = _members(file, variable)
            dataset = cells[variable][int(index.removesuffix("}")) - 1] if is_cell else file[name]
            arrays[name] = _load(dataset).T
    return arrays


def _members(file, name):
    """Datasets that a cell refers to, in MATLAB's order; none where `name` is no cell of arrays."""
    dataset = file[name]
    if h5py.check_ref_dtype(dataset.dtype) is not h5py.Reference or dataset.size > _MAX_OBJECTS:
        return []
    # MATLAB counts along the first axis, which is the last in the file.
    members = [file[reference] for reference in _load(dataset).ravel() if reference]
    return [member for member in members if isinstance(member, h5py.Dataset) and member.shape is not None]


def _load(dataset):
    _check_storage(dataset)
    return dataset[...]


def _walk(group, prefix, headers, depth):
    if depth > _MAX_DEPTH or len(headers) > _MAX_OBJECTS:
        raise ValueError(f"groups nest deeper than {_MAX_DEPTH}, or there are more than {_MAX_OBJECTS:,} datasets")
    for key in group:
        # Soft links lead to what is found elsewhere in the file, or out of it.
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            continue
        item = group[key]
        if isinstance(item, h5py.Group):
            _walk(item, f"{prefix}{key}/", headers, depth + 1)
        elif isinstance(item, h5py.Dataset) and item.shape is not None:
            headers[prefix + key] = ArrayHeader(item.shape, item.dtype)


def _check_storage(dataset):
    if dataset.is_virtual or dataset.external:
        raise ValueError(f"{dataset.name!r} keeps its data in other files")
    properties = dataset.id.get_create_plist()
    filters = {properties.get_filter(i)[0] for i in range(properties.get_nfilters())}
    if unknown := filters - _FILTERS:
        raise ValueError(f"{dataset.name!r} is packed by the HDF5 filters {sorted(unknown)}; repack it with gzip")
    if dataset.chunks is not None and any(
        chunk > 4 * size + 65536 for chunk, size in zip(dataset.chunks, dataset.shape, strict=True)
    ):
        raise ValueError(f"{dataset.name!r} of shape {dataset.shape} has far larger chunks, {dataset.chunks}")
