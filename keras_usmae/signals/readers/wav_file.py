"""Channels of .wav files, decoded by SciPy once the header is known to be true."""

import struct
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.io.wavfile

from keras_usmae.signals.readers.guards import ArrayHeader

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
# By format and bits; 24 bits are unpacked to 32.
_DTYPES = {
    (_PCM, 8): "u1",
    (_PCM, 16): "i2",
    (_PCM, 24): "i4",
    (_PCM, 32): "i4",
    (_FLOAT, 32): "f4",
    (_FLOAT, 64): "f8",
}


def describe_wav(path: Path) -> dict[str, ArrayHeader]:
    """Header of the array `(frames, channels)` of a .wav file, under the name of the file."""
    header, _ = _read_header(path)
    return {path.stem: header}


def wav_sampling_rate(path: Path) -> float:
    """Sampling rate in Hz that the header states."""
    return float(_read_header(path)[1])


def load_wav(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Samples of shape `(frames, channels)`, as integers or floats of the file, by their only name."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", scipy.io.wavfile.WavFileWarning)
        # A bit depth or a chunk that SciPy does not know is told, but is no damage.
        warnings.filterwarnings("ignore", message="Chunk .non-data. not understood")
        _, data = scipy.io.wavfile.read(path)
    return {names[0]: data.reshape(len(data), -1)}


def _read_header(path):
    size = path.stat().st_size
    fmt = None
    with path.open("rb") as file:
        riff = file.read(12)
        if riff[:4] not in (b"RIFF", b"RIFX") or riff[8:] != b"WAVE":
            raise ValueError("no RIFF header")
        order = "<" if riff[:4] == b"RIFF" else ">"
        while len(tag := file.read(8)) == 8:
            name, length = struct.unpack(f"{order}4sI", tag)
            start = file.tell()
            if start + length > size:
                raise ValueError(f"chunk {name!r} states {length:,} bytes, but {size - start:,} follow")
            if name == b"fmt ":
                fmt = file.read(length)
            elif name == b"data":
                return _interpret(fmt, length, order)
            file.seek(start + length + length % 2)
    raise ValueError("no chunk of data")


def _interpret(fmt, length, order):
    if fmt is None or len(fmt) < 16:
        raise ValueError("no chunk of its format ahead of the data")
    kind, channels, rate, _, frame, bits = struct.unpack(f"{order}HHIIHH", fmt[:16])
    if kind == _EXTENSIBLE and len(fmt) >= 26:
        kind = struct.unpack(f"{order}H", fmt[24:26])[0]
    if (kind, bits) not in _DTYPES:
        raise ValueError(f"format {kind} of {bits} bits; PCM of 8 to 32 bits and floats are read")
    if channels < 1 or rate < 1 or frame != channels * bits // 8 or length % frame:
        raise ValueError(f"{channels} channels of {bits} bits at {rate} Hz do not make frames of {frame} bytes")
    return ArrayHeader((length // frame, channels), np.dtype(_DTYPES[kind, bits])), rate
