"""Finds the table in a text: its delimiter, its decimal point, where its numbers begin and which cells hold them."""

import dataclasses
import re
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from keras_usmae.signals.readers.settle import MissingKeyError
from keras_usmae.signals.readers.table_text import (
    BYTES_PER_CELL,
    THOUSANDS,
    find_encoding,
    is_number,
    read_head,
    split_cells,
    without_empty_end,
)

if TYPE_CHECKING:
    from keras_usmae.signals.readers.sidecar import Sidecar

_DELIMITERS = ("\t", ";", ",", "|", " ")
# Rows that are looked at closely, and characters of each while delimiters are tried.
_MAX_ROWS, _MAX_WIDTH = 200, 4096


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where the numbers of a table are.

    Args:
        delimiter: str. `" "` for any blanks.
        first: int. Lines ahead of the first row.
        width: int. Cells of a row, less empty ones at its end.
        columns: tuple of int. Places of the cells that hold numbers.
        above: tuple of lists of str. Cells of the lines ahead of the first row.
        rows: tuple of lists of str. Cells of the first rows.
        doubts: tuple of str.
    """

    encoding: str
    delimiter: str
    decimal: str
    first: int
    width: int
    columns: tuple[int, ...]
    above: tuple
    rows: tuple
    doubts: tuple[str, ...] = ()


def find_layout(path: Path, sidecar: "Sidecar", max_bytes: int) -> Layout:
    """Finds the table in a text file.

    Of all delimiters and decimal points, the one is taken that makes numbers of the largest share of the last rows.

    Args:
        sidecar: the `Sidecar`; what it states of `encoding`, `delimiter`, `decimal` and `header` is not looked for.

    Raises:
        ValueError: where there is no table of numbers, or its rows contradict each other.
        MissingKeyError: where more than one reading is possible.
    """
    encoding, doubt = find_encoding(path, sidecar.encoding)
    lines = read_head(path, encoding, max_bytes)
    delimiter, decimal = find_delimiter(path, lines, sidecar, max_bytes)
    layout = _build(path, sidecar, lines, encoding, delimiter, decimal)
    _refuse_two_readings(path, sidecar, layout)
    return dataclasses.replace(layout, doubts=(doubt,) if doubt else ())


def find_delimiter(path: str | Path, lines: list[str], sidecar: "Sidecar", max_bytes: int) -> tuple[str, str]:
    """Delimiter and decimal point of the last of some lines.

    Args:
        sidecar: the `Sidecar`; what it states is not looked for.

    Raises:
        ValueError: where there are no numbers, or too many cells in a line.
    """
    longest = max(lines, key=len)
    delimiters = (sidecar.delimiter,) if sidecar.delimiter else _DELIMITERS
    cells = 1 + max(longest.count(delimiter) for delimiter in delimiters)
    if BYTES_PER_CELL * cells > max_bytes:
        raise ValueError(
            f"{str(path)!r} has {cells:,} cells in a line, which may need {BYTES_PER_CELL * cells:,} bytes in memory; "
            f"{max_bytes:,} are allowed. Raise 'max_bytes' in the sidecar, or save it as .npy."
        )
    if not any(line.strip() for line in lines):
        raise ValueError(f"{str(path)!r} holds blank lines only; names or numbers are expected.")
    found = [
        (score, delimiter, decimal)
        for delimiter in delimiters
        for decimal in ((sidecar.decimal,) if sidecar.decimal else (".", ","))
        if (delimiter != decimal or '"' in lines[-1] + lines[-2 % len(lines)])
        and (score := _score(lines, delimiter, decimal))
    ]
    if not found:
        raise ValueError(_no_table(path, lines, sidecar))
    # The first of equals: a tab is a blank, too, and whole numbers have no decimal point.
    return max(found, key=lambda item: item[0])[1:]


def _score(lines, delimiter, decimal):
    """Share of the last rows' characters that is in numbers, and the number of cells; `None` for no numbers."""
    rows = [line for line in lines if line.strip()][-12:]
    cells = [split_cells(row[:_MAX_WIDTH], delimiter) for row in rows]
    if any(len(row) > _MAX_WIDTH for row in rows):  # the last cell of what was cut off may not be whole
        shortest = min(map(len, cells)) - 1
        cells = [row[:shortest] for row in cells]
    last = _numeric(cells[-1], decimal)
    whole = [last <= _numeric(row, decimal) for row in cells]
    cells = cells[len(whole) - whole[::-1].index(False) :] if False in whole else cells
    if not last:
        return None
    inside = sum(len(row[place]) for row in cells for place in last)
    everything = sum(len(cell) for row in cells for cell in row)
    return inside / everything, len(last)


def _numeric(cells, decimal):
    return {place for place, cell in enumerate(cells) if is_number(cell, decimal)}


def _build(path, sidecar, lines, encoding, delimiter, decimal):
    numbered = [(number, line) for number, line in enumerate(lines) if line.strip()]
    if sidecar.header is not None:
        first, columns = sidecar.header, None
        numbered_rows = [(number, line) for number, line in numbered if number >= first]
        if not numbered_rows:
            raise ValueError(f"{str(path)!r} has {len(lines)} lines, but the sidecar's 'header' is {first}.")
        columns = _numeric(split_cells(numbered_rows[0][1], delimiter), decimal)
        if not columns:
            raise ValueError(
                f"{str(path)!r}: line {numbered_rows[0][0] + 1}, the first behind the sidecar's 'header', has no "
                "numbers: "
                f"{numbered_rows[0][1][:80]!r}."
            )
    else:
        columns = _numeric(split_cells(numbered[-1][1], delimiter), decimal)
        first = numbered[-1][0]
        for number, line in reversed(numbered):
            if not columns <= _numeric(split_cells(line, delimiter), decimal):
                break
            first = number
    rows = [split_cells(line, delimiter) for number, line in numbered if number >= first][:_MAX_ROWS]
    lines_above = [line for number, line in numbered if number < first]
    above = [split_cells(line, delimiter) for line in lines_above]
    width = statistics.mode(len(without_empty_end(row)) for row in rows)
    width = max(width, max(columns) + 1)
    if delimiter == " ":
        above = [_cells_between_gaps(*pair, width) for pair in zip(lines_above, above, strict=True)]
    _refuse_damage(path, above, rows, columns, decimal, first)
    return Layout(encoding, delimiter, decimal, first, width, tuple(sorted(columns)), tuple(above), tuple(rows))


