"""The sidecar: a small TOML file that says what a data file cannot, validated key by key."""

import dataclasses
from pathlib import Path, PurePath

from keras_usmae.signals.readers.toml_table import is_integer, is_name, is_number, read_toml, validate_table

DEFAULT_MAX_BYTES = 2 * 2**30
TIME_UNITS = {"samples": None, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


@dataclasses.dataclass(frozen=True)
class OnsetLabel:
    """Where the onsets of the traces are.

    Args:
        key: str. Name of the array (.npz, .mat, .h5) or of the column (.csv) that holds one onset per trace. NaN marks
            a trace without label.
        unit: str. `"samples"`, 0-based, or `"s"`, `"ms"`, `"us"`, `"ns"` on the clock of `start_time`.
        file: str or `None`. Name of another file in the folder of the data that holds them. Defaults to `None`, the
            data file itself.
    """

    key: str
    unit: str
    file: str | None = None


@dataclasses.dataclass(frozen=True)
class Sidecar:
    """What a sidecar states. The TOML file has keys of the same names; all but `sampling_rate` may be left out.

    Args:
        sampling_rate: float or `None`. In Hz. Only a .wav file, which states its own, may do without.
        axis: int or `None`. Axis of the array along which time runs. Needed for arrays of two or more dimensions; in
            .csv, 0 where each column is a trace and 1 where each row is.
        samples: int or `None`. Samples that each trace must have: proof that `axis` is right.
        signals: str or `None`. Name of the array that holds the traces, or of the columns in .csv, with `*` for any
            text. Needed where a file holds more than one array.
        onset: `OnsetLabel` or `None`, without labels. In TOML, `onset = { key = "tof", unit = "us" }`.
        unit: str. Unit of the amplitude, such as `"V"` or `"counts"`. Defaults to `""`, not stated.
        full_scale: pair of float or `None`. Lowest and highest amplitude that the recorder can give.
        start_time: float. Time of the first sample after the transmit pulse, in s. Defaults to `0.0`.
        files: str. In the sidecar of a folder, the files that it speaks of, with `*` for any text. Defaults to `"*"`.
        delimiter: str. One character between the cells of a .csv file. Defaults to `","`.
        decimal: str. Decimal point of a .csv file, `"."` or `","`. Defaults to `"."`.
        max_bytes: int. Largest size of the decoded data, in bytes. Defaults to 2 GiB.
        description: str. Free text.
    """

    sampling_rate: float | None = None
    axis: int | None = None
    samples: int | None = None
    signals: str | None = None
    onset: OnsetLabel | None = None
    unit: str = ""
    full_scale: tuple[float, float] | None = None
    start_time: float = 0.0
    files: str = "*"
    delimiter: str = ","
    decimal: str = "."
    max_bytes: int = DEFAULT_MAX_BYTES
    description: str = ""


def read_sidecar(path):
    """Reads and validates a sidecar.

    Args:
        path: path of a .toml file.

    Returns:
        A `Sidecar`.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where the file is not TOML, or a key is unknown or has a wrong value; the message names file and
            key.

    Example:

    ```python
    import pathlib, tempfile
    from keras_usmae.signals.readers import read_sidecar

    path = pathlib.Path(tempfile.mkdtemp(), "scan.toml")
    path.write_text('sampling_rate = 60e6\\naxis = 1\\nonset = { key = "tof", unit = "us" }')
    read_sidecar(path).sampling_rate  # 60e6
    ```
    """
    path = Path(path)
    table = read_toml(path, "sidecar")
    values = validate_table(path, "", table, _CHECKS)
    if "onset" in values:
        onset = validate_table(path, "onset.", values["onset"], _ONSET_CHECKS)
        if missing := [key for key in ("key", "unit") if key not in onset]:
            raise ValueError(f"{str(path)!r}: key 'onset.{missing[0]}' is missing. It needs both a 'key' and a 'unit'.")
        values["onset"] = OnsetLabel(**onset)
    if "full_scale" in values:
        values["full_scale"] = tuple(float(value) for value in values["full_scale"])
    sidecar = Sidecar(**values)
    if sidecar.decimal == sidecar.delimiter:
        raise ValueError(
            f"{str(path)!r}: keys 'decimal' and 'delimiter' are both {sidecar.decimal!r}; they must differ."
        )
    return sidecar


def _is_range(value):
    return isinstance(value, list) and len(value) == 2 and all(map(is_number, value)) and value[0] < value[1]


def _is_filename(value):
    # Only names, so that a sidecar cannot point out of its folder.
    return is_name(value) and PurePath(value).name == value and "\\" not in value and "\0" not in value


_NAME = ("a text that is not empty", is_name)
_CHECKS = {
    "sampling_rate": ("a positive number in Hz, such as 60e6", lambda value: is_number(value) and value > 0),
    "axis": ("an integer of 0 or more", lambda value: is_integer(value, 0)),
    "samples": ("an integer of 2 or more", lambda value: is_integer(value, 2)),
    "signals": _NAME,
    "onset": ('a table, such as { key = "tof", unit = "us" }', lambda value: isinstance(value, dict)),
    "unit": _NAME,
    "full_scale": ("a pair of numbers [lowest, highest]", _is_range),
    "start_time": ("a number in s", is_number),
    "files": _NAME,
    "delimiter": ("one character", lambda value: isinstance(value, str) and len(value) == 1 and value not in '\r\n"'),
    "decimal": ("'.' or ','", lambda value: value in (".", ",")),
    "max_bytes": ("an integer of 1 or more", lambda value: is_integer(value, 1)),
    "description": _NAME,
}
_ONSET_CHECKS = {
    "key": _NAME,
    "unit": (f"one of {list(TIME_UNITS)}", lambda value: isinstance(value, str) and value in TIME_UNITS),
    "file": ("the name of a file in the folder of the data, without a path", _is_filename),
}
