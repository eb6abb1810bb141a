"""The table of labels, as a sidecar names it: a row for each trace, whole on the disk or not at all."""

import csv
import io
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from keras_usmae.files import atomic_write
from keras_usmae.picker.echo_table import DOUBTFUL, NO_ECHO, SURE

if TYPE_CHECKING:
    from keras_usmae.labelling.labels import Labels


_PAUSE = 0.1  # s between two writings
COLUMNS = ("file", "trace", "sure", "no_echo", "doubtful", "who", "when")


class LabelTable:
    """Writes `labels.csv` behind the labels: rows are renewed as they change, the file in a thread of its own.

    An echo's cell holds its onset in samples. `sure` speaks of the row: where one of several echoes is doubtful and
    another is sure, the cell of the doubtful one is empty, and `doubtful` has its onset.

    Args:
        path: path of the table.
        echoes: sequence of str. Columns of onsets, in order of arrival; echoes that only the labels know come behind.
        place: function from a trace to its file's name and its number in the file.
    """

    def __init__(
        self, path: str | Path, labels: "Labels", echoes: Sequence[str], place: Callable[[int], tuple[str, int]]
    ) -> None:
        self.path = path
        self._labels, self._place = labels, place
        self.echoes = list(dict.fromkeys([*echoes, *labels.echoes]))
        self._rows = [self._row(trace) for trace in range(labels.num_traces)]
        self._lock, self._changed, self._ends = threading.Lock(), threading.Event(), threading.Event()
        self.error: str | None = None
        self.write()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def renew(self, traces: Iterable[int]) -> None:
        """Takes over the labels of some traces, and has the file written soon."""
        with self._lock:
            for trace in traces:
                self._rows[trace] = self._row(trace)
        self._changed.set()

    def write(self) -> None:
        """Writes the file now."""
        with self._lock:
            text = "".join([_line(["file", "trace", *self.echoes, *COLUMNS[2:]]), *self._rows])
        with atomic_write(self.path) as partial:
            partial.write_text(text, encoding="utf-8", newline="")

    def close(self) -> None:
        """Writes the file a last time and ends the thread."""
        self._ends.set()
        self._changed.set()
        self._thread.join()
        self.write()

    def _follow(self):
        while not self._ends.is_set():
            self._changed.wait()
            self._changed.clear()
            started = time.monotonic()
            try:
                self.write()
                self.error = None
            except OSError as error:  # the journal has the labels; the page tells
                self.error = str(error)
            # A table of 100,000 rows takes a while, in which the next label should not wait.
            self._ends.wait(_PAUSE + 10 * (time.monotonic() - started))

    def _row(self, trace):
        file, number = self._place(trace)
        marks = {echo: self._labels.of(echo).mark[trace] for echo in self.echoes}
        if not any(marks.values()):
            return _line([file, number, *("" for _ in self.echoes), "", "", "", "", ""])
        onsets = {echo: f"{self._labels.of(echo).onset[trace]:.2f}" for echo in self.echoes}
        sure = [echo for echo in self.echoes if marks[echo] == SURE]
        doubtful = [echo for echo in self.echoes if marks[echo] == DOUBTFUL]
        shown = sure or doubtful
        entries = [entry for echo in self.echoes if (entry := self._labels.entry_of(echo, trace))]
        latest = max(entries, key=lambda entry: entry["when"])
        return _line(
            [
                file,
                number,
                *(onsets[echo] if echo in shown else "" for echo in self.echoes),
                "no" if doubtful and not sure else "yes",
                " ".join(echo for echo in self.echoes if marks[echo] == NO_ECHO),
                " ".join(f"{echo}={onsets[echo]}" for echo in doubtful),
                latest["who"],
                latest["when"],
            ]
        )


def _line(cells):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
