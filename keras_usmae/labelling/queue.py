"""The order in which traces are shown, from picks and labels so far."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.labelling.doubt import REASONS, judge, mixed, queue_order, run_around
from keras_usmae.picker.echo_table import DOUBTFUL, NO_ECHO, OPEN, SURE

if TYPE_CHECKING:
    from keras_usmae.labelling.found import Found
    from keras_usmae.labelling.labels import Labels
    from keras_usmae.picker.scan import Scan


_OVERVIEW_CELLS = 40_000  # of a grid that is shown as a map; a longer scan is a line
_LINE_CELLS = 720
# Cells of the overview: 0 is not looked at yet, up to 200 is doubt, and these are labels.
_CELL_OF_MARK = {SURE: 255, DOUBTFUL: 254, NO_ECHO: 253}
_LARGEST_DOUBT = 6.0


class Queue:
    """Sorts traces by doubt, and knows which are still to be looked at.

    Args:
        echoes: list of str, a name for each gate.
    """

    def __init__(self, found: "Found", labels: "Labels", echoes: Sequence[str], scan: "Scan") -> None:
        self.found, self.labels, self.echoes, self.scan = found, labels, echoes, scan
        self.num_traces = labels.num_traces
        self.line_length = scan.shape[-1] if scan.is_grid else self.num_traces
        self._skipped, self._cursor = set(), 0
        self.doubts = []
        self.sort()

    def sort(self) -> None:
        """Judges all picks anew and sorts by them."""
        found, doubts = self.found, []
        for gate, echo in enumerate(self.echoes):
            labelled = self.labels.of(echo)
            known = np.where(labelled.mark == SURE, labelled.onset, np.nan)
            onset, width, confidence, aic = (
                found.onset[gate],
                found.half_width[gate],
                found.confidence[gate],
                found.aic[gate],
            )
            doubts.append(judge(onset, width, confidence, aic, found.usable, self.line_length, known))
        value = np.stack([np.nan_to_num(each.value, nan=-1.0) for each in doubts]).max(axis=0)
        order = queue_order(np.where(value < 0, np.nan, value))
        # What is not picked yet comes behind, and what holds nothing to label last of all.
        parts = (found.usable, ~found.looked, found.looked & ~found.usable)
        judged, *others = (order[part[order]] for part in parts)
        self._order = np.concatenate([mixed(judged), *others])
        self.doubts, self._value, self._cursor = doubts, value, 0

    def open_echo(self, trace: int, after: int = -1) -> int | None:
        """Number of an echo of a trace that has no label, from the one after another on; `None` where all have."""
        numbers = range(len(self.echoes))
        for number in (*numbers[after + 1 :], *numbers[: after + 1]):
            if self.labels.of(self.echoes[number]).mark[trace] == OPEN:
                return number
        return None

    def skip(self, trace: int) -> None:
        """Leaves a trace for later: it comes again once all others were shown."""
        self._skipped.add(trace)

    def rewind(self) -> None:
        """Looks from the front again, after labels were taken back."""
        self._cursor = 0

    def upcoming(self, count: int, but: Collection[int] = ()) -> list[int]:
        """The next traces to look at, less some: a list of at most `count` int."""
        found = self._scan(count, but)
        if not found and self._skipped:
            self._skipped.clear()
            self._cursor = 0
            found = self._scan(count, but)
        return found

    def run(self, trace: int, gate: int) -> np.ndarray:
        """Traces of the run about a trace whose picks agree, see `run_around`."""
        is_open = self.labels.of(self.echoes[gate]).mark == OPEN
        return run_around(trace, self.doubts[gate].calm, is_open, self.line_length)

    def reason(self, trace: int, gate: int) -> str:
        """Why an echo of a trace is doubtful, a str."""
        return REASONS[self.doubts[gate].reason[trace]]

    def overview(self) -> tuple[int, int, np.ndarray]:
        """The whole scan as cells: a tuple of rows, columns and a uint8 array."""
        cells = np.where(self._value < 0, 0, 1 + 199 * np.clip(self._value / _LARGEST_DOUBT, 0, 1)).astype(np.uint8)
        marks = np.stack([self.labels.of(echo).mark for echo in self.echoes])
        done = (marks != OPEN).all(axis=0)
        for mark, cell in _CELL_OF_MARK.items():
            cells[done & (marks == mark).any(axis=0)] = cell
        if self.scan.is_grid and self.num_traces <= _OVERVIEW_CELLS:
            lines, length = self.scan.shape
            return lines, length, cells
        starts = np.unique(np.linspace(0, self.num_traces, _LINE_CELLS, endpoint=False).astype(int))
        # The worst of what is open; where all are labelled, the least sure mark.
        worst, least = np.maximum.reduceat(np.where(done, 0, cells), starts), np.minimum.reduceat(cells, starts)
        return 1, len(starts), np.where(np.logical_and.reduceat(done, starts), least, worst).astype(np.uint8)

    def _scan(self, count, but):
        found, place = [], self._cursor
        while place < len(self._order) and len(found) < count:
            trace = int(self._order[place])
            if self.open_echo(trace) is None or trace in self._skipped:
                # Behind the first that is to be shown, the cursor stays: what is skipped now may come again.
                self._cursor += self._cursor == place
            elif trace not in but:
                found.append(trace)
            place += 1
        return found
