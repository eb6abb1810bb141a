"""Picks of echoes in measured scans, and the shape of their bursts, without a network.

A pick errs by noise and, now and then, by half a cycle; the reflector that made the echoes is flat or nearly so. A
label is therefore a smooth reflector through the picks (`surfaces`, `reflectors`, `point_reflectors`), and their
scatter about it is its stated uncertainty. Records have shape `(num_records, num_samples)`; positions in them are
0-based and fractional.
"""

import dataclasses

import numpy as np
import scipy.signal

from .surfaces import robust_sigma

# Samples on each side of the echoes that `measure_extent` takes the envelope of.
_CUT_MARGIN = 256


def first_crossing(records, threshold, gate):
    """Where each record first reaches a threshold in a gate, interpolated linearly between two samples.

    Args:
        records: array of shape `(num_records, num_samples)`. The magnitude is compared, so either polarity counts.
        threshold: float or array of shape `(num_records,)`, in the unit of `records`.
        gate: pair of int. First sample of the gate, and the one after its last.

    Returns:
        A float64 array of shape `(num_records,)`, in samples; NaN where the threshold is not reached, or is exceeded
        from the gate's first sample on, so that no crossing lies inside.

    Raises:
        ValueError: where the gate does not lie inside the records.

    Example:

    ```python
    import numpy as np
    from .labels import first_crossing

    first_crossing(np.array([[0.0, 0.0, -2.0, 4.0]]), threshold=1.0, gate=(0, 4))  # array([1.5])
    ```
    """
    start, stop = gate
    if not 0 <= start < stop <= records.shape[1]:
        raise ValueError(f"The gate {gate} must lie inside the records of {records.shape[1]} samples.")
    magnitude = np.abs(records[:, start:stop]).astype(np.float64)
    threshold = np.broadcast_to(np.asarray(threshold, dtype=np.float64), len(records))
    reached = magnitude >= threshold[:, None]
    index = reached.argmax(axis=1)
    found = reached.any(axis=1) & (index > 0)
    rows = np.arange(len(records))
    below, above = magnitude[rows, index - 1], magnitude[rows, index]
    fraction = np.divide(threshold - below, above - below, out=np.zeros(len(records)), where=found)
    return np.where(found, start + index - 1 + fraction, np.nan)


def envelope(records):
    """Magnitude of the analytic signal.

    Args:
        records: array of shape `(num_records, num_samples)`.

    Returns:
        A float array of shape `(num_records, num_samples)`, in the unit of `records`.

    Example:

    ```python
    import numpy as np
    from .labels import envelope

    envelope(np.sin(0.25 * np.pi * np.arange(64))[None])  # ones
    ```
    """
    return np.abs(scipy.signal.hilbert(records, axis=1))


def envelope_peak(records, starts, stops):
    """Position and height of the peak of each record's envelope in a gate, with a parabola through three samples.

    Args:
        records: array of shape `(num_records, num_samples)`.
        starts: array of shape `(num_records,)`. First sample of each gate; it is cut at the record's ends.
        stops: array of shape `(num_records,)`. The sample after the last of each gate.

    Returns:
        A tuple of two float64 arrays of shape `(num_records,)`: positions in samples, NaN where the maximum lies at an
        end of the gate, and heights in the unit of `records`.

    Example:

    ```python
    import numpy as np
    from .labels import envelope_peak

    time = np.arange(400)
    burst = np.exp(-(((time - 200.3) / 30) ** 2)) * np.sin(0.5 * time)
    position, height = envelope_peak(burst[None], [150], [250])  # about 200.3 and 1.0
    ```
    """
    height, inside = envelope(records), _gates(records, starts, stops)
    peak = np.where(inside, height, 0).argmax(axis=1)
    rows, last = np.arange(len(records)), records.shape[1] - 1
    before, after = np.maximum(peak - 1, 0), np.minimum(peak + 1, last)
    found = inside[rows, before] & inside[rows, after] & (before < peak) & (peak < after)
    offset = parabolic_offset(height[rows, before], height[rows, peak], height[rows, after])
    return np.where(found, peak + offset, np.nan), height[rows, peak]


def parabolic_offset(before, peak, after):
    """Offset of the vertex of parabolas through three equidistant samples from the middle one, in samples.

    Args:
        before: array of any shape. Samples before the largest one.
        peak: array of the same shape. The largest samples.
        after: array of the same shape. Samples after the largest one.

    Returns:
        A float64 array in [-0.5, 0.5]; 0 where the three are equal.
    """
    curvature = np.asarray(before - 2 * peak + after, dtype=np.float64)
    return np.divide(before - after, 2 * curvature, out=np.zeros_like(curvature), where=curvature != 0)


