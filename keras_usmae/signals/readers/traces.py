"""Traces as every format hands them on, before they are checked one by one."""

import dataclasses
from pathlib import Path

import numpy as np

from keras_usmae.signals.readers.clock import facts_of_times, is_count, is_ramp


@dataclasses.dataclass
class Traces:
    """Traces out of one file.

    Args:
        signals: real array of shape `(n, L)`.
        names: list of `n` str.
        facts: list of `Fact`, those nearest to the traces first.
        axis: str. Where the axis of time came from.
        values: dict of arrays by name: labels and groups that lie beside the traces in the file.
        left_out: list of str. What of the file is no trace.
    """

    signals: np.ndarray
    names: list
    facts: list
    axis: str
    values: dict = dataclasses.field(default_factory=dict)
    left_out: list = dataclasses.field(default_factory=list)
    doubts: list = dataclasses.field(default_factory=list)


# A burst of a few cycles has more samples; shorter traces are those of another axis.
_SHORTEST = 16


def check_shape(path: str | Path, shape: tuple[int, ...], samples: int | None) -> None:
    """Refuses shapes that no recording has, ahead of a name for each trace.

    Args:
        shape: pair of int. Traces, and samples of each.
        samples: int or `None`. What the sidecar states as `samples`.
    """
    count, length = shape
    if samples is not None and length != samples:
        stack = ""
        if length % samples == 0:
            stack = f" Are {length // samples} A-scans stacked in it? Then write stacked = true."
        raise ValueError(
            f"{str(path)!r}: traces have {length} samples, but the sidecar's 'samples' is {samples}. Is 'axis' right? "
            f"The array holds {count} traces as it is.{stack}"
        )
    if length < _SHORTEST:
        raise ValueError(
            f"{str(path)!r}: {count:,} traces have {length} samples each, fewer than the {_SHORTEST} of any burst. Is "
            "'axis' right?"
        )


def leave_out_ramps(traces: Traces, time_unit: str) -> None:
    """Takes out what rises by one step from sample to sample: the times or numbers of the samples, and no echo.

    Args:
        traces: `Traces`, changed in place.
        time_unit: str. Unit of times that the sidecar states, or `""`.
    """
    signals = traces.signals
    if len(signals) < 2 or signals.shape[1] < 8:
        return
    # The middle of a ramp is that of its ends: few rows are looked at closer.
    first, middle, last = (signals[:, place].astype(np.float64) for place in (0, signals.shape[1] // 2, -1))
    with np.errstate(all="ignore"):
        step = (last - first) / (signals.shape[1] - 1)
        near = np.abs(first + step * (signals.shape[1] // 2) - middle) <= np.abs(step)
    ramps = [row for row in np.flatnonzero(near & (step != 0)) if is_ramp(signals[row])]
    if not ramps or len(ramps) == len(signals):
        return
    for row in ramps:
        what = "the numbers of the samples"
        if not is_count(signals[row]):
            what = "the times of the samples"
            if step[row] > 0:
                traces.facts += facts_of_times(signals[row], time_unit, f"trace {traces.names[row]!r}")
        traces.left_out.append(f"{traces.names[row]!r}: it rises by one step a sample, {what}")
    kept = np.setdiff1d(np.arange(len(signals)), ramps)
    traces.signals, traces.names = signals[kept], [traces.names[row] for row in kept]
