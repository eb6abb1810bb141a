"""Point reflectors in the full-matrix capture of a linear array: image, maxima, and a fit to the peaks of the echoes.

Conventions are those of `reflectors.py`.
"""

import dataclasses

import numpy as np
import scipy.optimize
import scipy.signal

from .labels import envelope_peak


def point_travel_time(tx, rx, x, z, speed_of_sound):
    """Travel time from the transmitter to a point and on to the receiver.

    Args:
        tx: array. Positions of the transmitters in m.
        rx: array. Positions of the receivers in m.
        x: float or array. Position of the point along the array in m.
        z: float or array. Depth of the point in m.
        speed_of_sound: float. In m/s.

    Returns:
        A float64 array of times in s.

    Example:

    ```python
    from .point_reflectors import point_travel_time

    point_travel_time(0.0, 0.003, x=0.0, z=0.004, speed_of_sound=1500.0)  # (4 mm + 5 mm) / 1500 m/s = 6e-6 s
    ```
    """
    tx, rx = np.asarray(tx, dtype=np.float64), np.asarray(rx, dtype=np.float64)
    return (np.hypot(tx - x, z) + np.hypot(rx - x, z)) / speed_of_sound


@dataclasses.dataclass(frozen=True)
class PointFit:
    """A point reflector fitted to a full matrix.

    Args:
        x: float. Position along the array in m.
        z: float. Depth in m.
        peaks: float64 array of shape `(num_pairs,)`. Peak of the envelope near the model in each record, in samples;
            NaN where there is none.
        heights: float64 array of shape `(num_pairs,)`. Height of the envelope there, in the unit of the records.
        model: float64 array of shape `(num_pairs,)`. Peaks as the fitted point has them, in samples.
        sigma: float. Standard deviation of `peaks - model` over the fitted pairs, in samples.
    """

    x: float
    z: float
    peaks: np.ndarray
    heights: np.ndarray
    model: np.ndarray
    sigma: float


def delay_and_sum(records, tx, rx, x, z, sampling_rate, start_time, speed_of_sound, delay):
    """Image of a full matrix by the total focusing method: analytic records, summed at the travel time of each pixel.

    Args:
        records: array of shape `(num_pairs, num_samples)`.
        tx: array of shape `(num_pairs,)`. Positions of the transmitters in m.
        rx: array of shape `(num_pairs,)`. Positions of the receivers in m.
        x: array of shape `(num_x,)`. Positions of the pixels along the array in m.
        z: array of shape `(num_z,)`. Depths of the pixels in m.
        sampling_rate: float. In Hz.
        start_time: float. Time of sample 0 in s.
        speed_of_sound: float. In m/s.
        delay: float. Time of the echo's peak less its travel time, in s.

    Returns:
        A float64 array of shape `(num_x, num_z)`, the magnitude of the sum. Times outside of the record add nothing.

    Example: see `find_points`, which looks for the maxima of this image.

    Reference:
        - Holmes, Drinkwater, Wilcox, Post-processing of the full matrix of ultrasonic transmit-receive array data for
          non-destructive evaluation, NDT&E International 38 (2005), doi 10.1016/j.ndteint.2005.04.002.
    """
    analytic = scipy.signal.hilbert(records, axis=1)
    rows, last = np.arange(len(records))[:, None], records.shape[1] - 1
    image = np.empty((len(x), len(z)))
    for column, position in enumerate(x):
        time = point_travel_time(tx[:, None], rx[:, None], position, z, speed_of_sound) + delay - start_time
        index = np.rint(time * sampling_rate).astype(int)
        inside = (index >= 0) & (index <= last)
        image[column] = np.abs(np.sum(analytic[rows, np.clip(index, 0, last)] * inside, axis=0))
    return image


def find_points(image, x, z, num_points, separation):
    """Positions of the strongest maxima of an image, strongest first.

    Args:
        image: array of shape `(num_x, num_z)`.
        x: array of shape `(num_x,)`. Positions of the pixels along the array in m.
        z: array of shape `(num_z,)`. Depths of the pixels in m.
        num_points: int. Number of points.
        separation: float. Pixels within this distance of a maximum belong to it, in m.

    Returns:
        A list of `num_points` pairs `(x, z)` in m.

    Example:

    ```python
    import numpy as np
    from .point_reflectors import find_points

    find_points(np.eye(3), np.arange(3.0), np.arange(3.0), num_points=2, separation=1.0)  # [(0.0, 0.0), (1.0, 1.0)]
    ```
    """
    remaining = np.array(image, dtype=np.float64)
    points = []
    for _ in range(num_points):
        row, column = np.unravel_index(remaining.argmax(), remaining.shape)
        points.append((float(x[row]), float(z[column])))
        remaining[np.hypot(x[:, None] - x[row], z - z[column]) <= separation] = -np.inf
    return points


def fit_point(records, tx, rx, start, noise_rms, sampling_rate, start_time, speed_of_sound, delay, gate, min_snr_db):
    """Refines a point reflector by robust least squares on the envelope peaks near its model.

    Args:
        records: array of shape `(num_pairs, num_samples)`.
        tx: array of shape `(num_pairs,)`. Positions of the transmitters in m.
        rx: array of shape `(num_pairs,)`. Positions of the receivers in m.
        start: pair of float. First position `(x, z)` in m.
        noise_rms: float. RMS of the noise, in the unit of `records`.
        sampling_rate: float. In Hz.
        start_time: float. Time of sample 0 in s.
        speed_of_sound: float. In m/s.
        delay: float. Time of the echo's peak less its travel time, in s.
        gate: int. Largest distance of a peak from the model in samples; half of it is what the fit is judged on.
        min_snr_db: float. 20 log10(peak of the envelope / RMS of the noise) of the records fitted, in dB.

    Returns:
        A `PointFit`.

    Raises:
        ValueError: where fewer than three records hold such a peak.

    Example: see `datasets/ultrasound_measured/echoes.py`, which fits two steel pins.
    """

    def to_samples(point):
        time = point_travel_time(tx, rx, *(point * 1e-3), speed_of_sound) + delay
        return (time - start_time) * sampling_rate

    def pick(point):
        model = to_samples(point)
        peaks, heights = envelope_peak(records, np.floor(model) - gate, np.ceil(model) + gate + 1)
        with np.errstate(divide="ignore"):
            snr_db = 20 * np.log10(heights / noise_rms)
        good = np.isfinite(peaks) & (snr_db > min_snr_db)
        if good.sum() < 3:
            raise ValueError(
                f"Only {int(good.sum())} records have a peak above {min_snr_db} dB within {gate} samples of the point "
                f"({point[0]:.2f}, {point[1]:.2f}) mm; three at least are needed."
            )
        return peaks, heights, model, good

    point = np.array(start) * 1e3  # mm, so that a step is of the order of one
    for _ in range(3):
        peaks, _, _, good = pick(point)
        residual = lambda p, peaks=peaks, good=good: (to_samples(p) - peaks)[good]  # noqa: E731
        point = scipy.optimize.least_squares(residual, point, loss="soft_l1", f_scale=2.0).x
    peaks, heights, model, good = pick(point)
    good &= np.abs(np.where(good, peaks - model, np.inf)) < gate / 2
    return PointFit(
        float(point[0]) * 1e-3, float(point[1]) * 1e-3, peaks, heights, model, float(np.std((peaks - model)[good]))
    )
