"""Raw traces: which of them hold nothing to pick, and pieces of the others at the network's scale."""

import numpy as np
import scipy.signal

DEAD = "dead (all samples equal)"
NOT_FINITE = "not finite"
CLIPPED = "clipped throughout"
NO_ECHO = "no echo"

_CHUNK = 1 << 20  # samples at a time, so that checks need no copy of the recording
_FILTER_RADIUS = 10  # half of the length of SciPy's low-pass in samples of the lower of the two rates


class Traces:
    """Traces of a recording, with what is needed to read pieces of them as the network wants them.

    Args:
        signals: array of real numbers of shape `(n, L)` or `(L,)`, in any unit. It is not copied.

    Raises:
        ValueError: where the array is not of real numbers, or has no samples, or not one or two axes.
    """

    def __init__(self, signals: np.ndarray) -> None:
        signals = np.asanyarray(signals)
        if signals.dtype.kind not in "fiu":
            raise ValueError(f"Expected signals of real numbers, but their dtype is {signals.dtype}.")
        if signals.ndim not in (1, 2) or signals.shape[-1] == 0:
            raise ValueError(
                f"Expected signals of shape (n, L), or (L,) for one trace, but got {signals.shape}. Time is the last "
                "axis; reshape a scan to one trace a row."
            )
        self.signals = signals if signals.ndim == 2 else signals[None]
        self.num_traces, self.num_samples = self.signals.shape
        self.reason = np.full(self.num_traces, "", object)
        self.offset = np.zeros(self.num_traces)
        self.peak = np.ones(self.num_traces)
        rows = max(_CHUNK // self.num_samples, 1)
        for start in range(0, self.num_traces, rows):
            self._inspect(slice(start, start + rows))
        self.usable = self.reason == ""

    def _inspect(self, rows):
        """Finds faults of some traces, and their offset and peak."""
        signals = self.signals[rows]
        low, high = signals.min(axis=1), signals.max(axis=1)  # NaN if there is one
        # Both ends of the range, since the rest of a one-sided (rectified) trace is at one of them.
        at_low, at_high = (_share_at(signals, end) for end in (low, high))
        low, high = low.astype(np.float64), high.astype(np.float64)
        finite = np.isfinite(low) & np.isfinite(high)
        reason = self.reason[rows]
        reason[(at_low + at_high > 0.8) & (np.minimum(at_low, at_high) > 0.2)] = CLIPPED
        reason[low == high] = DEAD
        reason[~finite] = NOT_FINITE
        usable = reason == ""
        with np.errstate(invalid="ignore"):
            offset = np.where(usable, signals.mean(axis=1, dtype=np.float64), 0)
            peak = np.where(usable, np.maximum(high - offset, offset - low), 1)
        self.offset[rows], self.peak[rows] = offset, peak

    def read(self, rows: slice, start: int, stop: int, up: int, down: int) -> np.ndarray:
        """Reads a piece of some traces, resampled without a delay, about their mean and in units of their peak.

        A piece is the same whatever else is read. Beyond the ends of a record its last sample holds on, so that the
        filter sees no step there. Traces that hold nothing to pick read as zeros.

        Args:
            rows: slice of traces.
            start: int. First sample, at the new rate; 0 is the first of the record.
            stop: int. One more than the last sample.
            up: int. Samples that come out, see `Scale`.
            down: int. Samples that go in for them.

        Returns:
            float32 array of shape `(traces, stop - start)`.
        """
        # Without a filter, nothing reaches from one sample to another.
        margin = 0 if up == down else _FILTER_RADIUS * max(up, down) // up + 1
        # A multiple of `down`, so that it falls onto a sample of the new rate.
        first = (start * down // up - margin) // down * down
        last = -(-stop * down // up) + margin
        inside = self.signals[rows, max(first, 0) : min(last, self.num_samples)]
        # In float64, so that neither a large offset nor a strange unit costs digits.
        piece = np.subtract(inside, self.offset[rows, None], dtype=np.float64)
        piece /= self.peak[rows, None]
        piece[~self.usable[rows]] = 0
        piece = piece.astype(np.float32)
        if up == down:
            return piece
        piece = np.pad(piece, ((0, 0), (max(-first, 0), max(last - self.num_samples, 0))), mode="edge")
        piece = scipy.signal.resample_poly(piece, up, down, axis=1)
        skipped = start - first * up // down
        return piece[:, skipped : skipped + stop - start]


def _share_at(signals, level):
    """Share of the samples of each trace that have its level."""
    count = np.zeros(len(signals), int)
    for start in range(0, signals.shape[1], _CHUNK):
        count += (signals[:, start : start + _CHUNK] == level[:, None]).sum(axis=1)
    return count / signals.shape[1]
