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


def load_hdf5(path, name):
    """One dataset of a file."""
    with h5py.File(path, "r") as file:
        dataset = file[name]
        _check_storage(dataset)
        return dataset[...]


def load_matlab_hdf5(path, name):
    """One variable of a v7.3 file, with the axes as MATLAB shows them: the file has them in reverse."""
    return load_hdf5(path, name).T


def describe_matlab_hdf5(path):
    """Headers of the variables of a v7.3 file, with the axes as MATLAB shows them."""
    return {
        name: ArrayHeader(header.shape[::-1], header.dtype)
        for name, header in describe_hdf5(path).items()
        if not name.startswith("#")  # MATLAB's own bookkeeping
    }


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
