"""Values of the traces that lie beside them or in a table elsewhere: onsets, whether they are sure, and groups."""

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.signals.readers.array_file import ARRAY_SUFFIXES, open_arrays
from keras_usmae.signals.readers.array_traces import read_values
from keras_usmae.signals.readers.facts import parse_number
from keras_usmae.signals.readers.settle import MissingKeyError
from keras_usmae.signals.readers.sidecar import TIME_UNITS, Sidecar
from keras_usmae.signals.readers.table_file import TABLE_SUFFIXES, check_size
from keras_usmae.signals.readers.table_layout import find_delimiter
from keras_usmae.signals.readers.table_text import (
    find_encoding,
    is_number,
    plain_number,
    read_head,
    split_cells,
    without_empty_end,
)

if TYPE_CHECKING:
    from keras_usmae.signals.readers.traces import Traces

_UNSURE = {"", "false", "no", "nan", "n", "none", "nein"}


@dataclasses.dataclass(frozen=True)
class Place:
    """Which file of how many a recording is.

    Args:
        index: int. Place of the file among those that are read together.
        count: int. How many those are.
        trace: int or `None`. Traces of the files before it; `None` where one could not be read.
        sidecar_folder: path or `None`. Where the sidecar lies.
    """

    index: int = 0
    count: int = 1
    trace: int | None = 0
    sidecar_folder: Path | None = None


def keys_in_file(sidecar: Sidecar) -> list[str]:
    """Names of arrays or columns beside the traces in the data file itself."""
    keys = []
    if sidecar.onset is not None and sidecar.onset.file is None:
        keys += [*sidecar.onset.keys, *([sidecar.onset.sure] if sidecar.onset.sure else [])]
    if sidecar.groups is not None and sidecar.groups.file is None:
        keys.append(sidecar.groups.key)
    return list(dict.fromkeys(keys))


def read_onsets(
    path: Path,
    sidecar: Sidecar,
    traces: "Traces",
    place: Place,
    max_bytes: int,
    sampling_rate: float,
    start_time: float,
) -> dict | None:
    """Onsets of the traces of a file, in samples.

    Args:
        place: the `Place` of the file.
        sampling_rate: float. In Hz.
        start_time: float. In s.

    Returns:
        dict of float64 arrays of shape `(n,)` by name, `None` without labels.

    Raises:
        ValueError: where the labels do not fit the traces.
    """
    label = sidecar.onset
    if label is None:
        return None
    wanted = [*label.keys, *([label.sure] if label.sure else [])]
    values = _read(path, label, wanted, traces, place, max_bytes)
    if label.sure:
        sure = np.array([_is_sure(value) for value in values.pop(label.sure)])
    seconds = TIME_UNITS[label.unit]
    onsets = {}
    for key, onset in values.items():
        onset = _as_numbers(path, key, onset)
        if label.sure:
            onset = np.where(sure, onset, np.nan)
        onsets[key] = onset if seconds is None else (onset * seconds - start_time) * sampling_rate
    return onsets


def read_groups(path: Path, sidecar: Sidecar, traces: "Traces", place: Place, max_bytes: int) -> tuple[str, ...] | None:
    """Group of each trace of a file, a tuple of `n` str, or `None` where the sidecar names none."""
    if sidecar.groups is None:
        return None
    values = _read(path, sidecar.groups, [sidecar.groups.key], traces, place, max_bytes)[sidecar.groups.key]
    return tuple(f"{value:g}" if isinstance(value, float) else str(value) for value in np.asarray(values).tolist())


def _read(path, column, keys, traces, place, max_bytes):
    if column.file is None:
        found, rows = {key: traces.values[key] for key in keys}, None
    else:
        file, rows = _locate(path, column.file, place), None
        changed = file.stat().st_mtime_ns
        found = _read_file(file, tuple(keys), max_bytes, changed)
        if column.match:
            by_name = _rows_by_name(file, column.match, max_bytes, changed)
            rows = by_name.get(path.name) or by_name.get(path.stem)
            if not rows:
                raise ValueError(f"{str(file)!r} has no row whose {column.match!r} is {path.name!r}.")
        if getattr(column, "trace", None):
            numbers = _read_file(file, (column.trace,), max_bytes, changed)[column.trace]
            return _spread_out(file, column, found, numbers, rows, len(traces.signals), place)
    return {
        key: _of_traces(path, column, key, values, rows, len(traces.signals), place) for key, values in found.items()
    }


def _spread_out(file, column, found, numbers, rows, count, place):
    """Values of the traces whose numbers a table has, and nothing for the others."""
    if rows is None and place.count > 1:
        raise ValueError(
            f"{str(file)!r} numbers traces of {place.count} files: name its column with the files' names in 'match'."
        )
    rows = range(len(numbers)) if rows is None else rows
    trace = []
    for row in rows:
        cell = str(numbers[row]).strip()[:40]
        number = parse_number(cell)
        if number is None or not number[0].is_integer() or not 0 <= number[0] < count:
            raise ValueError(
                f"{str(file)!r}: row {row + 1} has {column.trace} {cell!r}; the number of a trace, from 0 to "
                f"{count - 1}, is expected."
            )
        trace.append(int(number[0]))
    different, times = np.unique(np.array(trace, int), return_counts=True)
    if (times > 1).any():
        repeated = different[times > 1][0]
        raise ValueError(f"{str(file)!r} has {column.trace} {repeated} more than once; one row a trace is expected.")
    spread = {}
    for key, values in found.items():
        spread[key] = [""] * count
        for place_of_row, row in zip(trace, rows, strict=True):
            spread[key][place_of_row] = values[row]
    return spread


