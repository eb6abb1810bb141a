"""Which traces to look at first: how far a pick is from what its neighbours, AIC and its own interval would have."""

import dataclasses

import numpy as np

REASONS = ("", "wide interval", "low confidence", "off its neighbours", "AIC differs", "no pick")
_NEIGHBOURS = 3  # to each side
_STRETCH = 8  # traces that see nearly the same: the more of them come before, the less the next counts
_NO_PICK = np.log1p(40.0)
_GOLDEN = (5**0.5 - 1) / 2
_CALM = 2.5  # times the usual spread; below, a pick agrees with its neighbours


@dataclasses.dataclass(frozen=True, eq=False)
class Doubts:
    """How doubtful the picks of one echo are.

    Args:
        value: float array of shape `(n,)`, 0 and more; NaN where there is nothing yet to judge, or nothing to label.
        reason: int array of shape `(n,)`, indices into `REASONS`: what counts most.
        calm: bool array of shape `(n,)`. Whether a pick agrees with all that it is compared with.
    """

    value: np.ndarray
    reason: np.ndarray
    calm: np.ndarray


def judge(
    onset: np.ndarray,
    half_width: np.ndarray,
    confidence: np.ndarray,
    aic: np.ndarray,
    judged: np.ndarray,
    line_length: int,
    known: np.ndarray | None = None,
) -> Doubts:
    """Judges the picks of one echo.

    Each measure is told in units of its usual spread over the scan, so that the four can be added, by their logarithms:
    where all picks scatter, as in a folder of traces that are no neighbours, scatter is no reason for doubt. AIC is
    taken less its median distance from the picks.

    Args:
        onset: float array of shape `(n,)`, samples, NaN where the picker found none.
        half_width: float array of shape `(n,)`, samples. Half of the 95 % interval.
        confidence: float array of shape `(n,)`.
        aic: float array of shape `(n,)`, samples, NaN where it found none.
        judged: bool array of shape `(n,)`. Traces that the picker has looked at, and found usable.
        line_length: int. Traces of a line of the scan: beyond its ends are no neighbours.
        known: float array of shape `(n,)`, samples: sure labels, NaN for none, which stand in for the picks of
            neighbours. Defaults to `None`.
    """
    around = onset if known is None else np.where(np.isfinite(known), known, onset)
    off = np.abs(onset - neighbour_median(around, line_length))
    late = aic - onset
    wide = half_width / max(_median(half_width), 1e-9)
    parts = {
        "wide interval": np.maximum(wide - 1, 0),
        "low confidence": (1 - confidence) / 0.1,
        "off its neighbours": off / _spread(off),
        "AIC differs": np.abs(late - _median(late)) / _spread(np.abs(late - _median(late))),
    }
    each = np.log1p(np.nan_to_num(np.stack(list(parts.values()))))  # what is not known adds nothing
    value, reason = each.sum(axis=0), 1 + each.argmax(axis=0)
    missing = ~np.isfinite(onset)
    value, reason = np.where(missing, _NO_PICK, value), np.where(missing, len(REASONS) - 1, reason)
    near = (np.nan_to_num(parts["off its neighbours"], nan=np.inf) < _CALM) & (wide < 2) & (confidence > 0.75)
    near &= off < _CALM * max(_median(half_width), 0.5)  # where all scatter, nobody agrees with anybody
    calm = near & (np.nan_to_num(parts["AIC differs"]) < 2 * _CALM)
    return Doubts(np.where(judged, value, np.nan), np.where(judged, reason, 0), calm & judged & ~missing)


def neighbour_median(onset: np.ndarray, line_length: int) -> np.ndarray:
    """Median of the onsets of the three traces to either side, NaN where there is none.

    Each line is levelled first, by its median step: at its ends, where neighbours lie to one side, a tilt is no doubt.

    Args:
        onset: float array of shape `(n,)`.
        line_length: int. Traces of a line.

    Returns:
        float array of shape `(n,)`.
    """
    lines = -(-len(onset) // line_length)
    padded = np.full(lines * line_length, np.nan)
    padded[: len(onset)] = onset
    grid = padded.reshape(lines, line_length)
    steps = [_median(line) for line in np.diff(grid, axis=1)]
    tilt = np.outer(steps, np.arange(line_length))
    level = np.pad(grid - tilt, ((0, 0), (_NEIGHBOURS, _NEIGHBOURS)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(level, 2 * _NEIGHBOURS + 1, axis=1)
    # Sorted, NaN comes last: the median of what is there, without NumPy's slow nanmedian.
    others = np.sort(np.delete(windows, _NEIGHBOURS, axis=2), axis=2)
    there = np.isfinite(others).sum(axis=2)
    low, high = ((np.maximum(there - 1, 0) // 2)[..., None], (there // 2).clip(max=2 * _NEIGHBOURS - 1)[..., None])
    middle = (np.take_along_axis(others, low, 2) + np.take_along_axis(others, high, 2))[..., 0] / 2
    return np.where(there > 0, middle + tilt, np.nan).ravel()[: len(onset)]


def queue_order(value: np.ndarray) -> np.ndarray:
    """Traces in the order in which to look at them: the doubtful first, of neighbours not all.

    Args:
        value: float array of shape `(n,)`, doubt of each trace; NaN comes last.
    """
    value = np.where(np.isfinite(value), value, -1.0)
    stretch = np.arange(len(value)) // _STRETCH
    order = np.lexsort((-value, stretch))
    rank = np.empty(len(value), int)
    rank[order] = np.arange(len(value)) - np.searchsorted(stretch[order], stretch[order])
    return np.argsort(-np.where(value > 0, value / (1 + rank / _STRETCH), value), kind="stable")


def mixed(order: np.ndarray) -> np.ndarray:
    """Every second trace of a queue drawn evenly from the whole scan, and the others in the order of their doubt.

    Doubtful traces are of the kinds that the picker finds hard. Learnt from alone, they made it worse on all others.
    """
    place, known = np.arange(len(order)), np.sort(order)
    # By the golden ratio: however many are taken, they are spread over all.
    even = np.argsort(np.argsort(place * _GOLDEN % 1))
    rank = np.empty(len(order))
    rank[np.searchsorted(known, order)] = 2 * place
    rank[even] = np.minimum(rank[even], 2 * place + 1)
    return known[np.argsort(rank, kind="stable")]


def run_around(trace: int, calm: np.ndarray, is_open: np.ndarray, line_length: int) -> np.ndarray:
    """The run of neighbours about a trace whose picks agree.

    Args:
        calm: bool array of shape `(n,)`, see `Doubts`.
        is_open: bool array of shape `(n,)`. Traces without a label.
        line_length: int. A run ends with its line.

    Returns:
        int array of traces, without those that are labelled; empty where the neighbours do not agree.
    """
    start, stop = trace // line_length * line_length, min((trace // line_length + 1) * line_length, len(calm))
    others = calm | ~is_open
    others[trace] = True
    below, above = np.flatnonzero(~others[start:trace][::-1]), np.flatnonzero(~others[trace + 1 : stop])
    first = trace - (below[0] if len(below) else trace - start)
    last = trace + (above[0] if len(above) else stop - trace - 1)
    run = np.arange(first, last + 1)
    run = run[is_open[run]]
    return run if len(run) > 1 else run[:0]


def _median(values):
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else 0.0


def _spread(distance):
    """The usual size of a distance: as a standard deviation, by the median, and at least a fifth of a sample."""
    return max(1.4826 * _median(distance), 0.2)
