"""Tables of numbers in .csv files, with or without a line of column names."""

import csv
import fnmatch

import numpy as np

# Two characters make a number at least, and a float64 has 8 bytes.
_BYTES_PER_CHARACTER = 4


def read_table(path, sidecar, max_bytes, patterns=None):
    """Reads columns of a table.

    Args:
        path: path of the file.
        sidecar: the `Sidecar`, for `delimiter` and `decimal`.
        max_bytes: int. Largest size in memory.
        patterns: list of str or `None`. Names of the columns to read, with `*` for any text; other columns may hold
            anything. Defaults to `None`, all columns.

    Returns:
        A tuple `(names, table)`: list of str, the names of the columns, numbered ones where the first line holds
        numbers already; and a float64 array of shape `(rows, columns)`.

    Raises:
        ValueError: where the file is too large, not a table of numbers, or lacks a column.
    """
    size = path.stat().st_size
    if _BYTES_PER_CHARACTER * size > max_bytes:
        raise ValueError(
            f"{str(path)!r} has {size:,} bytes, which may need {_BYTES_PER_CHARACTER * size:,} in memory; "
            f"{max_bytes:,} are allowed. Raise 'max_bytes' in the sidecar, or save it as .npy."
        )
    first, second = _first_lines(path, sidecar.delimiter)
    numbers = [_is_number(cell, sidecar.decimal) for cell in first]
    has_names = not any(numbers)
    if has_names and second is None:
        raise ValueError(f"{str(path)!r} has one line, of names; numbers are expected below it.")
    if not has_names and not all(numbers):
        # Taken as names, a damaged line of numbers would be lost without a word.
        raise ValueError(
            f"{str(path)!r} begins with a line of numbers and other things, such as "
            f"{first[numbers.index(False)]!r}. Let it be names only, or numbers only."
        )
    names = [cell.strip() for cell in first] if has_names else [f"column {i}" for i in range(len(first))]
    if has_names and len(second) != len(names):
        raise ValueError(f"{str(path)!r} names {len(names)} columns, but its first row has {len(second)} cells.")
    columns = _choose(path, names, has_names, patterns)
    try:
        with path.open(encoding="utf-8-sig") as file:
            table = np.loadtxt(
                file,
                delimiter=sidecar.delimiter,
                skiprows=int(has_names),
                usecols=columns,
                comments=None,
                ndmin=2,
                quotechar='"',
                converters=None if sidecar.decimal == "." else lambda cell: float(cell.replace(",", ".")),
            )
    except ValueError as error:
        raise ValueError(
            f"{str(path)!r} is not a table of numbers with {sidecar.delimiter!r} between the cells and "
            f"{sidecar.decimal!r} as decimal point, as its sidecar has it: {error}"
        ) from error
    return names if columns is None else [names[i] for i in columns], table


def _first_lines(path, delimiter):
    """Cells of the first two lines; `None` for a second one that is not there."""
    try:
        # utf-8-sig leaves out the mark that spreadsheets put ahead of the text.
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row, _ in zip(csv.reader(file, delimiter=delimiter), range(2), strict=False)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{str(path)!r} is not text in UTF-8: {error}. Export it again as CSV in UTF-8.") from error
    if not rows or not rows[0]:
        raise ValueError(f"{str(path)!r} begins with an empty line; names or numbers are expected.")
    return rows[0], rows[1] if len(rows) > 1 else None


def _choose(path, names, has_names, patterns):
    if patterns is None:
        return None
    if not has_names:
        raise ValueError(f"{str(path)!r} has no line of column names, but {patterns} are asked for. Add that line.")
    if len(set(names)) != len(names):
        raise ValueError(f"{str(path)!r} has two columns of one name: {names[:12]}.")
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise ValueError(f"{str(path)!r} has no column {pattern!r}. Its columns are {names[:12]}.")
    return [i for i, name in enumerate(names) if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]


def _is_number(cell, decimal):
    try:
        float(cell.replace(decimal, "."))
    except ValueError:
        return False
    return True