def _locate(path, name, place):
    """A file of labels, beside the data or the sidecar; links are not followed, which may lead anywhere."""
    folders = [path.parent, *([place.sidecar_folder] if place.sidecar_folder else [])]
    for folder in folders:
        file = folder / name
        if file.is_symlink():
            raise ValueError(f"{str(file)!r}, which the sidecar names, is a link. Put the file itself there.")
        if file.is_file():
            return file
    raise FileNotFoundError(f"There is no file {str(folders[0] / name)!r}, which the sidecar names in 'file'.")


# One table may speak of a hundred thousand files, which are read one after the other.
@functools.lru_cache(maxsize=8)
def _read_file(file, keys, max_bytes, changed):
    suffix = file.suffix.lower()
    if suffix in TABLE_SUFFIXES:
        return read_texts(file, keys, max_bytes)
    if suffix not in ARRAY_SUFFIXES or suffix in (".wav", ".tdms"):
        raise ValueError(f"{str(file)!r} cannot hold labels. Use a table, such as .csv, or .npz, .mat or .h5.")
    with open_arrays(file, max_bytes) as opened:
        return {key: read_values(file, opened, key, max_bytes) for key in keys}


def read_texts(file: Path, keys: list[str], max_bytes: int) -> dict:
    """Some columns of a table with names, of numbers or texts.

    Args:
        keys: list of str. Names of the columns.

    Returns:
        dict of lists of str by name; numbers are as Python writes them.

    Raises:
        MissingKeyError: where a column is missing.
        ValueError: where it is no table.
    """
    check_size(file, max_bytes)
    encoding, _ = find_encoding(file, None)
    lines = read_head(file, encoding, max_bytes)
    delimiter, _ = find_delimiter(file, lines, Sidecar(), max_bytes)
    columns = {}
    try:
        with file.open(encoding=encoding) as opened:
            rows = ((number, line) for number, line in enumerate(opened, start=1) if line.strip())
            names = split_cells(next(rows)[1].strip("\r\n"), delimiter)
            if missing := [key for key in keys if names.count(key) != 1]:
                raise MissingKeyError(
                    f"{str(file)!r} has no one column {missing[0]!r}. Its columns are {[n[:40] for n in names[:12]]}.",
                    missing[0],
                )
            columns = {key: [] for key in keys}
            for number, line in rows:
                cells = without_empty_end(split_cells(line.strip("\r\n"), delimiter))
                if len(cells) > len(names):
                    raise ValueError(f"{str(file)!r}: line {number} has {len(cells)} cells for {len(names)} names.")
                for key, column in columns.items():
                    place = names.index(key)
                    column.append(cells[place] if place < len(cells) else "")
    except UnicodeError as error:
        raise ValueError(f"{str(file)!r} is not text in {encoding}: {error}. Save it in UTF-8.") from error
    # Labels may be missing anywhere, so that no one row tells the decimal point.
    if delimiter != "," and any("," in cell and is_number(cell, ",") for column in columns.values() for cell in column):
        for column in columns.values():
            column[:] = [plain_number(cell, ",") if is_number(cell, ",") else cell for cell in column]
    return columns


@functools.lru_cache(maxsize=4)
def _rows_by_name(file, match, max_bytes, changed):
    """Rows of a table by the file that they speak of."""
    rows = {}
    for row, name in enumerate(_read_file(file, (match,), max_bytes, changed)[match]):
        rows.setdefault(str(name), []).append(row)
    return rows


def _of_traces(path, column, key, values, rows, count, place):
    """The values of this file's traces, out of those of a table for many."""
    if rows is not None:
        values = [values[row] for row in rows]
    elif column.file is not None and place.count > 1 and (len(values) != count or count == 1):
        # A table for all files together: its rows follow on each other as the traces do.
        if place.trace is None:
            raise ValueError(
                f"{str(path)!r}: a file before it could not be read, so that its rows of {column.file!r} are not "
                "known. Name the column with the files' names in 'match'."
            )
        end = place.trace + count
        is_last, is_each_one = place.index == place.count - 1, end == place.index + 1
        if end > len(values) or (is_last and end != len(values)) or (is_each_one and len(values) < place.count):
            raise ValueError(
                f"{str(path)!r}: labels {key!r} have {len(values)} rows, for {place.count} files. A row for each "
                "trace of all files is expected, in the order of their names, or the files' names in a column that "
                "'match' names."
            )
        values = values[place.trace : end]
    if len(values) != count:
        raise ValueError(
            f"{str(path)!r}: labels {key!r} have the shape {np.shape(values)}, but there are {count} traces. One value "
            "each is expected, NaN for none, or a column with the traces' numbers, which 'trace' names. Is 'axis' "
            "right?"
        )
    return values


def _is_sure(value):
    text = str(value).strip().lower()
    number = parse_number(text)
    return text not in _UNSURE if number is None else number[0] != 0


def _as_numbers(path, key, values):
    try:
        return np.array([np.nan if v == "" else float(v) for v in np.asarray(values).tolist()])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{str(path)!r}: labels {key!r} are no numbers: {error}.") from error
