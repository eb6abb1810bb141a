"""One way to look into every format that holds arrays by name: headers first, then what is wanted."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

from keras_usmae.signals.readers import hdf5_file, matlab_v4, matlab_v5, matlab_v73, numpy_file, tdms_file, wav_file
from keras_usmae.signals.readers.guards import ArrayHeader, RefusedError, wrapped_parser_errors
from keras_usmae.signals.readers.hdf5_guard import open_hdf5

# Of netCDF 4, of the ultrasound file format, and of Elsys' recorders, too.
HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf", ".he5", ".nde", ".mfmc", ".nc", ".uff", ".tpc5")
ARRAY_SUFFIXES = (".npy", ".npz", ".mat", *HDF5_SUFFIXES, ".wav", ".tdms")


@dataclasses.dataclass(frozen=True)
class ArrayFile:
    """What a file holds, while it is open.

    Args:
        headers: dict of `ArrayHeader` by name, each array once.
        load: function from a list of names to a dict of arrays.
        aliases: dict of str. Other names of arrays.
        attributes: function from the path of a group or array to a dict of what is attached to it.
        texts: function from a name to the text of an array that holds one, or `None`.
    """

    headers: dict[str, ArrayHeader]
    load: Callable
    aliases: dict = dataclasses.field(default_factory=dict)
    attributes: Callable = lambda path: {}
    texts: Callable = lambda name: None


@contextlib.contextmanager
def open_arrays(path: Path, max_bytes: int) -> Iterator[ArrayFile]:
    """Opens a file of arrays; whatever its parser raises names the file."""
    suffix = path.suffix.lower()
    with contextlib.ExitStack() as stack:
        with wrapped_parser_errors(path, suffix):
            opened = _open(path, suffix, max_bytes, stack)

        def load(names):
            with wrapped_parser_errors(path, suffix):
                return opened.load(names)

        def attributes(name):
            with wrapped_parser_errors(path, suffix):
                return opened.attributes(name)

        def texts(name):
            with wrapped_parser_errors(path, suffix):
                return opened.texts(name)

        yield dataclasses.replace(opened, load=load, attributes=attributes, texts=texts)


def _open(path, suffix, max_bytes, stack):
    if suffix == ".npy":
        return ArrayFile(numpy_file.describe_npy(path), lambda names: numpy_file.load_npy(path, names))
    if suffix == ".npz":
        return ArrayFile(numpy_file.describe_npz(path), lambda names: numpy_file.load_npz(path, names))
    if suffix == ".wav":
        return ArrayFile(
            wav_file.describe_wav(path),
            lambda names: wav_file.load_wav(path, names),
            attributes=lambda name: {} if name else {"sampling_rate": f"{wav_file.wav_sampling_rate(path)} Hz"},
        )
    if suffix == ".tdms":
        return tdms_file.open_tdms(path)
    if suffix == ".mat":
        return _open_matlab(path, max_bytes, stack)
    file = stack.enter_context(open_hdf5(path))
    contents = hdf5_file.Hdf5Contents(file)
    return ArrayFile(
        hdf5_file.describe_hdf5(contents),
        lambda names: hdf5_file.load_hdf5(contents, names, max_bytes),
        contents.aliases,
        contents.attributes,
        lambda name: hdf5_file.load_text(contents.datasets[name], max_bytes),
    )


def _open_matlab(path, max_bytes, stack):
    with path.open("rb") as file:
        header = file.read(matlab_v5.HEADER_SIZE)
    if header.startswith(b"MATLAB 7.3"):
        opened = stack.enter_context(open_hdf5(path))
        variables = matlab_v73.list_variables(opened, max_bytes)
        return ArrayFile(
            matlab_v73.describe_variables(variables),
            lambda names: matlab_v73.load_variables(opened, variables, names, max_bytes),
        )
    if len(header) == matlab_v5.HEADER_SIZE and header[124:128] in (b"\x00\x01IM", b"\x01\x00MI"):
        return ArrayFile(
            matlab_v5.read_headers(path, max_bytes), lambda names: matlab_v5.read_arrays(path, names, max_bytes)
        )
    if matlab_v4.is_level4(header):
        return ArrayFile(matlab_v4.read_headers(path), lambda names: matlab_v4.read_arrays(path, names))
    raise RefusedError("it has no header of MATLAB, level 4 to v7.3. Save it again: save -v7")
