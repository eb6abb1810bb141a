"""What stands above and beside the numbers of a table: names, units, and an instrument's settings."""

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING

from keras_usmae.signals.readers.facts import (
    Fact,
    amplitude_unit,
    fact_of,
    is_known_name,
    is_time_unit,
    is_time_unit_name,
    normal,
    parse_number,
    split_unit,
)
from keras_usmae.signals.readers.table_text import is_number, plain_number, without_empty_end

if TYPE_CHECKING:
    from keras_usmae.signals.readers.sidecar import Sidecar
    from keras_usmae.signals.readers.table_layout import Layout

_MAX_SETTINGS = 500
_LABVIEW = {"X0": "start time", "Delta_X": "sample interval"}
_COUNTED = re.compile(r"(?i)samples|points|length|size")
_CLOCK = re.compile(r"\d{1,4}([-/.:])\d{1,2}\1\d{1,4}([.,]\d+)?")  # a date, or a time of day
# Words of a row of units that are no units themselves.
_NO_UNITS = {"sequence", "", "none", "-", "sample", "samples", "point", "points", "index", "n"}


@dataclasses.dataclass(frozen=True)
class Header:
    """Names and settings of a table.

    Args:
        names: tuple of str. Of the columns that hold numbers, `column 0`, `column 1`, ... where there are none.
        units: tuple of str. Of the same, `""` where none is stated.
        facts: tuple of `Fact`. Of the settings.
        time_unit: str. What the settings state as unit of times, or `""`.
        is_named: bool. Whether the names are the file's.
        counts: dict of str by int. Settings that are numbers of samples, by their values.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    facts: tuple[Fact, ...]
    time_unit: str
    is_named: bool
    counts: dict = dataclasses.field(default_factory=dict)


def read_header(path: str | Path, layout: "Layout", sidecar: "Sidecar") -> Header:
    """Understands what stands above and beside the numbers.

    Raises:
        ValueError: where the names do not fit the columns.
    """
    above = [without_empty_end(cells) for cells in layout.above]
    above = [_cells_of(cells, layout) for cells in above if cells]
    beside = _beside(layout)
    units, names = [], []
    if above and _are_units(above[-1], layout) and len(above) > 1 and len(above[-2]) > max(layout.columns):
        units, names = above[-1], above[-2]
    elif above and not _is_setting(above[-1], layout):
        names = above[-1]
    if names and sidecar.header is None:
        _check_names(path, names, layout, num_lines=len(above))
    # One line of settings or text ahead of the numbers, or names that hold blanks between blanks.
    if len(names) <= max(layout.columns) or (layout.delimiter == " " and len(names) != layout.width):
        names = []
    if any(cells[:2] == ["X_Dimension", "Time"] for cells in above):  # LabVIEW's words
        above = [[_LABVIEW.get(cells[0], cells[0]), *cells[1:]] for cells in above]
        units = ["s" if name == "X_Value" else "" for name in names] if "X_Value" in names else units
    settings = _pairs(above, layout)
    _refuse_other_channels(path, above, layout)
    pairs = settings + beside + list(zip(names, units, strict=False))
    facts = [fact_of(key, value, f"setting {key!r}", time_unit=sidecar.time_unit) for key, value in pairs]
    time_unit = next((value for key, value in pairs if is_time_unit_name(key) and is_time_unit(value)), "")
    columns = [_column(place, names, units) for place in layout.columns]
    return Header(
        names=tuple(name for name, _ in columns),
        units=tuple(unit for _, unit in columns),
        facts=tuple(fact for fact in facts if fact is not None),
        time_unit=time_unit,
        is_named=bool(names),
        counts={int(value): key for key, value in settings if _COUNTED.search(key) and re.fullmatch(r"\d{1,9}", value)},
    )


def _cells_of(cells, layout):
    """Cells of a line above the numbers, which may have other delimiters than they, and a sign of a comment ahead."""
    if len(cells) == 1 and re.search(r"[,;\t]", cells[0]):
        cells = [cell.strip(' "') for cell in re.split(r"[,;\t]", cells[0])]
    if cells[0] in ("#", "%", ";") and len(cells) > max(layout.width, 1):
        cells = cells[1:]
    if layout.delimiter == " ":  # a name and its unit, as in "Time (us)"
        joined = []
        for cell in cells:
            if joined and re.fullmatch(r"[\[(].*[\])]", cell):
                joined[-1] += f" {cell}"
            else:
                joined.append(cell)
        cells = joined
    return cells


def _column(place, names, units):
    """Name and unit of a column; a name keeps its unit, as it stands in the file."""
    name = names[place] if place < len(names) and names[place] else f"column {place}"
    unit = units[place].strip("()[] ") if place < len(units) else split_unit(name)[1]
    return name, "" if unit.lower() in _NO_UNITS or is_number(unit, ".") else unit


def _are_units(cells, layout):
    """Whether a line holds units of the columns."""
    found = [cells[place] for place in layout.columns if place < len(cells)]
    units = [cell.strip("()[] ") for cell in found]
    known = [is_time_unit(unit) or bool(amplitude_unit(unit)) or unit.lower() in _NO_UNITS for unit in units]
    return len(found) == len(layout.columns) and all(known) and any(units)


def _is_setting(cells, layout):
    """Whether a line is a setting and its value, and no names of columns."""
    if len(cells) > 1 and all(_CLOCK.fullmatch(cell) for cell in cells[1:]):
        return True
    text = cells[0].lstrip("#%; ")
    key = re.split(r"[:=]", text)[0].strip()
    return (
        (is_known_name(key) or is_time_unit_name(key))
        and (len(cells) <= 3 or bool(re.search(r"[:=]", text)) or len(cells) <= max(layout.columns))
        and not (len(cells) == len(layout.columns) and is_time_unit(cells[0]))
    )


def _check_names(path, names, layout, num_lines):
    damaged = [name for name in names if re.match(r"[+-]?\.?\d", name) and not is_number(name, layout.decimal)]
    numbers = [name for name in names if is_number(name, layout.decimal)]
    if (damaged and (numbers or num_lines > 1 or len(damaged) == len(names))) or (
        numbers and names[0] and not names[0][0].isalpha()
    ):
        # Taken as names, a damaged line of numbers would be lost without a word.
        raise ValueError(
            f"{str(path)!r} begins with a line of numbers and other things, such as {(damaged or numbers)[0]!r}. Let "
            f"it be names only, or numbers only, or write the sidecar's 'header' = {layout.first}: the lines ahead of "
            "the numbers."
        )
    if num_lines == 1 and len(names) < layout.width and len(names) > 1:
        raise ValueError(
            f"{str(path)!r} names {len(names)} columns, but its first row has {layout.width} cells. Are the sidecar's "
            f"'delimiter' and 'decimal' right? Found were {layout.delimiter!r} and {layout.decimal!r}."
        )


def _refuse_other_channels(path, lines, layout):
    """Settings of time that have a value for each channel, of which two differ."""
    if len(layout.columns) < 2:
        return
    for cells in lines[:_MAX_SETTINGS]:
        if len(cells) < 3 or fact_of(cells[0], 1e-6, "") is None:
            continue
        values = [plain_number(cell, layout.decimal) for cell in cells[1:] if is_number(cell, layout.decimal)]
        if len(values) == len(cells) - 1 and len(set(map(float, values))) > 1:
            raise ValueError(
                f"{str(path)!r}: channels differ in {cells[0]!r}, {values[0]} and others. Export those apart that have "
                "no clock in common."
            )


def _pairs(lines, layout):
    """Settings and their values: cells side by side, or `Sample rate: 25 MHz` and `t0 = -1e-6` in one."""
    pairs = []
    for cells in lines[:_MAX_SETTINGS]:
        for cell in [" ".join(cells[:64])] if layout.delimiter == " " else cells[:64]:
            if found := re.fullmatch(r"[#%;]?\s*([A-Za-z][^:=]{0,60}?)\s*[:=]\s*(\S.{0,80})", cell):
                pairs.append((found[1], found[2]))
        if len(cells) > 1 and 0 < len(cells[0]) <= 80:
            value = next((cell for cell in cells[1:] if cell), "")
            rest = cells[cells.index(value, 1) + 1 :] if value else []
            value = plain_number(value, layout.decimal) if is_number(value, layout.decimal) else value
            unit = rest[0].strip("()[] ") if rest and len(rest[0]) < 20 else ""
            is_unit = bool(parse_number(value)) and (is_time_unit(unit) or unit.lower().endswith(("hz", "sa/s")))
            pairs.append((cells[0].lstrip("#%; "), f"{value} {unit}" if is_unit else value))
    return pairs


def _beside(layout):
    """Settings that stand in the first rows beside the numbers, a name and its value in neighbouring cells."""
    pairs, places = [], set(layout.columns)
    for row in layout.rows[:_MAX_SETTINGS]:
        others = [row[place] for place in range(min(len(row), 16)) if place not in places]
        if len(others) > 1 and others[0] and others[1]:
            pairs.append((others[0], others[1]))
    return pairs


def is_sequence_name(name: str) -> bool:
    """Whether a column of this name counts samples or rows."""
    return normal(name) in {"", "x", "index", "sequence", "sample", "samples", "no", "nr", "n", "i", "point", "row"}
