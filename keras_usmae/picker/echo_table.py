"""Labels of echoes as rows, and which of them are held out to score by."""

import dataclasses
import zlib
from collections.abc import Sequence

import numpy as np

# What is known of an echo of a trace; arrays of marks hold indices.
MARKS = ("", "sure", "doubtful", "no echo")
OPEN, SURE, DOUBTFUL, NO_ECHO = range(4)
LEAST_LABELS = 8
MOST_ERROR = 64  # samples at the network's scale: what a pick that is farther off, or missing, counts as
_STRETCH = 16  # neighbours see nearly the same: they are held out together
_HELD_OUT, _MOST_HELD_OUT = 0.2, 0.4
_LEAST_LEARNT = 6


@dataclasses.dataclass(frozen=True, eq=False)
class EchoTable:
    """Labels as rows.

    Args:
        trace: int array of shape `(k,)`.
        gate: int array of shape `(k,)`, numbers of the gates.
        mark: int array of shape `(k,)`, indices into `MARKS`, none of them 0.
        onset: float array of shape `(k,)`, samples of the recording, NaN for no echo.
    """

    trace: np.ndarray
    gate: np.ndarray
    mark: np.ndarray
    onset: np.ndarray

    def __len__(self):
        return len(self.trace)

    @classmethod
    def of_sure(cls, trace: np.ndarray, onset: np.ndarray) -> "EchoTable":
        """Sure labels of one echo.

        Args:
            trace: int array of shape `(k,)`.
            onset: float array of shape `(k,)`, samples of the recording.
        """
        return cls(trace, np.zeros(len(trace), int), np.full(len(trace), SURE), np.asarray(onset, float))

    def select(self, rows: np.ndarray | slice) -> "EchoTable":
        """Some of the rows."""
        return EchoTable(self.trace[rows], self.gate[rows], self.mark[rows], self.onset[rows])


def hold_out(trace: np.ndarray, group: Sequence[str] | None = None, seed: int = 0) -> np.ndarray:
    """Which labels are held out, to score by: about a fifth, in stretches of 16 traces or by groups.

    A stretch or group that is held out stays so while labels are added, as long as these leave enough of both kinds.

    Args:
        trace: int array of shape `(k,)`, the labelled traces.
        group: sequence of `k` str, what each trace belongs to, in place of stretches. Defaults to `None`.

    Returns:
        bool array of shape `(k,)`: at most two fifths, and none where fewer than 6 would be left to learn from, as
        where all are of one stretch.
    """
    parts = trace // _STRETCH if group is None else np.array([zlib.crc32(name.encode()) for name in group], int)
    different, place, size = np.unique(parts, return_inverse=True, return_counts=True)
    # A number of its own for each: whether it is held out does not change with what else is labelled.
    draw = np.array([np.random.default_rng((seed, int(number))).random() for number in different])
    most = min(_MOST_HELD_OUT * len(trace), len(trace) - _LEAST_LEARNT)
    held = draw < _HELD_OUT
    if not 0.5 * _HELD_OUT * len(trace) <= size[held].sum() <= most:
        held[:] = False
        for number in draw.argsort():
            if size[held].sum() < _HELD_OUT * len(trace) and size[held].sum() + size[number] <= most:
                held[number] = True
    return held[place]
