"""What is labelled: a mark of each echo of each trace, from entries that can all be undone."""

import dataclasses

import numpy as np

from keras_usmae.picker.echo_table import MARKS, NO_ECHO


@dataclasses.dataclass(eq=False)
class EchoLabels:
    """Labels of one echo of all traces.

    Args:
        mark: int8 array of shape `(n,)`, indices into `MARKS`.
        onset: float64 array of shape `(n,)`. 0-based samples, NaN where the mark is open or no echo.
        entry: int64 array of shape `(n,)`. Number of the entry that each is from, -1 for none.
    """

    mark: np.ndarray
    onset: np.ndarray
    entry: np.ndarray

    @classmethod
    def empty(cls, num_traces: int) -> "EchoLabels":
        """Labels of traces that nobody has looked at."""
        return cls(np.zeros(num_traces, np.int8), np.full(num_traces, np.nan), np.full(num_traces, -1))


class Labels:
    """Labels of the echoes of a scan. Entries are applied one after the other, and undone from the last one on.

    Attributes:
        echoes: dict of `EchoLabels` by name.
    """

    def __init__(self, num_traces: int, num_samples: int) -> None:
        self.num_traces, self.num_samples = num_traces, num_samples
        self.echoes = {}
        self._done = []  # entries that an undo can take back, with what was there before
        self._entries = []

    def of(self, echo: str) -> EchoLabels:
        """The `EchoLabels` of an echo."""
        if echo not in self.echoes:
            self.echoes[echo] = EchoLabels.empty(self.num_traces)
        return self.echoes[echo]

    def entry_of(self, echo: str, trace: int) -> dict | None:
        """The entry that a label is from, or `None`."""
        number = self.of(echo).entry[trace]
        return None if number < 0 else self._entries[number]

    @property
    def can_undo(self) -> bool:
        """Whether there is an entry to undo."""
        return bool(self._done)

    def check(self, entry: dict) -> None:
        """Makes sure that an entry can be applied.

        Raises:
            ValueError: where it names a trace, onset, mark or echo that cannot be.
        """
        if entry.get("kind") == "undo":
            if not self._done:
                raise ValueError("There is no label left to undo.")
            return
        if entry.get("kind") != "label" or entry.get("mark") not in MARKS[1:]:
            raise ValueError(f"An entry must set one of the marks {MARKS[1:]} or be an undo. Received: {entry!r:.200}")
        traces, onsets = entry.get("traces"), entry.get("onsets") or []
        if not traces or not all(type(trace) is int and 0 <= trace < self.num_traces for trace in traces):
            raise ValueError(f"`traces` must lie in 0..{self.num_traces - 1}. Received: {traces!r:.200}")
        wants_onsets = entry["mark"] != MARKS[NO_ECHO]
        if wants_onsets != bool(onsets) or (wants_onsets and len(onsets) != len(traces)):
            raise ValueError(f"An onset for each of {len(traces)} traces is expected. Received: {onsets!r:.200}")
        if wants_onsets and not all(
            isinstance(onset, int | float) and 0 <= onset < self.num_samples for onset in onsets
        ):
            raise ValueError(f"`onsets` must lie in [0, {self.num_samples}). Received: {onsets!r:.200}")
        if not isinstance(entry.get("echo"), str) or not entry["echo"]:
            raise ValueError(f"`echo` must be the name of an echo. Received: {entry.get('echo')!r}")

    def apply(self, entry: dict) -> list[int]:
        """Applies an entry, and returns the traces that it changed.

        Args:
            entry: dict with `"kind"` `"label"`, `"echo"`, `"mark"`, `"traces"` and, but for no echo, `"onsets"`; or
                with the kind `"undo"`.

        Raises:
            ValueError: as `check`.
        """
        self.check(entry)
        if entry["kind"] == "undo":
            number, before = self._done.pop()
            traces = np.array(self._entries[number]["traces"])
            labels = self.of(self._entries[number]["echo"])
            labels.mark[traces], labels.onset[traces], labels.entry[traces] = before
            return traces.tolist()
        traces, labels = np.array(entry["traces"]), self.of(entry["echo"])
        self._done.append((len(self._entries), (labels.mark[traces], labels.onset[traces], labels.entry[traces])))
        labels.mark[traces] = MARKS.index(entry["mark"])
        labels.onset[traces] = entry.get("onsets") or np.nan
        labels.entry[traces] = len(self._entries)
        self._entries.append(entry)
        return traces.tolist()

    def last_undoable(self) -> dict | None:
        """The entry that an undo takes back, or `None`."""
        return self._entries[self._done[-1][0]] if self._done else None
