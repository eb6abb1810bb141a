"""Traces out of tables: .csv, .tsv, .txt, .lvm and others, as oscilloscopes and spreadsheets write them."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.signals.readers.array_choice import BY_ENERGY, axis_of_time, note_axis
from keras_usmae.signals.readers.clock import facts_of_times, is_count, is_ramp
from keras_usmae.signals.readers.facts import (
    VOLTS,
    Fact,
    amplitude_unit,
    is_length_unit,
    is_time_name,
    is_time_unit,
    split_unit,
)
from keras_usmae.signals.readers.guards import matching
from keras_usmae.signals.readers.settle import MissingKeyError
from keras_usmae.signals.readers.table_beside import facts_beside
from keras_usmae.signals.readers.table_header import read_header
from keras_usmae.signals.readers.table_layout import find_layout
from keras_usmae.signals.readers.table_numbers import load_columns
from keras_usmae.signals.readers.table_rows import take_rows
from keras_usmae.signals.readers.traces import Traces, check_shape, leave_out_ramps

if TYPE_CHECKING:
    from keras_usmae.signals.readers.sidecar import Sidecar

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".dat", ".asc", ".lvm")
# Two characters make a number at least, and a float64 has 8 bytes.
_BYTES_PER_CHARACTER = 4
_FAR_ABOVE = 1000


def read_table_traces(path: Path, sidecar: "Sidecar", max_bytes: int, keys: Collection[str] = ()) -> Traces:
    """Reads traces out of a table.

    Args:
        keys: collection of str. Columns of labels and groups beside the traces.

    Raises:
        ValueError: where the file is too large, not a table of numbers, or contradicts its sidecar.
        MissingKeyError: where it is not clear how it is to be read.
    """
    check_size(path, max_bytes)
    layout = find_layout(path, sidecar, max_bytes)
    header = read_header(path, layout, sidecar)
    if keys and sidecar.axis == 0:
        raise ValueError(
            f"{str(path)!r}: each column is a trace ('axis = 0'), so column {next(iter(keys))!r} cannot hold a label "
            "for each. Put the labels into another file, and name it in 'onset.file'."
        )
    kept = {key: _find(path, header, key) for key in keys}
    times = [place for place in _time_columns(path, header, sidecar) if place not in kept.values()]
    chosen = _choose(path, header, sidecar, {*kept.values(), *times})
    exact = sorted({*kept.values(), *times, *chosen[:1]})
    numbers, precise = load_columns(path, layout, chosen, exact, sidecar.stacked)
    precise = dict(zip(exact, precise, strict=True))
    _refuse_count(path, layout, sidecar, numbers)
    traces = Traces(numbers, [header.names[place] for place in chosen], [*header.facts, *facts_beside(path)], "")
    traces.values = {key: precise[place] for key, place in kept.items()}
    traces.doubts += layout.doubts
    shown = None
    if sidecar.axis is None and not times and len(chosen) > 1 and not is_ramp(precise[chosen[0]]):
        shown = axis_of_time(numbers)
    if sidecar.axis == 1 or (shown == 1 and not header.is_named):
        take_rows(path, traces, header, sidecar, {place: precise[place] for place in times})
        check_shape(path, traces.signals.shape, sidecar.samples)
        traces.axis = BY_ENERGY if sidecar.axis is None else "the sidecar"
    else:
        proof = BY_ENERGY if shown == 0 else ""
        _take_columns(
            path, traces, header, sidecar, {place: precise[place] for place in times}, precise[chosen[0]], proof
        )
        _set_unit(path, traces, header, chosen, sidecar)
    leave_out_ramps(traces, sidecar.time_unit or header.time_unit)
    note_axis(traces)
    return traces


def _refuse_count(path, layout, sidecar, numbers):
    """First numbers that count the others, or state a rate, as programs in C write them, are no samples."""
    if sidecar.header is not None or layout.above or numbers.shape[1] != 1 or len(numbers) < 8:
        return
    first, others = float(numbers[0, 0]), np.abs(numbers[4:, 0])
    ahead = len(numbers) - first if 1 <= len(numbers) - first <= 4 else 0
    if not ahead and not (np.isfinite(others).all() and abs(first) > _FAR_ABOVE * others.max() > 0):
        return
    why = "which may count those behind it" if ahead else "a thousand times larger than those behind it"
    raise MissingKeyError(
        f"{str(path)!r} begins with {first:g}, {why}: is it a sample? Write the sidecar's 'header', the lines ahead of "
        f"the samples, such as {max(int(ahead), 1)}, or 0 if all are samples.",
        "header",
    )


def check_size(path: Path, max_bytes: int) -> None:
    """Refuses a text that may need more memory than is allowed."""
    size = path.stat().st_size
    if _BYTES_PER_CHARACTER * size > max_bytes:
        raise ValueError(
            f"{str(path)!r} has {size:,} bytes, which may need {_BYTES_PER_CHARACTER * size:,} in memory; "
            f"{max_bytes:,} are allowed. Raise 'max_bytes' in the sidecar, or save it as .npy."
        )


def _find(path, header, key):
    """Place of the one column of a name."""
    places = [place for place, name in enumerate(header.names) if name == key]
    if len(places) != 1:
        told = "no column" if not places else f"{len(places)} columns"
        raise MissingKeyError(f"{str(path)!r} has {told} {key!r}. Its columns are {list(header.names[:12])}.", key)
    return places[0]


def _time_columns(path, header, sidecar):
    if sidecar.time is not None:
        return [_find(path, header, sidecar.time)]
    return [
        place
        for place, (name, unit) in enumerate(zip(header.names, header.units, strict=True))
        if is_time_unit(unit) or (header.is_named and is_time_name(name))
    ]


def _choose(path, header, sidecar, others):
    if sidecar.signals is None:
        chosen = [place for place in range(len(header.names)) if place not in others]
        if not chosen:
            raise ValueError(f"{str(path)!r} holds no columns of traces beside {list(header.names[:12])}.")
        return chosen
    if not header.is_named and not matching(header.names, sidecar.signals):
        raise ValueError(
            f"{str(path)!r} has no line of column names, but {sidecar.signals!r} is asked for. Add that line, or name "
            f"columns as {list(header.names[:3])}."
        )
    names = set(matching(header.names, sidecar.signals))
    chosen = [place for place, name in enumerate(header.names) if name in names]
    if sidecar.signals == "*":
        chosen = [place for place in chosen if place not in others]
    if not chosen:
        raise MissingKeyError(
            f"{str(path)!r} has no column {sidecar.signals!r}. Its columns are {list(header.names[:12])}.", "signals"
        )
    return chosen


def _take_columns(path, traces, header, sidecar, times, first, proof):
    """Each column is a trace, along the times of a column or of the settings."""
    for number, (place, values) in enumerate(times.items()):
        where = f"column {header.names[place]!r}"
        unit = sidecar.time_unit or header.units[place] or header.time_unit
        try:
            facts = facts_of_times(values, unit if is_time_unit(unit) else "", where)
        except ValueError as error:
            raise ValueError(f"{str(path)!r}: {error}") from error
        if number and not all(map(_agree, facts, traces.facts, [facts[0].value] * 2)):
            raise ValueError(
                f"{str(path)!r}: {where} and {traces.facts[0].where} hold other times, so that the channels have no "
                "clock in common. Export them apart, or read each by itself: 'signals' names it, and 'time' its times."
            )
        traces.facts[:0] = facts
        traces.left_out.append(f"{where}: the times of the samples")
        proof = where
    if not times and sidecar.signals is None and len(traces.names) > 1 and is_ramp(first):
        proof = _leave_out_first(path, traces, header, sidecar, first)
    if not times and not proof and all(amplitude_unit(unit) for unit in header.units):
        # Columns of volts, and an instrument's interval: a column is a channel.
        proof = next((fact.where for fact in header.facts if fact.key == "sampling_rate"), "")
    rows, columns = traces.signals.shape
    if not times and not proof and rows in header.counts and columns not in header.counts:
        proof = f"setting {header.counts[rows]!r}, the number of rows"
    if sidecar.axis is None and not proof and len(traces.names) > 1:
        raise MissingKeyError(
            f"{str(path)!r} has {traces.signals.shape[0]} rows and {traces.signals.shape[1]} columns. State in the "
            "sidecar whether each column is a trace ('axis = 0') or each row ('axis = 1').",
            "axis",
        )
    traces.axis = "the sidecar" if sidecar.axis == 0 else proof or "the only column"
    traces.signals = traces.signals.T


def _agree(fact, other, rate):
    """Whether two columns of times have one rate and, to half a sample, one start."""
    if fact.key == "start_time":
        return abs(fact.value - other.value) * rate <= 0.5
    return abs(fact.value / other.value - 1) <= max(1e-6, 2 * fact.uncertainty, 2 * other.uncertainty)


def _leave_out_first(path, traces, header, sidecar, first):
    """Takes out a first column that rises by one step a row; where it stands, if it shows that columns are traces."""
    name = traces.names[0]
    traces.signals, traces.names = traces.signals[:, 1:], traces.names[1:]
    if is_count(first):
        traces.left_out.append(f"column {name!r}: the numbers of the samples")
        return f"column {name!r}" if any(fact.key == "sampling_rate" for fact in header.facts) else ""
    where = f"column {name!r}"
    if is_length_unit(split_unit(name)[1]):
        traces.left_out.append(f"{where}: it rises by one step a row, the places of samples or traces")
        return ""
    traces.left_out.append(f"{where}: it rises by one step a row, the times of the samples")
    try:
        traces.facts[:0] = facts_of_times(first, sidecar.time_unit or header.time_unit, where)
    except ValueError as error:
        raise ValueError(f"{str(path)!r}: {error}") from error
    return where


def _set_unit(path, traces, header, chosen, sidecar):
    """One unit for all traces: those in mV beside others in V are brought to the first one's."""
    units = {header.names[place]: amplitude_unit(header.units[place]) or header.units[place] for place in chosen}
    units = {name: unit for name, unit in units.items() if name in traces.names and unit}
    if not units:
        return
    name, unit = next(iter(units.items()))
    traces.facts.insert(0, Fact("unit", unit, f"column {name!r}"))
    for other, its in units.items():
        if its == unit:
            continue
        if its not in VOLTS or unit not in VOLTS:
            raise ValueError(
                f"{str(path)!r}: column {name!r} is in {unit}, and {other!r} in {its}. Choose those of one unit by the "
                "sidecar's 'signals'."
            )
        traces.signals = np.array(traces.signals)
        traces.signals[traces.names.index(other)] *= np.float32(VOLTS[its] / VOLTS[unit])
        traces.doubts.append(f"column {other!r} is in {its} and was brought to {unit}")
