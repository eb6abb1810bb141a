"""How the datasets of an HDF5 file are stored, checked before HDF5 itself unpacks them."""

import struct
import zlib

import h5py
import numpy as np

from keras_usmae.signals.readers.guards import RefusedError

# HDF5's own; others would be loaded as plug-ins.
_DEFLATE, _SHUFFLE, _FLETCHER32, _SZIP, _NBIT, _SCALEOFFSET = 1, 2, 3, 4, 5, 6
_LZF = h5py.h5z.FILTER_LZF
_FILTERS = {_DEFLATE, _SHUFFLE, _FLETCHER32, _SZIP, _NBIT, _SCALEOFFSET, _LZF}
# A chunk may be larger than its array by this much: HDF5's own cache of chunks is as large.
_ROOM = 2**20
_PIECE = 2**16


def load_dataset(dataset: h5py.Dataset, max_bytes: int) -> np.ndarray:
    """All of a dataset, as an array.

    Args:
        dataset: an `h5py.Dataset` whose own size was checked.
        max_bytes: int. Largest size of one chunk.

    Raises:
        RefusedError: where its data lie in other files, or are packed in a way that is not read.
        ValueError: where the data contradict themselves.
    """
    if dataset.is_virtual or dataset.external:
        raise RefusedError(f"{dataset.name!r} keeps its data in other files. Save it as a file of its own")
    filters = _filters(dataset)
    if unknown := set(filters) - _FILTERS:
        names = sorted(filters[number] for number in unknown)
        raise RefusedError(
            f"{dataset.name!r} is packed by HDF5 filters that are plug-ins, {names}. Repack it: h5repack -f GZIP=4"
        )
    if dataset.chunks is not None:
        _check_chunks(dataset, filters, max_bytes)
    return dataset[...]


def _filters(dataset):
    """Names of a dataset's filters by number, in the order in which they packed it."""
    properties = dataset.id.get_create_plist()
    found = {}
    for place in range(properties.get_nfilters()):
        number, _, _, name = properties.get_filter(place)
        found[number] = f"{number} {name.decode('ascii', 'replace')}".strip()
    return found


def _check_chunks(dataset, filters, max_bytes):
    if len(dataset.chunks) != len(dataset.shape):  # HDF5 would look for chunks without an end, and keep all of them
        raise ValueError(f"{dataset.name!r} of shape {dataset.shape} has chunks of another rank, {dataset.chunks}")
    size = dataset.dtype.itemsize
    for chunk in dataset.chunks:
        size *= chunk  # Python's integers cannot overflow
    if size > max(4 * dataset.nbytes, dataset.nbytes + _ROOM) or size > max(max_bytes, _ROOM):
        raise RefusedError(
            f"{dataset.name!r} of shape {dataset.shape} has far larger chunks, {dataset.chunks}. Repack it: "
            f"h5repack -l CHUNK={'x'.join(map(str, dataset.shape))}"
        )
    if _NBIT in filters or _SCALEOFFSET in filters:
        _check_parameters(dataset, size // dataset.dtype.itemsize)
    if _DEFLATE in filters or _SZIP in filters:
        _check_unpacked(dataset, filters, size)


def _check_parameters(dataset, count):
    """The filters allocate what their parameters say, whatever the chunk is."""
    properties = dataset.id.get_create_plist()
    for place in range(properties.get_nfilters()):
        number, _, values, _ = properties.get_filter(place)
        if number in (_NBIT, _SCALEOFFSET) and len(values) > 4 and values[2] != count:
            raise ValueError(f"a filter of {dataset.name!r} states {values[2]} samples in a chunk of {count}")
        if number == _SCALEOFFSET and len(values) > 4 and values[4] != dataset.dtype.itemsize:
            raise ValueError(f"a filter of {dataset.name!r} states samples of {values[4]} bytes")
        if number == _NBIT and len(values) > 4 and (values[3] != 1 or values[4] != dataset.dtype.itemsize):
            raise ValueError(f"a filter of {dataset.name!r} states samples of {values[4]} bytes")


def _check_unpacked(dataset, filters, size):
    """Unpacks each chunk piece by piece first: HDF5 itself would follow a chunk to whatever length it unpacks to."""
    order = list(filters)
    last = [number for number in order if number != _FLETCHER32][-1]
    if last not in (_DEFLATE, _SZIP):
        raise RefusedError(f"{dataset.name!r} is packed by filters in an order that is not read: {order}")
    chunks = []
    dataset.id.chunk_iter(chunks.append)
    for chunk in chunks:
        # Deflate makes a thousand bytes out of one at best; what cannot grow beyond the room is not looked at.
        if last == _DEFLATE and chunk.size * 1032 <= size + _ROOM:
            continue
        if chunk.filter_mask & (1 << order.index(last)):
            continue
        _, packed = dataset.id.read_direct_chunk(chunk.chunk_offset)
        if last == _DEFLATE and _unpacks_beyond(packed, size + _ROOM):
            raise ValueError(f"a chunk of {dataset.name!r} unpacks to more than its {size:,} bytes")
        if last == _SZIP and struct.unpack("<I", packed[:4])[0] > size + _ROOM:
            raise ValueError(f"a chunk of {dataset.name!r} states more than its {size:,} bytes")


def _unpacks_beyond(packed, limit):
    unpacker, total = zlib.decompressobj(), 0
    for start in range(0, len(packed), _PIECE):
        piece = packed[start : start + _PIECE]
        while piece and not unpacker.eof:
            total += len(unpacker.decompress(piece, _PIECE))
            if total > limit:
                return True
            piece = unpacker.unconsumed_tail
    return False
