"""Numeric variables of MATLAB files: v5 to v7, and v7.3 as the HDF5 it is."""

from keras_usmae.signals.readers import hdf5_file, matlab_v5


def describe_matlab(path, max_bytes):
    """Headers of the numeric variables of a file, and of the members of its cells as `name{1}`, by name."""
    return hdf5_file.describe_matlab_hdf5(path) if _is_hdf5(path) else matlab_v5.read_headers(path, max_bytes)


def load_matlab(path, names, max_bytes):
    """Some of them, by name."""
    if _is_hdf5(path):
        return hdf5_file.load_matlab_hdf5(path, names)
    return matlab_v5.read_arrays(path, names, max_bytes)


def _is_hdf5(path):
    with path.open("rb") as file:
        header = file.read(matlab_v5.HEADER_SIZE)
    if header.startswith(b"MATLAB 7.3"):
        return True
    if len(header) < matlab_v5.HEADER_SIZE or header[124:128] not in (b"\x00\x01IM", b"\x01\x00MI"):
        raise ValueError("no header of MATLAB v5 to v7.3; older ones are read after `save -v7`")
    return False