@dataclasses.dataclass(frozen=True)
class BurstExtent:
    """Where bursts lie about their labels, by group. Every field is a float64 array of shape `(num_records,)`, in
    samples.

    Args:
        shift: rise of the envelope less label, the median over the group.
        spread: robust standard deviation of rise less label within the group.
        length: fall of the envelope less its rise, the median over the group.
    """

    shift: np.ndarray
    spread: np.ndarray
    length: np.ndarray


def measure_extent(records, labels, search, used, groups, fraction=0.1):
    """Measures, for each group of echoes, where the envelope passes a fraction of its peak before and after the peak.

    Labels of different kinds mark different points of a burst: a threshold crossing, an arrival by cross-correlation,
    the peak. Added to the label, `shift` moves all of them to one physical point, the first rise of the envelope.

    Args:
        records: array of shape `(num_records, num_samples)`.
        labels: array of shape `(num_records,)`, in samples.
        search: pair of float. The burst is sought from `labels + search[0]` to `labels + search[1]` samples.
        used: bool array of shape `(num_records,)`. Records that are measured; the others get the values of their group.
        groups: array of int of shape `(num_records,)`. Group of each record.
        fraction: float in (0, 1). Height on the flanks, as a fraction of the recorded peak. Defaults to `0.1`, -20 dB.

    Returns:
        A `BurstExtent`.

    Raises:
        ValueError: where `fraction` is not in (0, 1), or no record of a group rises and falls through it inside of the
            search range.

    Example:

    ```python
    import numpy as np
    from .labels import measure_extent

    time = np.arange(800)
    records = np.exp(-(((time - np.array([[300], [350]])) / 30) ** 2)) * np.sin(0.5 * time)
    everything, one_group = np.ones(2, bool), np.zeros(2, int)
    extent = measure_extent(records, np.array([300.0, 350.0]), (-150, 150), everything, one_group)
    extent.shift, extent.length  # -30 * sqrt(log(10)), about -45.5, and twice as long
    ```
    """
    if not 0 < fraction < 1:
        raise ValueError(f"`fraction` must lie in (0, 1), but is {fraction}.")
    labels, groups = np.asarray(labels, dtype=np.float64)[used], np.asarray(groups)
    records = records[used]
    starts, stops = np.floor(labels + search[0]), np.ceil(labels + search[1])
    # The envelope of a piece is that of the record, but for some cycles at its ends, and long records take long.
    cut = max(int(starts.min()) - _CUT_MARGIN, 0)
    records = records[:, cut : int(stops.max()) + _CUT_MARGIN]
    height, inside = envelope(records), _gates(records, starts - cut, stops - cut)
    rise = cut + _rise(height, inside, fraction)
    fall = cut + records.shape[1] - 1 - _rise(height[:, ::-1], inside[:, ::-1], fraction)
    found = np.isfinite(rise) & np.isfinite(fall)
    shift, spread, length = np.empty((3, len(groups)))
    for group in np.unique(groups):
        members = found & (groups[used] == group)
        if not members.any():
            raise ValueError(
                f"No record of group {group} passes {fraction:g} of its peak on both flanks, {search[0]:g} to "
                f"{search[1]:g} samples about its label. Widen `search`, or check the labels."
            )
        shifts = (rise - labels)[members]
        shift[groups == group], spread[groups == group] = np.median(shifts), robust_sigma(shifts)
        length[groups == group] = np.median((fall - rise)[members])
    return BurstExtent(shift, spread, length)


def _gates(records, starts, stops):
    index = np.arange(records.shape[1])
    return (index >= np.asarray(starts)[:, None]) & (index < np.asarray(stops)[:, None])


def _rise(height, inside, fraction):
    """Where an envelope rises through a fraction of its peak inside of its gate, NaN where it does not.

    The flank is followed from the peak backwards, so that a weaker echo before it is not picked.
    """
    peak = np.where(inside, height, 0).argmax(axis=1)
    rows, last = np.arange(len(height)), height.shape[1] - 1
    threshold = fraction * height[rows, peak]
    below = inside & (np.arange(last + 1) < peak[:, None]) & (height < threshold[:, None])
    found = below.any(axis=1)
    foot = np.where(found, last - below[:, ::-1].argmax(axis=1), 0)
    low, high = height[rows, foot], height[rows, foot + 1]
    step = np.divide(threshold - low, high - low, out=np.zeros(len(height)), where=found)
    return np.where(found, foot + step, np.nan)
