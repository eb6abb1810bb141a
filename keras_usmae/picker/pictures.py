"""The pictures of a prediction: what is kept of the traces while they pass, and what is drawn of it in the end."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from keras_usmae.files import save_figure
from keras_usmae.picker.drawn import BScanLine, DrawnTrace, EvenSample, TimeGrid, Worst
from keras_usmae.picker.job import ends
from keras_usmae.picker.maps import Measured, plot_c_scan, plot_histogram, plot_profile
from keras_usmae.picker.plots import plot_a_scans, plot_b_scan
from keras_usmae.picker.rows import distance_name
from keras_usmae.picker.source import count

if TYPE_CHECKING:
    from keras_usmae.picker.job import Block, Job
    from keras_usmae.picker.tables import PickTable

_NUM_A_SCANS, _NUM_DOUBTFUL, _NUM_WITHOUT = 6, 5, 3
_MAX_LINES, _MAX_COLUMNS = 600, 1500


class Pictures:
    """Gathers traces while they are picked, and draws them."""

    def __init__(self, job: "Job") -> None:
        self.job = job
        self.grid = _time_grid(job.source.ahead)
        self.typical = EvenSample(_NUM_A_SCANS)
        expected = count(job.first) * len(job.source.files)
        self.doubtful = Worst(_NUM_DOUBTFUL, apart=min(max(expected // 64, 1), 16))
        self.without = EvenSample(_NUM_WITHOUT)
        self.sections = _sections(job.scan, sum(len(recording.index) for recording in job.source.ahead))

    def add(self, block: "Block", rows: dict) -> None:
        """Keeps what the pictures need of a block.

        Args:
            rows: dict of arrays, as `block_rows` returns it, with the places of traces in the block.
        """
        usable = block.usable
        first = np.searchsorted(rows["trace"], usable)
        last = np.searchsorted(rows["trace"], usable, side="right")
        found = rows["echo"] > 0
        least = (
            np.fmin.reduceat(np.append(np.where(found, rows["confidence"], np.inf), np.inf), first)
            if len(first)
            else []
        )
        numbers = block.number[usable]
        flagged = _count(found & (rows["flag"] != ""), first, last) > 0
        empty = _count(found, first, last) == 0
        # Most traces of a large scan are drawn nowhere, so that they cost no step of a loop.
        drawn = flagged | (empty & self.without.wants(numbers)) | self.typical.wants(numbers)
        for section in self.sections:
            drawn |= section.wants(numbers)
        for i in np.flatnonzero(drawn):
            place, number = usable[i], int(numbers[i])
            picks = slice(first[i], last[i])
            wanted = [self.typical] if self.typical.wants(number) else []
            if flagged[i] and self.doubtful.wants(number, least[i]):
                self.doubtful.add(number, least[i], self._drawn(block, i, place, rows, picks))
            if empty[i] and self.without.wants(number):
                wanted.append(self.without)
            for keeper in wanted:
                keeper.add(number, self._drawn(block, i, place, rows, picks))
            for section in self.sections:
                if section.wants(number):
                    section.add(number, self._line(block, i, rows, picks))

    def save(self, folder: str | Path, table: "PickTable", zoom: float, min_confidence: float | None) -> None:
        """Draws all pictures.

        Args:
            zoom: float. Length of a burst in s.
            min_confidence: float or `None`, that picks needed.
        """
        job, folder = self.job, Path(folder)
        name = job.source.path.name
        measured, amplitudes = _measured(job, table)
        values = _preferred(measured)
        confidence = table.columns()["confidence"]
        several = len(np.unique(table.columns()["_number"])) > 1  # of one trace, its A-scan says all
        figures = {"histogram": plot_histogram(values, confidence, min_confidence)} if several else {}
        unit = job.first.unit
        if traces := self.typical.items():
            title = f"A-scans of {name}: {len(traces)} of {len(np.unique(table.columns()['_number'])):,}"
            figures["a_scans"] = plot_a_scans(traces, job.gates, unit, zoom, title)
        if traces := self.doubtful.items() + self.without.items():
            title = f"Doubtful traces of {name}: the least sure picks, and traces without one"
            figures["doubtful"] = plot_a_scans(traces, job.gates, unit, zoom, title)
        if several and (sections := [section.drawn(name) for section in self.sections if section.items()]):
            figures["b_scan"] = plot_b_scan(sections, self.grid, job.gates)
        if job.scan.is_grid:
            pairs = {amplitude.gate: amplitude for amplitude in amplitudes}
            maps = []
            for quantity in values:
                maps += [quantity, pairs[quantity.gate]] if quantity.title.startswith("ToF") else [quantity]
            figures["c_scan"] = plot_c_scan(job.scan, maps)
        elif several:
            figures["profile"] = plot_profile(job.scan, values)
        for file, figure in tqdm(figures.items(), desc="Drawing", unit=" pictures", disable=None):
            save_figure(figure, folder / f"{file}.png")

    def _drawn(self, block, i, place, rows, picks):
        mine = slice(picks.start, picks.stop)
        found = rows["echo"][mine] > 0
        many = len(self.job.source.files) > 1
        where = ", ".join(
            f"{column.replace('_mm', '')} {value:g}{' mm' if column.endswith('_mm') else ''}"
            for column, value in self.job.scan.positions(block.number[place]).items()
            if column != "trace"
        )
        trace = f"trace {block.trace[place]}" + (f" ({where})" if where else "")
        return DrawnTrace(
            name=f"{block.file[place]}, {trace}" if many else trace,
            signal=block.signals[i].copy(),
            sampling_rate=block.sampling_rate,
            start_time=block.start_time,
            tof=rows["tof"][mine][found],
            interval=rows["interval"][mine][found],
            confidence=rows["confidence"][mine][found],
            gate=rows["gate"][mine][found],
            label=float(block.label[place]),
            flag=next((flag for flag in rows["flag"][mine] if flag), ""),
        )

    def _line(self, block, i, rows, picks):
        found = rows["echo"][picks] > 0
        magnitude = self.grid.to_line(block.signals[i], block.sampling_rate, block.start_time)
        return magnitude, rows["tof"][picks][found], rows["gate"][picks][found]


def _count(mask, first, last):
    """How many are true from each first to before each last."""
    before = np.concatenate([[0], np.cumsum(mask)])
    return before[last] - before[first]


def _time_grid(recordings):
    """Columns that hold all records that were read ahead; at most one a sample, so that none stays empty."""
    starts, stops = zip(*map(ends, recordings), strict=True)
    step = max(1 / recording.sampling_rate for recording in recordings)
    start, stop = min(starts), max(stops) + step
    return TimeGrid(start, stop, max(min(_MAX_COLUMNS, round((stop - start) / step)), 1))


class _Section:
    """The traces of one B-scan: all of a line, or those of a grid with one place fixed."""

    def __init__(self, scan, at_least, axis=0, fixed=None):
        self.scan, self.axis, self.fixed = scan, axis, fixed
        self._sample = EvenSample(_MAX_LINES, at_least)

    def wants(self, number):
        """Whether the trace of this number is one of them; bool, or an array of them for an array of numbers."""
        along = self.scan.indices(number)
        mine = self._sample.wants(along[self.axis])
        return mine if self.fixed is None else mine & (along[1 - self.axis] == self.fixed)

    def add(self, number, line):
        along = int(self.scan.indices(number)[self.axis])
        self._sample.add(along, BScanLine(self.scan.place(along, self.axis), *line))

    def items(self):
        return self._sample.items()

    def drawn(self, name):
        title = f"B-scan of {name}"
        if self.fixed is not None:
            other = 1 - self.axis
            unit = " mm" if self.scan.step else ""
            place = f"{self.scan.names[other]} = {self.scan.place(self.fixed, other):g}{unit}"
            title += f" along {self.scan.names[self.axis]}, at {place}"
        return {"title": title, "label": self.scan.labels[self.axis], "lines": self.items()}


def _sections(scan, num_traces):
    if not scan.is_grid:
        return [_Section(scan, num_traces)]
    return [_Section(scan, 0, axis, scan.shape[1 - axis] // 2) for axis in (0, 1)]


def _measured(job, table):
    """What each gate measured, and how loud it was: two lists of `Measured`."""
    columns = table.columns()
    number, found = columns["_number"], columns["echo"] > 0
    distance = distance_name(job.config)
    measured, amplitudes = [], []
    unit = job.first.unit or "unit not stated"
    for i, gate in enumerate(job.gates):
        rows = np.flatnonzero(found & (columns["_gate"] == i))
        end = "" if len(job.gates) == 1 else f", {gate.name}"
        kinds = [("ToF", "tof", "us", "µs")] + ([("Depth", "depth", "mm", "mm")] if distance == "depth" else [])
        for title, key, suffix, symbol in kinds:
            interval = np.stack([columns[f"{key}_low_{suffix}"][rows], columns[f"{key}_high_{suffix}"][rows]], axis=1)
            value = columns[f"{key}_{suffix}"][rows]
            measured.append(Measured(title + end, f"{title} / {symbol}", number[rows], value, interval, i))
        amplitudes.append(
            Measured(
                f"Amplitude{end}", f"Amplitude / {unit}", number[rows], columns["amplitude"][rows], None, i, "magma"
            )
        )
    if distance == "thickness":
        rows = np.flatnonzero(np.isfinite(columns["thickness_mm"]))
        interval = np.stack([columns["thickness_low_mm"][rows], columns["thickness_high_mm"][rows]], axis=1)
        value = columns["thickness_mm"][rows]
        measured.append(Measured("Thickness", "Thickness / mm", number[rows], value, interval, len(job.gates)))
    return measured, amplitudes


def _preferred(measured):
    """The quantities to draw, what was asked for first: thickness or depth ahead of the ToF."""
    order = {"Thickness": 0, "Depth": 1, "ToF": 2}
    return sorted(measured, key=lambda quantity: order[quantity.title.split(",")[0]])
