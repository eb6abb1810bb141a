"""The sidecar: a small TOML file that says what a data file cannot, validated key by key."""

import codecs
import dataclasses
from pathlib import Path, PurePath
from typing import Any

from keras_usmae.fields import (
    FieldError,
    build,
    checked,
    choice,
    field,
    flag,
    integer,
    is_number,
    is_text,
    number,
    table,
    text,
)
from keras_usmae.user_files import errors_named, read_toml

DEFAULT_MAX_BYTES = 2 * 2**30
TIME_UNITS = {"samples": None, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
# As Python names them. Others are known to it, but no instrument writes them, and some take long on damaged text.
_ENCODINGS = {"ascii", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "shift_jis", "gbk", "gb18030"}
_ENCODING_PREFIXES = ("cp", "iso8859", "mac-")


def _is_range(value):
    return isinstance(value, list | tuple) and len(value) == 2 and all(map(is_number, value)) and value[0] < value[1]


def _is_filename(value):
    # Only names, so that a sidecar cannot point out of its folder.
    return is_text(value) and PurePath(value).name == value and "\\" not in value and "\0" not in value


def _is_delimiter(value):
    return isinstance(value, str) and len(value) == 1 and (value == " " or not value.isalnum()) and value not in '\r\n"'


def _is_encoding(value):
    try:
        name = codecs.lookup(value).name
    except (LookupError, TypeError, ValueError):
        return False
    return name in _ENCODINGS or name.startswith(_ENCODING_PREFIXES)


def _are_names(value):
    return is_text(value) or (isinstance(value, list | tuple) and bool(value) and all(map(is_text, value)))


_FILENAME = checked("the name of a file in the folder of the data or of the sidecar, without a path", _is_filename)
_NAMES = checked(
    "a text that is not empty, or a list of them",
    _are_names,
    lambda value: value if isinstance(value, str) else tuple(value),
)
_RANGE = checked("a pair of numbers [lowest, highest]", _is_range, lambda value: tuple(map(float, value)))


@dataclasses.dataclass(frozen=True)
class Column:
    """Where a value for each trace is, such as its transmitter, specimen or position.

    Args:
        key: str. Name of the array (.npz, .mat, .h5) or of the column (tables) that holds one value per trace.
        file: str or `None`. Name of another file that holds it, in the folder of the data or of the sidecar. Defaults
            to `None`, the data file itself.
        match: str or `None`. Column of that file that names the data file of each row. Defaults to `None`: the file
            has a row for each trace of a data file, or for each of all data files of one trace, in their order.
    """

    key: str = field(text)
    file: str | None = field(_FILENAME, None)
    match: str | None = field(text, None)


@dataclasses.dataclass(frozen=True)
class OnsetLabel:
    """Where the onsets of the traces are.

    Args:
        key: str or tuple of str. Name of the array (.npz, .mat, .h5) or of the column (tables) that holds one onset
            per trace; of several echoes, their names in order of arrival. NaN marks a trace without label.
        unit: str. `"samples"`, 0-based, or `"s"`, `"ms"`, `"us"`, `"ns"` on the clock of `start_time`.
        file: str or `None`. Name of another file that holds them, in the folder of the data or of the sidecar.
            Defaults to `None`, the data file itself.
        match: str or `None`. As in `Column`. Defaults to `None`.
        trace: str or `None`. Column of that file with the number of each row's trace in its data file, from 0; traces
            without a row have no label. Defaults to `None`, a row for each trace.
        sure: str or `None`. Array or column beside them that is 0, false or empty where a label is not to be trusted,
            and is then taken for none. Defaults to `None`, all are.
    """

    key: str | tuple[str, ...] = field(_NAMES)
    unit: str = field(choice(*TIME_UNITS))
    file: str | None = field(_FILENAME, None)
    match: str | None = field(text, None)
    trace: str | None = field(text, None)
    sure: str | None = field(text, None)

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the onsets, a tuple also where there is one."""
        return (self.key,) if isinstance(self.key, str) else self.key


@dataclasses.dataclass(frozen=True)
class Sidecar:
    """What a sidecar states. The TOML file has keys of the same names; all may be left out where the file says it.

    Args:
        sampling_rate: float or `None`. In Hz. Defaults to `None`, that of the file.
        axis: int or `None`. Axis of the array along which time runs; in tables, 0 where each column is a trace and 1
            where each row is. Defaults to `None`, the one that the file's own time column or vector proves.
        samples: int or `None`. Samples that each trace must have: proof that `axis` is right.
        stacked: bool. Whether A-scans follow on each other along `axis`, to be cut apart to `samples` each. Defaults to
            `False`.
        signals: str or `None`. Name of the array that holds the traces, or of the columns of a table, with `*` for any
            text. Needed where a file holds more than one array of them.
        time: str or `None`. Name of the array or column with the time of each sample. Defaults to `None`, found by its
            name or unit.
        time_unit: str or `None`. Unit of the file's times and intervals, `"s"`, `"ms"`, `"us"` or `"ns"`. Defaults to
            `None`, that of the file.
        onset: `OnsetLabel` or `None`, without labels. In TOML, `onset = { key = "tof", unit = "us" }`.
        groups: `Column` or `None`. What each trace belongs to, by which a dataset may be split. In TOML,
            `groups = { key = "specimen", file = "log.csv" }`.
        unit: str. Unit of the amplitude, such as `"V"` or `"counts"`. Defaults to `""`, that of the file.
        full_scale: pair of float or `None`. Lowest and highest amplitude that the recorder can give. Defaults to
            `None`, that of the file.
        start_time: float or `None`. Time of the first sample after the transmit pulse, in s. Defaults to `None`, that
            of the file, or 0 where it has none.
        files: str. In the sidecar of a folder, the files that it speaks of, with `*` for any text. Defaults to `"*"`.
        delimiter: str or `None`. One character between the cells of a table, `" "` for any blanks. Defaults to `None`,
            the one that makes it a table of numbers.
        decimal: str or `None`. Decimal point of a table, `"."` or `","`. Defaults to `None`, as `delimiter`.
        encoding: str or `None`. Of a table's text, such as `"cp1252"`. Defaults to `None`: UTF-8, what its first bytes
            state, or cp1252.
        header: int or `None`. Lines of a table ahead of its numbers. Defaults to `None`, those without numbers.
        max_bytes: int. Largest size of the decoded data, in bytes. Defaults to 2 GiB.
        description: str. Free text.
    """

    sampling_rate: float | None = field(
        checked("a positive number in Hz, such as 60e6", lambda value: is_number(value) and value > 0), None
    )
    axis: int | None = field(integer(0), None)
    samples: int | None = field(integer(2), None)
    stacked: bool = field(flag, False)
    signals: str | None = field(text, None)
    time: str | None = field(text, None)
    time_unit: str | None = field(choice(*(unit for unit, seconds in TIME_UNITS.items() if seconds)), None)
    onset: OnsetLabel | None = field(table(OnsetLabel), None)
    groups: Column | None = field(table(Column), None)
    unit: str = field(text, "")
    full_scale: tuple[float, float] | None = field(_RANGE, None)
    start_time: float | None = field(number("s"), None)
    files: str = field(text, "*")
    delimiter: str | None = field(checked("one character that is no letter, digit or quote", _is_delimiter), None)
    decimal: str | None = field(choice(".", ","), None)
    encoding: str | None = field(checked("an encoding, such as 'cp1252' or 'utf-16'", _is_encoding), None)
    header: int | None = field(integer(0), None)
    max_bytes: int = field(integer(1), DEFAULT_MAX_BYTES)
    description: str = field(text, "")


def read_sidecar(path: str | Path | None, **settings: Any) -> Sidecar:
    """Reads and validates a sidecar.

    Args:
        path: path of a .toml file, or `None` for none, that is the settings alone.
        **settings: keys of a sidecar, which come before those of the file. `None` leaves the file's.

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
    read_sidecar(path, axis=0).sampling_rate  # 60e6
    ```
    """
    settings = {key: _plain(value) for key, value in settings.items() if value is not None}
    with errors_named("the settings"):
        sidecar = build(Sidecar, settings)
    if path is not None:
        with errors_named(Path(path)):
            stated = build(Sidecar, read_toml(Path(path), "sidecar"))
        sidecar = dataclasses.replace(stated, **{key: getattr(sidecar, key) for key in settings})
    with errors_named("the settings" if path is None else Path(path)):
        _check(sidecar)
    return sidecar


def _plain(value):
    """A setting as TOML would have it."""
    return dataclasses.asdict(value) if isinstance(value, OnsetLabel | Column) else value


def _check(sidecar):
    """What keys must satisfy together."""
    for name in ("onset", "groups"):
        part = getattr(sidecar, name)
        if part and part.match and not part.file:
            raise FieldError((name, "match"), f"needs '{name}.file', the table that it is a column of.")
    if sidecar.onset and sidecar.onset.trace and not sidecar.onset.file:
        raise FieldError(("onset", "trace"), "needs 'onset.file', the table that it is a column of.")
    if sidecar.decimal is not None and sidecar.decimal == sidecar.delimiter:
        raise FieldError(("decimal",), f"and 'delimiter' are both {sidecar.decimal!r}; they must differ.")
    if sidecar.stacked and sidecar.samples is None:
        raise FieldError(("stacked",), "needs 'samples', the samples of each A-scan of the stack.")
