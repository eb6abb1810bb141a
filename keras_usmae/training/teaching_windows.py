"""Windows about labelled echoes, and what a picker learns of them: the label close by, and its own word elsewhere.

A label says where one echo begins. Of the other bins of its trace it says nothing: they may hold echoes that nobody
asked for. To punish these would unlearn what the picker knows; to leave them out lets it drift. They take the
probabilities that the picker had before (learning without forgetting), and only the surroundings of a label, and the
gate of a trace that is labelled to have no echo, take the label's word.

Reference:
    - [Li and Hoiem, 2016](https://arxiv.org/abs/1606.09282)
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from keras_usmae.picker.echo_table import DOUBTFUL, NO_ECHO, SURE, EchoTable
from keras_usmae.picker.scale import Scale
from keras_usmae.picker.traces import Traces
from keras_usmae.picker.windows import complete_short
from keras_usmae.training.echo_batches import echo_targets

OWN = -1.0  # a target: what the picker says itself
REACH = 4  # bins to either side of a labelled onset that the label speaks of
_PER_PART = 4  # labels of a part of the scan, on average
_BEYOND = 600  # samples that a window may reach out of its record
_NOISE = (1e-3, 0.06)  # RMS added to a window, of its own
_LEAST_SPREAD = 1e-4


@dataclasses.dataclass(frozen=True, eq=False)
class LabelledTraces:
    """Traces of one length, some of them labelled.

    Args:
        read: function from an int array of traces to a float array of shape `(k, num_samples)`.
        num_samples: int. Samples of a trace.
        table: `EchoTable`, the labels to learn from.
        scale: `Scale`, that of the picker's network.
        gates: sequence of pairs of float, first and last sample of each gate of the table. Defaults to `()`, for
            labels none of which says that there is no echo.

    Example:

    ```python
    table = EchoTable.of_sure(np.arange(len(onset)), onset)
    labelled = LabelledTraces(signals.__getitem__, signals.shape[1], table, as_scale(1))
    ```
    """

    read: Callable[[np.ndarray], np.ndarray]
    num_samples: int
    table: EchoTable
    scale: Scale
    gates: Sequence[tuple[float, float]] = ()


def draw_windows(
    labelled: LabelledTraces, num_windows: int, length: int, bin_width: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draws windows about labelled echoes, each another piece of its trace, with noise and either polarity.

    Args:
        labelled: `LabelledTraces`.
        num_windows: int.
        length: int. Samples of a window.
        bin_width: int. Samples of a bin.
        seed: int.

    Returns:
        Tuple of the windows, float32 of shape `(num_windows, length)`, standardised; and of the targets, float32 of
        shape `(num_windows, num_bins)`: `OWN` where the picker's own word counts, NaN where nobody's does.
    """
    rng = np.random.default_rng(seed)
    table, scale = labelled.table, labelled.scale
    total = max(labelled.num_samples * scale.up // scale.down, 1)
    drawn = table.select(_evenly(table.trace, num_windows, rng))
    # A place in the gate stands for the onset that a trace without an echo has not.
    middle, share = drawn.onset.copy(), rng.random(num_windows)
    for row in np.flatnonzero(drawn.mark == NO_ECHO):
        first, last = np.clip(labelled.gates[drawn.gate[row]], 0, labelled.num_samples)
        middle[row] = first + share[row] * (last - first)
    margin = length // 8
    # Anywhere in the window but in its margin. It may reach a little out of the record, so that short ones move too.
    start = middle * scale.ratio - rng.uniform(margin, length - margin, num_windows)
    start = np.clip(start, -_BEYOND, max(total - length, 0) + _BEYOND).astype(int) // bin_width * bin_width
    windows = np.empty((num_windows, length), np.float32)
    for trace in np.unique(drawn.trace):
        traces = Traces(labelled.read(np.array([trace])))
        for row in np.flatnonzero(drawn.trace == trace):
            first, stop = max(int(start[row]), 0), min(int(start[row]) + length, total)
            piece = traces.read(slice(0, 1), first, stop, scale.up, scale.down)
            piece = complete_short(piece[:, ::-1], stop - int(start[row]))[:, ::-1]  # ahead of the record
            windows[row] = complete_short(piece, length)[0]
    windows = _standardized(windows)
    low, high = np.log(_NOISE)
    noise = np.exp(rng.uniform(low, high, (num_windows, 1))).astype(np.float32)
    windows += noise * rng.standard_normal(windows.shape, dtype=np.float32)
    windows = _standardized(windows * rng.choice(np.array([-1, 1], np.float32), (num_windows, 1)))
    ends = np.stack([start <= 0, start + length >= total], axis=1)
    return windows, _targets(drawn, labelled, start, ends, length, bin_width)


def _evenly(trace, count, rng):
    """Draws labels so that all parts of the scan that hold some count alike, however many each holds.

    Doubtful traces lie close together, in the parts that the picker finds hard.
    """
    order = np.argsort(trace, kind="stable")
    parts = max(len(trace) // _PER_PART, 1)
    part = (trace[order] - trace.min()) * parts // (np.ptp(trace) + 1)
    some = np.unique(part)
    first, last = np.searchsorted(part, some), np.searchsorted(part, some, side="right")
    place = np.resize(np.arange(len(some)), count)
    return order[(first[place] + rng.random(count) * (last - first)[place]).astype(int)]


def _targets(drawn, labelled, start, ends, length, bin_width):
    table, ratio = labelled.table, labelled.scale.ratio
    num_bins = length // bin_width
    targets = np.full((len(drawn), num_bins), OWN, np.float32)
    center = (np.arange(num_bins) + 0.5) * bin_width
    # A window's own margin, where nothing is behind its end, is not asked of the picker either.
    margin = length // 8
    targets[:, center < margin] = np.where(ends[:, :1], OWN, np.nan)
    targets[:, center > length - margin] = np.where(ends[:, 1:], OWN, np.nan)
    rows_of = {trace: np.flatnonzero(table.trace == trace) for trace in np.unique(drawn.trace)}
    for row, trace in enumerate(drawn.trace):
        labels = table.select(rows_of[trace])
        for gate, mark, onset in zip(labels.gate, labels.mark, labels.onset * ratio - start[row], strict=True):
            if mark == NO_ECHO:
                first, last = (end * ratio - start[row] for end in labelled.gates[gate])
                inside = (center >= first) & (center < last) & (targets[row] < 0)
                targets[row, inside] = 0
            elif 0 <= onset < length:
                near = np.abs(center - onset) <= (REACH + 0.5) * bin_width
                if mark == SURE:
                    echo = echo_targets(np.array([[onset]]), np.array([[2]]), num_bins, bin_width, 8.0)[0]
                    before = np.where(targets[row] >= 0, targets[row], 0)  # of an echo close by
                    targets[row, near] = np.minimum(echo + before, 1)[near]
                elif mark == DOUBTFUL:
                    targets[row, near] = np.nan
    return targets


def _standardized(windows):
    """Windows as the picker's network sees them."""
    windows = windows - windows.mean(axis=1, keepdims=True)
    return windows / np.maximum(windows.std(axis=1, keepdims=True), _LEAST_SPREAD)