def _cells_between_gaps(line, cells, width):
    """Names that hold blanks, where two blanks or a tab stand between them."""
    parts = re.split(r"\s{2,}|\t", line.strip().lstrip("#%;").strip())
    return parts if len(cells) != width == len(parts) else cells


def _refuse_damage(path, above, rows, columns, decimal, first):
    """Rows of numbers ahead of a line that is none, and columns that hold numbers but in the last row."""
    run = 0
    for number, cells in enumerate(above[:-1]):
        numeric = _numeric(cells, decimal)
        run = run + 1 if columns <= numeric and len(numeric) == len(cells) else 0
        # One number in a line may be a setting, several one below the other are none.
        if run and (len(columns) > 1 or run > 3):
            other = next((cell for later in above[number + 1 :] for cell in later if not is_number(cell, decimal)), "")
            raise ValueError(
                f"{str(path)!r} has rows of numbers, then a line that is none, with {other[:40]!r}, then numbers "
                "again. "
                f"Mend that line, or write the sidecar's 'header': the lines ahead of the numbers, such as {first}."
            )
    for place in range(max(map(len, rows))):
        count = sum(place < len(row) and is_number(row[place], decimal) for row in rows)
        if place not in columns and 2 * count > len(rows):
            raise ValueError(
                f"{str(path)!r}: cell {place + 1} holds a number in most rows, but not in all. Fill it, write nan, or "
                "cut the last row if it is not whole."
            )


def _refuse_two_readings(path, sidecar, layout):
    cells = [row[place] for row in layout.rows for place in layout.columns if place < len(row)]
    if (
        sidecar.decimal is None
        and layout.delimiter == ","
        and any(re.fullmatch(r"[+-]?0\d+|-0", cell) for cell in cells)
    ):
        raise MissingKeyError(
            f"{str(path)!r} has a comma between the cells and, it seems, as decimal point: a cell begins with a zero. "
            'Write the sidecar\'s \'decimal\', "," or "."; with commas for both, export it with semicolons instead.',
            "decimal",
        )
    pointed = [cell for cell in cells if "." in cell]
    if (
        sidecar.decimal is None
        and layout.decimal == "."
        and layout.delimiter != ","
        and pointed
        and all(THOUSANDS.fullmatch(cell) for cell in pointed)
    ):
        raise MissingKeyError(
            f"{str(path)!r}: {pointed[0]!r} may have a decimal point, or a dot between thousands. Write the sidecar's "
            '\'decimal\', "." or ",".',
            "decimal",
        )
    if (
        sidecar.decimal is None
        and layout.decimal == ","
        and all(re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+", cell) for cell in cells if "," in cell)
        and any("," in cell for cell in cells)
    ):
        raise MissingKeyError(
            f"{str(path)!r}: {next(cell for cell in cells if ',' in cell)!r} may have a decimal comma, or one between "
            "thousands. Write the sidecar's 'decimal' = \",\", or export it without commas between thousands.",
            "decimal",
        )
    names = layout.above[-1] if layout.above else []
    if (
        sidecar.delimiter is None
        and sidecar.decimal is None
        and layout.delimiter == ","
        and len(layout.columns) == 2 == layout.width
        and len(names) < 2
        and all(cell.lstrip("+-").isdigit() for cell in cells)
        and [row[0] for row in layout.rows] != [str(int(layout.rows[0][0]) + i) for i in range(len(layout.rows))]
    ):
        raise MissingKeyError(
            f"{str(path)!r}: rows such as {','.join(layout.rows[0])!r} may be two whole numbers, or one with a decimal "
            "comma. Write the sidecar's 'delimiter' = \",\" or 'decimal' = \",\".",
            "delimiter",
        )
    if sidecar.header is None and not layout.above and _is_numbering(layout):
        raise MissingKeyError(
            f"{str(path)!r}: its first line {layout.delimiter.join(layout.rows[0])[:60]!r} may be names of columns, or "
            "the first numbers. Write the sidecar's 'header' = 1 or 0: the lines ahead of the numbers.",
            "header",
        )


def _is_numbering(layout):
    """Whether the first row counts its cells, as a table without names is written by some programs."""
    cells = [layout.rows[0][place] for place in layout.columns]
    return len(cells) > 1 and any(cells == [str(start + i) for i in range(len(cells))] for start in (0, 1))


def _no_table(path, lines, sidecar):
    last = next(line for line in reversed(lines) if line.strip())
    if sum(bool(line.strip()) for line in lines) == 1:
        return f"{str(path)!r} has one line, of names; numbers are expected below it: {last[:60]!r}."
    given = [
        f"{key} = {getattr(sidecar, key)!r}" for key in ("delimiter", "decimal", "header") if getattr(sidecar, key)
    ]
    told = f", with {' and '.join(given)} as its sidecar has it" if given else ""
    return (
        f"{str(path)!r} is not a table of numbers{told}: its line {last[:80]!r} has none. Write the sidecar's "
        "'delimiter', 'decimal' and 'header' (the lines ahead of the numbers) if it is one."
    )
