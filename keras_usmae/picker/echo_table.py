"""Labels of echoes as rows, and which of them are held out to score by."""

import dataclasses

import numpy as np

# What is known of an echo of a trace; arrays of marks hold indices.
MARKS = ("", "sure", "doubtful", "no echo")
OPEN, SURE, DOUBTFUL, NO_ECHO = range(4)
LEAST_LABELS = 8
_STRETCH = 16  # neighbours see nearly the same: they are held out together
_HELD_OUT = 0.2


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


def hold_out(trace: np.ndarray, group: np.ndarray | None = None, seed: int = 0) -> np.ndarray:
    """Which labels are held out, to score by: a fifth, in stretches of 16 traces, and the same ones every time.

    Args:
        trace: int array of shape `(k,)`, the labelled traces.
        group: int array of shape `(k,)`, what each trace belongs to, in place of stretches. Defaults to `None`.

    Returns:
        bool array of shape `(k,)`: some of each where there are two stretches or more, none of a single one.
    """
    stretch = trace // _STRETCH if group is None else group
    different = np.unique(stretch)
    if len(different) < 2:
        return np.zeros(len(trace), bool)
    # A number of its own for each stretch: whether it is held out does not change with what else is labelled.
    draw = np.array([np.random.default_rng((seed, int(number))).random() for number in different])
    held = different[draw < _HELD_OUT]
    if not len(held) or len(held) == len(different):
        held = different[[draw.argmin()]]
    return np.isin(stretch, held)
