"""Channels of LabVIEW's .tdms files, by npTDMS, an extra of this package."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.signals.readers.guards import ArrayHeader

if TYPE_CHECKING:
    from keras_usmae.signals.readers.array_file import ArrayFile


def open_tdms(path: Path) -> "ArrayFile":
    """Looks into a file: its channels as arrays `group/channel`.

    Raises:
        ImportError: where npTDMS is not installed.
        ValueError: where the file is damaged.
    """
    from keras_usmae.signals.readers.array_file import ArrayFile

    nptdms = _library(path)
    with path.open("rb") as file:
        if file.read(4) != b"TDSm":
            raise ValueError("it does not begin with 'TDSm'")
    channels = {}
    for group in nptdms.TdmsFile.read_metadata(path).groups():
        for channel in group.channels():
            channels[f"{group.name}/{channel.name}"] = channel
    size = path.stat().st_size
    headers = {}
    for name, channel in channels.items():
        if channel.dtype is None or channel.dtype.kind not in "iufc":
            continue
        header = ArrayHeader((len(channel),), np.dtype(channel.dtype))
        if len(channel) > size:
            raise ValueError(f"{name!r} states {len(channel):,} samples in a file of {size:,} bytes")
        headers[name] = header

    def load(names):
        with nptdms.TdmsFile.open(path) as file:
            return {name: np.asarray(file[channels[name].group_name][channels[name].name][:]) for name in names}

    def attributes(name):
        if name not in channels:
            return {}
        found: dict[str, str | float] = {}
        for key, value in channels[name].properties.items():
            if key in ("wf_increment", "wf_start_offset"):
                found[f"{key} [s]"] = float(value)
            elif isinstance(value, str | int | float):
                found[key] = value
        return found

    return ArrayFile(headers, load, attributes=attributes)


def _library(path):
    try:
        import nptdms
    except ImportError as error:
        raise ImportError(
            f"{str(path)!r} needs npTDMS. Install it, pip install 'keras-usmae[tdms]', or save the file as .csv."
        ) from error
    return nptdms
