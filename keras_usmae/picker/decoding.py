"""From the probability that an echo begins in each bin to picks. NumPy only: firmware mirrors it.

For one record of `B` bins, with `p[b] = 0` outside of it, the steps are:

1. Bin `b` is a peak where `p[b]` is above `p[b-2]` and `p[b-1]`, and not below `p[b+1]` and `p[b+2]`.
2. Its confidence is `p[b-1] + p[b] + p[b+1]`, at most 1: the expected number of echoes that begin within a bin of it.
   In the first bin `p[0]` stands in for `p[-1]` too: what the network spreads ahead of the record is not lost.
   Peaks below the least confidence are dropped.
3. Its neighbourhood reaches from `b - 2` to `b + 2`. Where the peak before it is at `a`, with `b - a <= 4`, it begins
   at `a + 2` for a distance of 3 and at `a + 3` for one of 4, and that of the peak at `a` ends at `a + 1`: echoes that
   are close share no bin.
4. Onset and variance are mean and variance of the bins' middles over the neighbourhood, weighted by `p`.
5. The variance that the targets of the training have of themselves, `label_sigma**2 + bin_width**2 / 12`, is taken off;
   what is left, 0 or more, is the network's own doubt. The interval is the onset plus and minus
   `1.96 * interval_scale * sqrt(doubt + interval_floor**2)`.

A port holds five bins and one peak: a peak is finished once the next one is known, or is more than 4 bins away.
"""

import numpy as np

_RADIUS = 2  # bins; the distance of two peaks is at least one more
_OFFSETS = np.arange(-_RADIUS, _RADIUS + 1)
NORMAL_95 = 1.959964


def decode_picks(
    probabilities: np.ndarray,
    bin_width: int,
    min_confidence: float,
    interval_scale: float = 1.0,
    interval_floor: float = 0.0,
    label_sigma: float = 8.0,
) -> dict[str, np.ndarray]:
    """Turns the probabilities of bins into picks.

    The interval rests on the variance, not on quantiles: those of a distribution over so few bins jump by a third with
    the place of the onset in its bin (21 samples from the middle of a bin, 16 from a border, for a spread of 8).

    Args:
        probabilities: float array of shape `(num_traces, num_bins)`. That an echo begins in the bin, each for itself.
        min_confidence: float in (0, 1]. Less sure picks are dropped.
        interval_scale: float. Factor of the interval, see `calibrate_picker`. Defaults to `1.0`.
        interval_floor: float, samples. Doubt that is left where the network has none. Defaults to `0.0`.
        label_sigma: float, samples. Spread of an echo in the targets, see `echo_targets`. Defaults to `8.0`.

    Returns:
        A dict of arrays of shape `(num_picks,)`, sorted by trace and then by onset: `"trace"` and `"bin"` (of the
        peak), int64; `"onset"` float64, samples; `"half_width"` float64, samples from the onset to either end of the
        interval; `"confidence"` float64.

    Raises:
        ValueError: where the least confidence lies outside of (0, 1].
    """
    peaks = find_peaks(probabilities, min_confidence)
    return measure_peaks(peaks, bin_width, interval_scale, interval_floor, label_sigma)


def find_peaks(probabilities: np.ndarray, min_confidence: float) -> dict[str, np.ndarray]:
    """Finds the peaks of steps 1 and 2.

    Args:
        probabilities: float array of shape `(num_traces, num_bins)`.
        min_confidence: float in (0, 1].

    Returns:
        A dict of arrays of one length, sorted by trace and then by bin: `"trace"` and `"bin"`, int64; `"near"`,
        float64 of shape `(num_peaks, 5)`, the probabilities from two bins before to two after; `"confidence"` float64.

    Raises:
        ValueError: where the least confidence lies outside of (0, 1].
    """
    if not 0 < min_confidence <= 1:
        raise ValueError(f"`min_confidence` must lie above 0 and up to 1. Received: min_confidence={min_confidence}")
    num_traces, num_bins = np.shape(probabilities)
    p = np.zeros((num_traces, num_bins + 2 * _RADIUS), np.asarray(probabilities).dtype)
    p[:, _RADIUS:-_RADIUS] = probabilities
    # A peak of a lower value cannot reach the least confidence with its two neighbours: most bins end here.
    place = np.flatnonzero(p >= min_confidence / 3)
    near = p.ravel()[place[:, None] + _OFFSETS].astype(np.float64)  # (picks, bins)
    trace, at = np.divmod(place, p.shape[1])
    at -= _RADIUS
    confidence = near[:, 1:-1].sum(axis=1) + np.where(at == 0, near[:, _RADIUS], 0.0)
    # The first of the largest values about a peak is its own.
    peak = (near.argmax(axis=1) == _RADIUS) & reaches(confidence, min_confidence)
    found = {"trace": trace, "bin": at, "near": near, "confidence": np.minimum(confidence, 1.0)}
    return {name: values[peak] for name, values in found.items()}


def reaches(confidence: np.ndarray, least: float) -> np.ndarray:
    """Which confidences reach the least one, bool: rounding drops none whose bins sum up to exactly that."""
    return confidence >= least - 1e-6


def measure_peaks(
    peaks: dict[str, np.ndarray], bin_width: int, interval_scale: float, interval_floor: float, label_sigma: float
) -> dict[str, np.ndarray]:
    """Measures peaks by steps 3 to 5, whose neighbourhoods end at each other.

    Args:
        peaks: dict, as `find_peaks` returns it, or some rows of it.

    Returns:
        A dict as `decode_picks` returns it.
    """
    trace, at = peaks["trace"], peaks["bin"]
    # Bins from the peak before each one, and behind the last; far where there is none in the same trace.
    gap = np.full(len(at) + 1, 2 * _RADIUS + 2)
    gap[1:-1] = np.where(trace[1:] == trace[:-1], at[1:] - at[:-1], 2 * _RADIUS + 2)
    before, after = -gap[:-1, None] / 2, gap[1:, None] / 2
    weight = peaks["near"] * ((before < _OFFSETS) & (after > _OFFSETS))
    weight /= weight.sum(axis=1, keepdims=True)
    mean = (weight * _OFFSETS).sum(axis=1)
    variance = ((weight * _OFFSETS**2).sum(axis=1) - mean**2) * bin_width**2
    doubt = np.maximum(variance - label_sigma**2 - bin_width**2 / 12, 0.0)
    return {
        "trace": trace,
        "bin": at,
        "onset": (at + 0.5 + mean) * bin_width,
        "half_width": NORMAL_95 * interval_scale * np.sqrt(doubt + interval_floor**2),
        "confidence": peaks["confidence"],
    }
