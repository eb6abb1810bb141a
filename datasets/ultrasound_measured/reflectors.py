"""Plane reflectors in the full-matrix capture of a linear array: travel times, and a fit to measured records.

A full matrix holds one record for each pair of transmitter and receiver, shape `(num_pairs, num_samples)`. `tx` and
`rx` are the positions of the two elements along the array in m, shape `(num_pairs,)`; depths are in m, times in s.
"""

import dataclasses

import numpy as np
import scipy.optimize

from .labels import first_crossing, parabolic_offset
from .surfaces import robust_sigma


def plane_travel_time(tx, rx, depth, slope, speed_of_sound):
    """Travel time of the echo of a nearly parallel plane, by the mirror image of the transmitter.

    Args:
        tx: array. Positions of the transmitters in m.
        rx: array. Positions of the receivers in m.
        depth: float. Depth of the plane under position 0, in m.
        slope: float. Change of depth along the array, in m/m, small.
        speed_of_sound: float. In m/s.

    Returns:
        A float64 array of times in s.

    Example:

    ```python
    from .reflectors import plane_travel_time

    plane_travel_time(0.0, 0.0, depth=0.024, slope=0.0, speed_of_sound=1480.0)  # 32.4e-6 s
    ```
    """
    tx, rx = np.asarray(tx, dtype=np.float64), np.asarray(rx, dtype=np.float64)
    depth_at_midpoint = depth + slope * (tx + rx) / 2
    return np.hypot(2 * depth_at_midpoint, tx - rx) / speed_of_sound


@dataclasses.dataclass(frozen=True)
class PlaneFit:
    """A plane fitted to a full matrix.

    Args:
        depth: float. Depth under position 0, in m.
        slope: float. Change of depth along the array, in m/m.
        delay: float. Time of the arrivals after the transmit pulse, less the travel time, in s.
        arrivals: float64 array of shape `(num_pairs,)`. Arrival of each record by cross-correlation, in samples.
        model: float64 array of shape `(num_pairs,)`. Arrivals on the fitted plane, in samples.
        sigma: float. Robust standard deviation of `arrivals - model` over the fitted pairs, in samples.
    """

    depth: float
    slope: float
    delay: float
    arrivals: np.ndarray
    model: np.ndarray
    sigma: float


def fit_plane(records, tx, rx, fitted, sampling_rate, start_time, speed_of_sound, wavelet_length, max_lag, gate):
    """Fits a plane to its echoes in a full matrix, with arrivals by cross-correlation against the stacked wavelet.

    A threshold gives first arrivals, robust least squares a first plane. Then, three times: the records are aligned on
    the plane and averaged to a wavelet, each is cross-correlated with it, and the plane is fitted to these arrivals.
    Zero of the wavelet is where it first reaches 10 % of its peak.

    Args:
        records: array of shape `(num_pairs, num_samples)`.
        tx: array of shape `(num_pairs,)`. Positions of the transmitters in m.
        rx: array of shape `(num_pairs,)`. Positions of the receivers in m.
        fitted: bool array of shape `(num_pairs,)`. Pairs that the plane is fitted to.
        sampling_rate: float. In Hz.
        start_time: float. Time of sample 0 in s.
        speed_of_sound: float. In m/s.
        wavelet_length: int. Length of the wavelet in samples.
        max_lag: int. Largest lag searched in samples; less than half of a cycle, or the search may slip by one.
        gate: pair of int. Where first arrivals are sought, in samples.

    Returns:
        A `PlaneFit`.

    Raises:
        ValueError: where no first arrival is found in the gate, or the plane's echoes leave the records.

    Example: see `datasets/ultrasound_measured/echoes.py`, which fits the surface of a copper block.
    """
    picks = first_crossing(records, 0.1 * np.abs(records[:, gate[0] : gate[1]]).max(axis=1), gate)
    fitted = np.asarray(fitted) & np.isfinite(picks)
    if fitted.sum() < 4:
        raise ValueError(
            f"Only {int(fitted.sum())} records have a first arrival in the gate {gate}; a plane needs four."
        )
    # One sample, 0.1 mm and 0.1 mm/m all move the arrivals by about as much: a well-scaled problem.
    scale = np.array([1e-4, 1e-4, 1 / sampling_rate])

    def to_samples(scaled):
        depth, slope, delay = scaled * scale
        time = plane_travel_time(tx, rx, depth, slope, speed_of_sound) + delay
        return (time - start_time) * sampling_rate

    def fit(samples, scaled):
        residual = lambda p: (to_samples(p) - samples)[fitted]  # noqa: E731
        return scipy.optimize.least_squares(residual, scaled, loss="soft_l1", f_scale=0.3).x

    first_time = np.median(picks[fitted]) / sampling_rate + start_time
    scaled = fit(picks, np.array([first_time * speed_of_sound / 2, 0.0, 0.0]) / scale)
    lead = wavelet_length // 4
    for _ in range(3):
        reference = to_samples(scaled)
        aligned = _cut(records, reference, -lead - max_lag, wavelet_length + max_lag)
        wavelet = aligned[fitted].mean(axis=0)
        arrivals = reference + _best_lag(aligned, wavelet[max_lag:-max_lag], max_lag)
        scaled = fit(arrivals, scaled)
    zero = first_crossing(wavelet[None], 0.1 * np.abs(wavelet).max(), (0, len(wavelet)))[0] - lead - max_lag
    arrivals, model = arrivals + zero, to_samples(scaled) + zero
    depth, slope, delay = scaled * scale
    sigma = robust_sigma((arrivals - model)[fitted])
    return PlaneFit(float(depth), float(slope), float(delay + zero / sampling_rate), arrivals, model, sigma)


def _cut(records, reference, start, stop):
    """Records between two offsets from a fractional reference each, interpolated linearly."""
    position = reference[:, None] + np.arange(start, stop)
    if position.min() < 0 or position.max() > records.shape[1] - 1:
        raise ValueError(
            f"Echoes at {reference.min():.1f} to {reference.max():.1f} samples need samples {position.min():.1f} to "
            f"{position.max():.1f}, but the records have {records.shape[1]}."
        )
    index = np.minimum(position.astype(int), records.shape[1] - 2)
    fraction = position - index
    rows = np.arange(len(records))[:, None]
    return records[rows, index] * (1 - fraction) + records[rows, index + 1] * fraction


def _best_lag(aligned, wavelet, max_lag):
    """Lag of the largest cross-correlation of each row with the wavelet, with a parabola through three lags."""
    score = np.lib.stride_tricks.sliding_window_view(aligned, len(wavelet), axis=1) @ wavelet
    rows = np.arange(len(aligned))
    best = score[:, 1:-1].argmax(axis=1) + 1
    return best - max_lag + parabolic_offset(score[rows, best - 1], score[rows, best], score[rows, best + 1])
