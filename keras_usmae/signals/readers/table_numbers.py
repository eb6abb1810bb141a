"""The numbers of a table whose layout is known, block by block, each line checked."""

import array
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.signals.readers.table_text import is_number, plain_number, split_cells, without_empty_end

if TYPE_CHECKING:
    from keras_usmae.signals.readers.table_layout import Layout

_BLOCK = 2**18  # cells


def load_columns(path: Path, layout: "Layout", single: list[int], double: list[int], is_stacked: bool = False) -> tuple:
    """Numbers of some columns of a table.

    Args:
        single: list of int. Places among the layout's columns, read as float32.
        double: list of int. The same, read as float64.
        is_stacked: bool. Whether blank lines may part the rows into blocks. Defaults to `False`.

    Returns:
        A tuple of a float32 array of shape `(rows, len(single))`, and a list of float64 arrays of shape `(rows,)`.

    Raises:
        ValueError: where a row has other cells than the first, or a cell is no number; the message names the line.
    """
    places = sorted({*single, *double})
    wanted = [places.index(place) for place in single]
    size = max(_BLOCK // max(layout.width, 1), 1)
    # These grow in place, where a list of blocks would be held twice in the end.
    numbers, columns = array.array("f"), [array.array("d") for _ in double]
    try:
        with path.open(encoding=layout.encoding) as file:
            blocks = _Blocks()
            lines = blocks.rows(enumerate(file), layout.first)
            rows = _Rows(path, layout, [layout.columns[place] for place in places])
            while block := list(itertools.islice(lines, size)):
                parsed = rows.parse(block)
                with np.errstate(over="ignore"):
                    numbers.frombytes(parsed[:, wanted].astype(np.float32).tobytes())
                for column, place in zip(columns, double, strict=True):
                    column.frombytes(parsed[:, places.index(place)].tobytes())
    except UnicodeError as error:
        raise ValueError(
            f"{str(path)!r} is not text in {layout.encoding}: {error}. Write the sidecar's 'encoding', such as "
            '"cp1252" or "utf-16".'
        ) from error
    if not is_stacked:
        blocks.check(path)
    table = np.frombuffer(numbers, np.float32).reshape(-1, len(single))
    return table, [np.frombuffer(column, np.float64) for column in columns]


class _Blocks:
    """Passes on the rows of a table, and notes where blank lines part them."""

    def __init__(self):
        self._count, self._parts, self._first = 0, 0, 0

    def rows(self, lines, first):
        """Yields the numbers and texts of lines that are not blank, from the first row on."""
        is_blank = False
        for number, line in lines:
            if number < first:
                continue
            if not line.strip():
                is_blank = True
                continue
            if is_blank and self._count:
                self._parts += 1
                self._first = self._first or self._count
            is_blank = False
            self._count += 1
            yield number, line

    def check(self, path):
        """Refuses rows in blocks. A blank line behind each row is another way to end lines."""
        if self._parts and self._parts < (self._count - 1) // 2:
            raise ValueError(
                f"{str(path)!r}: blank lines part its numbers into {self._parts + 1:,} blocks, the first of "
                f"{self._first:,} rows. If each is a trace, write stacked = true and samples = {self._first}; if not, "
                "take the blank lines out."
            )


class _Rows:
    """Parses lines of a table.

    Args:
        places: list of int. Places of the wanted cells.
    """

    def __init__(self, path, layout, places):
        self._path, self._layout, self._places = path, layout, places

    def parse(self, block):
        """Wanted numbers of lines, a float64 array of shape `(lines, cells)`."""
        layout = self._layout
        # Most lines are alike, and go to NumPy as they stand; only what is odd about others is looked at in Python.
        count = block[0][1].count(layout.delimiter)
        rows = [self._row(number, line, count) for number, line in block]
        try:
            return np.loadtxt(rows, delimiter=layout.delimiter, usecols=self._places, comments=None, ndmin=2)
        except ValueError:
            for number, line in block:
                self._refuse_texts(number, line)
            raise

    def _row(self, number, line, count):
        layout = self._layout
        is_plain = layout.delimiter != " " and line.count(layout.delimiter) == count and '"' not in line
        if is_plain and count == layout.width - 1 and line.isascii():
            if layout.decimal == ".":
                return line
            if "." not in line:
                return line.replace(",", ".")
        cells = self._cells(number, line)
        row = ["0"] * layout.width
        for place in self._places:
            row[place] = plain_number(cells[place], layout.decimal) if self._is_number(cells[place]) else "?"
        return layout.delimiter.join(row)

    def _cells(self, number, line):
        layout = self._layout
        row = split_cells(line.strip("\r\n"), layout.delimiter)
        if len(row) != layout.width:
            row = without_empty_end(row)
        if len(row) > layout.width or len(row) <= self._places[-1]:
            raise ValueError(
                f"{str(self._path)!r}: line {number + 1} has {len(row)} cells, and others {layout.width}: "
                f"{line.strip()[:50]!r}. "
                "Mend that line, or write the sidecar's 'delimiter' and 'decimal' if those found are wrong: "
                f"{layout.delimiter!r} and {layout.decimal!r}."
            )
        return row

    def _is_number(self, cell):
        return is_number(cell, self._layout.decimal)

    def _refuse_texts(self, number, line):
        cells = self._cells(number, line)
        for place in self._places:
            if not self._is_number(cells[place]):
                raise ValueError(
                    f"{str(self._path)!r}: line {number + 1} has {cells[place][:40]!r} where a number is expected. "
                    "Mend that line, or write nan for a sample that is missing."
                )
