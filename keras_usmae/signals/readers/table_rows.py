"""Which columns of a table are samples, where each of its rows is a trace."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.signals.readers.clock import facts_of_times, is_count, is_ramp
from keras_usmae.signals.readers.table_header import is_sequence_name
from keras_usmae.signals.readers.table_text import is_number

if TYPE_CHECKING:
    from keras_usmae.signals.readers.facts import Fact
    from keras_usmae.signals.readers.sidecar import Sidecar
    from keras_usmae.signals.readers.table_header import Header
    from keras_usmae.signals.readers.traces import Traces

# Names of so many columns make a series; so many rows that rise are no chance.
_SHORTEST_SERIES, _FEWEST_ROWS = 16, 8


def take_rows(path: Path, traces: "Traces", header: "Header", sidecar: "Sidecar", times: dict) -> None:
    """Makes each row a trace; columns that number or place the traces are none of their samples.

    Args:
        path: `pathlib.Path`, for messages.
        traces: `Traces`, with rows of numbers and names of columns; changed in place.
        header: the `Header`.
        sidecar: the `Sidecar`.
        times: dict of arrays by place, the columns that their names or units call times.

    Raises:
        ValueError: where a column holds the times of the rows.
    """
    for place, values in times.items():
        if is_ramp(values) and sidecar.signals is None:
            raise ValueError(
                f"{str(path)!r}: column {header.names[place]!r} holds the times of the rows, so that each column is a "
                "trace, but the sidecar's 'axis' is 1. Write axis = 0, or name the samples' columns in 'signals'."
            )
        traces.left_out.append(f"column {header.names[place]!r}: no sample")
    if sidecar.signals is None:
        if header.is_named:
            _keep_series(traces)
            traces.facts += _times_of_names(traces.names, sidecar.time_unit or header.time_unit)
        _leave_out_first(traces)
    traces.names = [f"row {i}" for i in range(len(traces.signals))]


def _keep_series(traces):
    """Leaves out the columns beside the longest series of names: positions, labels and the like."""
    series = series_of(traces.names)
    if len(series) < _SHORTEST_SERIES or len(series) == len(traces.names):
        return
    kept = set(series)
    for place, name in enumerate(traces.names):
        if place not in kept:
            traces.left_out.append(f"column {name!r}: not of the series {traces.names[series[0]]!r}, ... of samples")
    traces.signals, traces.names = traces.signals[:, series], [traces.names[place] for place in series]


def series_of(names: list[str]) -> list[int]:
    """Places of the most names that are one series: numbers, or one text with a number behind it."""
    series: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        found = re.fullmatch(r"(.*?\D)\d+[\])]?", name)
        stem = "0" if is_number(name, ".") else found[1] if found else None
        if stem is not None:
            series.setdefault(stem, []).append(place)
    return max(series.values(), key=len, default=[])


def _times_of_names(names: list[str], unit: str) -> "list[Fact]":
    """Rate and start where names are the times of samples, and their unit is stated or beyond doubt."""
    if not all(is_number(name, ".") for name in names):
        return []
    values = np.array([float(name) for name in names])
    if not is_ramp(values) or is_count(values) or values[0] >= values[-1]:
        return []
    facts = facts_of_times(values, unit, "the line of names")
    return facts if all(fact.is_clear for fact in facts) else []


def _leave_out_first(traces):
    """Takes out a first column that numbers the rows, and tells of one that rises from row to row."""
    first = traces.signals[:, 0]
    if len(traces.names) <= 2:
        return
    if is_ramp(first) or (is_count(first) and len(first) > 2 and is_sequence_name(traces.names[0])):
        traces.left_out.append(f"column {traces.names[0]!r}: it rises by one step a row, and numbers the traces")
        traces.signals, traces.names = traces.signals[:, 1:], traces.names[1:]
    elif len(first) >= _FEWEST_ROWS and first[0] < first[-1] and (np.diff(first) >= 0).all():
        traces.doubts.append(
            f"column {traces.names[0]!r} rises from row to row: a place or number of the traces, and no sample? Name "
            "the samples' columns in 'signals'"
        )
