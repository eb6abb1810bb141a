"""The network's look at a recording, block by block: where echoes may begin, and how loud it is there."""

import dataclasses
import functools
from typing import TYPE_CHECKING

import numpy as np
import scipy.special

from keras_usmae.picker.engines import in_threads
from keras_usmae.picker.windows import complete_short, window_starts, window_weights
from keras_usmae.signals.picking.analytic import analytic_signal

if TYPE_CHECKING:
    from keras_usmae.picker.engines import Engine
    from keras_usmae.picker.scale import Scale
    from keras_usmae.picker.traces import Traces

_BAND = (0.008, 0.1)  # cycles a sample: of the bursts that the network knows, at its scale
_ENVELOPE_MARGIN = 128  # samples that an envelope needs on either side of a piece
_QUIETEST = 0.1  # share of a trace that its noise is taken from
_LEAST_SPREAD = 1e-4  # of the trace's peak: below, a window holds no noise but the rounding of zeros


@dataclasses.dataclass(frozen=True, eq=False)
class Seen:
    """What the network saw in a recording, at its scale.

    Args:
        probability: float32 array of shape `(n, num_bins)`. That an echo begins in the bin.
        peak: float32 array of shape `(n, num_bins)`. Largest value of the envelope in the bin, in units of the trace's
            peak.
        noise: float64 array of shape `(n,)`. RMS of the noise in the same unit.
    """

    probability: np.ndarray
    peak: np.ndarray
    noise: np.ndarray


def look(engine: "Engine", traces: "Traces", scale: "Scale", batch_size: int) -> Seen:
    """Runs the network over all windows of a recording; memory grows with its bins only.

    Each trace keeps its place in a batch, whatever is wrong with others, so that its numbers are the same to the bit.

    Args:
        batch_size: int. Windows at a time, in each thread.
    """
    length, bin_width = engine.info.signal_length, engine.info.bin_width
    num_samples = max(traces.num_samples * scale.up // scale.down, 1)
    starts, weights = _windows(num_samples, length, bin_width)
    engine.expect(traces.num_traces * len(starts))
    num_bins = (starts[-1] + length) // bin_width
    probability = np.zeros((traces.num_traces, num_bins), np.float32)
    peak = np.zeros((traces.num_traces, num_bins), np.float32)
    windows = [slice(i, i + batch_size) for i in range(0, len(starts), batch_size)]
    noise = np.zeros((traces.num_traces, len(windows)))

    def work(job):
        rows, column = job
        some = windows[column]
        first, stop = starts[some][0], min(starts[some][-1] + length, num_samples)
        piece, envelope = _read(traces, rows, first, stop, num_samples, scale)
        bins = slice(first // bin_width, -(-stop // bin_width))
        peaks = np.maximum.reduceat(envelope, np.arange(0, stop - first, bin_width), axis=1)
        level = _noise(envelope)
        piece = complete_short(piece, max(length, stop - first))
        return bins, peaks, level, _probabilities(engine, piece, starts[some] - first, batch_size) * weights[some]

    at_once = max(batch_size // len(starts), 1)
    jobs = [(rows, column) for rows in _blocks_of_traces(traces.num_traces, at_once) for column in range(len(windows))]
    for (rows, column), (bins, peaks, level, found) in zip(jobs, in_threads(engine, work, jobs), strict=True):
        noise[rows, column], peak[rows, bins] = level, peaks
        for k, start in enumerate(starts[windows[column]] // bin_width):
            probability[rows, start : start + weights.shape[1]] += found[:, k]
    probability[~traces.usable] = 0
    real_bins = max(min(num_samples // bin_width, num_bins), 1)  # an echo in what was added to a short record is none
    noise.sort(axis=1)
    median = (noise[:, (len(windows) - 1) // 2] + noise[:, len(windows) // 2]) / 2
    return Seen(probability[:, :real_bins], peak[:, :real_bins], median)


@functools.lru_cache(maxsize=1)  # for blocks of one recording, and for traces that come one by one
def _windows(num_samples, length, bin_width):
    """Where the windows of a record start, and what they count for each of their bins."""
    starts = window_starts(num_samples, length, bin_width)
    return starts, window_weights(starts, length, bin_width)


def _blocks_of_traces(num_traces, at_once):
    return (slice(row, min(row + at_once, num_traces)) for row in range(0, num_traces, at_once))


def _read(traces, rows, first, stop, num_samples, scale):
    """A piece of some traces at the network's scale, and its envelope."""
    before, after = min(_ENVELOPE_MARGIN, first), min(_ENVELOPE_MARGIN, num_samples - stop)
    piece = traces.read(rows, first - before, stop + after, scale.up, scale.down)
    envelope = np.abs(analytic_signal(piece, 1.0, _BAND))
    inside = slice(before, before + stop - first)
    return piece[:, inside], envelope[:, inside]


def _noise(envelope):
    """RMS of the noise, whose Rayleigh distributed envelope is all that the quietest part of a trace holds."""
    index = int(_QUIETEST * envelope.shape[1])
    return np.partition(envelope, index, axis=1)[:, index] / np.sqrt(-2 * np.log(1 - _QUIETEST))


def _probabilities(engine, pieces, starts, batch_size):
    """Probabilities of the bins of windows, of shape `(traces, windows, bins)`."""
    windows = np.stack([pieces[:, start : start + engine.info.signal_length] for start in starts], axis=1)
    windows -= windows.mean(axis=2, keepdims=True)
    spread = windows.std(axis=2, keepdims=True)
    windows /= np.maximum(spread, _LEAST_SPREAD)
    logits = engine.logits(windows.reshape(-1, windows.shape[2]), batch_size)
    probability = scipy.special.expit(logits).reshape(*windows.shape[:2], -1)
    return np.where(spread < _LEAST_SPREAD, 0, probability)
