"""What the page shows of a trace: the signal, its envelope, its neighbours, and a piece of the B-scan."""

import json
import struct
from typing import TYPE_CHECKING

import numpy as np
import scipy.signal

from keras_usmae.signals.synthesis.onsets import RISE_FRACTION

if TYPE_CHECKING:
    from keras_usmae.labelling.traces import TraceFile


_BESIDE = 3  # neighbours to either side that are shown as signals
_ROWS = 32  # traces to either side in the B-scan
_COLUMNS = 2048
_RANGE_DB = 45.0
_AHEAD = 0.25  # of a burst: an onset lies at most so far behind the mark that is snapped


def envelope(signals: np.ndarray) -> np.ndarray:
    """Magnitude of the analytic signal about the mean, float32 of the shape of `signals`."""
    centered = signals - signals.mean(axis=-1, keepdims=True)
    return np.abs(scipy.signal.hilbert(centered, axis=-1)).astype(np.float32)


def snap(signal: np.ndarray, onset: float, burst: float, up: int = 1) -> float:
    """Moves an onset to where the envelope of its echo rises through 10 % of its peak.

    The peak is the largest of the envelope from a quarter of a burst ahead of the mark to a whole one behind it. The
    flank is followed from there backwards, as `rise_times` follows it.

    Args:
        signal: float array of shape `(L,)`.
        onset: float, samples.
        burst: float. Length of a burst in samples.
        up: int. Samples that a sample becomes for it: a coarse record has few on a flank. Defaults to `1`.

    Returns:
        float, samples; the onset itself where the envelope is nowhere below.
    """
    start = max(int(onset - 3 * burst), 0)
    stop = min(int(onset + 3 * burst) + 1, len(signal))
    piece = np.asarray(signal[start:stop], np.float64)
    if len(piece) < 4 or not np.isfinite(piece).all():
        return float(onset)
    if up > 1:
        piece = scipy.signal.resample_poly(piece - piece.mean(), up, 1, padtype="line")
    height = envelope(piece)
    first, last = (round((onset + by * burst - start) * up) for by in (-_AHEAD, 1.0))
    peak = max(first, 0) + int(height[max(first, 0) : max(last, 1)].argmax())
    below = np.flatnonzero(height[:peak] < RISE_FRACTION * height[peak])
    if not len(below):
        return float(onset)
    low, high = height[below[-1]], height[below[-1] + 1]
    place = below[-1] + (RISE_FRACTION * height[peak] - low) / max(high - low, 1e-30)
    return float(np.clip(start + place / up, 0, len(signal) - 1))


def rows_around(trace: int, line_length: int, num_traces: int) -> tuple[int, int]:
    """First and one after the last trace of the B-scan about a trace; beyond the ends of its line are no neighbours."""
    start = max(trace - _ROWS, trace // line_length * line_length)
    return start, min(trace + _ROWS + 1, (trace // line_length + 1) * line_length, num_traces)


def trace_view(traces: "TraceFile", trace: int, line_length: int, about: dict) -> bytes:
    """A trace as the page takes it: JSON and arrays in one piece.

    Args:
        line_length: int. Traces of a line of the scan.
        about: dict, what else the page is told of the trace.

    Returns:
        bytes: the length of the JSON (4, little-endian), the JSON, and float32 `signal` and `envelope`, float32
        `neighbours`, uint8 `bscan` in this order, whose shapes are in the JSON.
    """
    start, stop = rows_around(trace, line_length, traces.num_traces)
    rows = np.nan_to_num(traces.read(slice(start, stop)), posinf=0, neginf=0)
    signal = rows[trace - start]
    first, last = max(trace - _BESIDE, start), min(trace + _BESIDE + 1, stop)
    beside = [row for row in range(first, last) if row != trace]
    bscan, width = _bscan(rows)
    shapes = {
        "about": about,
        "trace": trace,
        "samples": len(signal),
        "neighbours": beside,
        "bscan": {"first": start, "rows": len(bscan), "columns": bscan.shape[1], "width": width},
    }
    arrays = [signal, envelope(signal), rows[np.array(beside, int) - start], bscan]
    head = json.dumps(shapes, allow_nan=False).encode()
    head += b" " * (-len(head) % 4)  # so that the numbers behind it lie as the page's arrays want them
    return b"".join([struct.pack("<I", len(head)), head, *(array.tobytes() for array in arrays)])


def _bscan(rows):
    """Magnitude in dB as uint8 of shape `(rows, columns)`, 255 for the largest of all; and samples of a column."""
    magnitude = np.abs(rows - np.median(rows, axis=1, keepdims=True))
    width = -(-rows.shape[1] // _COLUMNS)
    magnitude = np.maximum.reduceat(magnitude, np.arange(0, rows.shape[1], width), axis=1)
    largest = max(float(magnitude.max()), 1e-30)
    decibel = 20 * np.log10(np.maximum(magnitude / largest, 1e-6))
    return (255 * np.clip(1 + decibel / _RANGE_DB, 0, 1)).astype(np.uint8), width
