"""Windows of measured records at the model's sampling rate, cut so that the onset falls anywhere in the window.

The start of a recording window is arbitrary, so a record with one known onset gives as many windows, with as many
onsets, as fit into it. Nothing is invented: a window lies wholly inside its record, and no sample is padded.
"""

import numpy as np
import scipy.signal

# Input samples on each side that one output sample of the resampling filter rests on. A filter this short is flat to
# 0.1 dB up to 0.64 of the Nyquist frequency, above any transducer that is sampled well, and hardly rings ahead of a
# clipped echo, where one of 10 samples, SciPy's default, adds 6 % of the full scale.
_HALF_WIDTH = 4


def resample(records: np.ndarray, factor: int) -> np.ndarray:
    """Resamples records to an integer multiple of their rate, with no delay.

    A polyphase low-pass filter of zero phase interpolates between the samples: sample `k` of a record becomes sample
    `k * factor`, and so does an onset. Where the filter would reach beyond an end of the record its output is not
    valid: `resampling_margin(factor)` samples at each end.

    Args:
        records: array of shape `(num_records, num_samples)`.
        factor: int, 1 or more.

    Returns:
        A float32 array of shape `(num_records, num_samples * factor)`.

    Raises:
        ValueError: where `factor` is not a positive integer, or a record is shorter than the filter.
    """
    if factor != int(factor) or factor < 1:
        raise ValueError(
            f"`factor` must be an integer of 1 or more, but is {factor!r}. A record whose rate does not divide the "
            "model's needs `scipy.signal.resample_poly` with `up` and `down`, and its onset scaled by `up / down`."
        )
    records = np.asarray(records, dtype=np.float32)
    if factor == 1:
        return records.copy()
    if records.shape[1] <= 2 * _HALF_WIDTH:
        raise ValueError(f"Records of {records.shape[1]} samples are shorter than the filter of {2 * _HALF_WIDTH + 1}.")
    taps = scipy.signal.firwin(2 * _HALF_WIDTH * factor + 1, 1 / factor, window=("kaiser", 5.0))
    return scipy.signal.resample_poly(records, factor, 1, axis=1, window=taps.astype(np.float32))


def resampling_margin(factor: int) -> int:
    """Samples at each end of a resampled record that rest on samples beyond the record's end.

    Args:
        factor: int. The factor that was given to `resample`.
    """
    return 0 if factor == 1 else _HALF_WIDTH * factor


def window_starts(
    onset: np.ndarray, burst_length: np.ndarray, earliest: np.ndarray, end: np.ndarray, signal_length: int
) -> tuple:
    """First and last admissible start of a window, for each of some echoes.

    A window is admissible where it lies inside the record, starts no later than the onset and holds the whole burst.

    Args:
        onset: array of shape `(n,)`. Onsets in the records, in samples.
        burst_length: array of shape `(n,)`. Room that the window needs after the onset, in samples.
        earliest: array of shape `(n,)`. First sample of the record that a window may hold: its first valid one, or the
            end of the echo before.
        end: array of shape `(n,)`. The sample after the record's last valid one.
        signal_length: int. Length of a window in samples.

    Returns:
        A tuple `(first, last)` of two int64 arrays of shape `(n,)`. No window is admissible where `last < first`.
    """
    onset, burst_length = np.asarray(onset, dtype=np.float64), np.asarray(burst_length, dtype=np.float64)
    first = np.maximum(np.ceil(earliest), np.ceil(onset + burst_length - signal_length))
    last = np.minimum(np.floor(onset), np.asarray(end) - signal_length)
    return first.astype(np.int64), last.astype(np.int64)


def draw_windows(
    onset: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    kind: np.ndarray,
    weights: np.ndarray,
    num_windows: int,
    onset_range: tuple[float, float],
    seed: int,
) -> tuple:
    """Draws windows whose onsets are uniform over a range, whatever the onsets in the records are.

    For each window, the onset inside of the window is drawn first; then, among the echoes that can have it there, a
    kind of echo by its weight, and an echo of this kind. Kinds that cannot have this onset leave their share to the
    others.

    Args:
        onset: array of shape `(n,)`. Onsets in the records, in samples.
        first: array of int of shape `(n,)`. First admissible start of a window.
        last: array of int of shape `(n,)`. Last admissible start of a window.
        kind: array of int of shape `(n,)`. Kind of each echo, an index into `weights`.
        weights: array of shape `(num_kinds,)`. Relative frequency of each kind.
        onset_range: pair of float. Range of the onset inside of the window, in samples.
        seed: int, or a NumPy `SeedSequence`.

    Returns:
        A tuple `(index, start)` of two int64 arrays of shape `(num_windows,)`: echoes, and starts of windows in the
        records, in samples. The onset in the window is `onset[index] - start`, within half a sample of the drawn one.

    Raises:
        ValueError: where no echo can have an onset that was drawn.
    """
    onset, kind, weights = np.asarray(onset, np.float64), np.asarray(kind), np.asarray(weights, np.float64)
    first, last = np.asarray(first), np.asarray(last)
    rng = np.random.default_rng(seed)
    targets = rng.uniform(*onset_range, size=num_windows)
    members = [np.flatnonzero(kind == k) for k in range(len(weights))]
    index = np.empty(num_windows, dtype=np.int64)
    for window, target in enumerate(targets):
        wanted = np.rint(onset - target)
        admissible = (first <= wanted) & (wanted <= last)
        candidates = [echoes[admissible[echoes]] for echoes in members]
        share = weights * [len(echoes) > 0 for echoes in candidates]
        if not share.any():
            raise ValueError(
                f"No echo can have an onset of {target:.1f} samples in a window: the record ends, an earlier echo is "
                f"in the way, or the burst does not fit. Narrow `onset_range`, which is {tuple(onset_range)}."
            )
        chosen = candidates[rng.choice(len(weights), p=share / share.sum())]
        index[window] = chosen[rng.integers(len(chosen))]
    return index, np.rint(onset[index] - targets).astype(np.int64)


def cut_windows(records: np.ndarray, rows: np.ndarray, starts: np.ndarray, signal_length: int) -> np.ndarray:
    """Cuts windows out of records.

    Args:
        records: array of shape `(num_records, num_samples)`.
        rows: array of int of shape `(n,)`. Record of each window.
        starts: array of int of shape `(n,)`. First sample of each window.
        signal_length: int. Length of a window in samples.

    Returns:
        An array of shape `(n, signal_length)` and the dtype of `records`.

    Raises:
        ValueError: where a window does not lie inside its record.
    """
    starts = np.asarray(starts)
    outside = (starts < 0) | (starts + signal_length > records.shape[1])
    if outside.any():
        raise ValueError(
            f"The window from sample {starts[outside][0]} on, of {signal_length} samples, does not lie inside a record "
            f"of {records.shape[1]} samples."
        )
    return np.lib.stride_tricks.sliding_window_view(records, signal_length, axis=1)[rows, starts]


def burst_rms(signals: np.ndarray, onset: np.ndarray, burst_length: np.ndarray) -> np.ndarray:
    """RMS of each signal over the length of a burst, from its onset on.

    Args:
        signals: array of shape `(n, signal_length)`.
        onset: array of shape `(n,)`, in samples.
        burst_length: array of shape `(n,)`, in samples.

    Returns:
        A float64 array of shape `(n,)`, in the unit of `signals`.

    Raises:
        ValueError: where a burst does not lie inside its signal.
    """
    first = np.ceil(onset).astype(np.int64)
    stop = np.ceil(np.asarray(onset) + burst_length).astype(np.int64)
    outside = ~((first >= 0) & (first < stop) & (stop <= signals.shape[1]))
    if outside.any():
        i = int(outside.argmax())
        raise ValueError(
            f"The burst of signal {i}, from sample {first[i]} up to {stop[i]}, does not lie inside its "
            f"{signals.shape[1]} samples."
        )
    energy = np.cumsum(np.square(signals, dtype=np.float64), axis=1)
    energy = np.concatenate([np.zeros((len(signals), 1)), energy], axis=1)
    rows = np.arange(len(signals))
    return np.sqrt((energy[rows, stop] - energy[rows, first]) / (stop - first))


def add_noise(
    signals: np.ndarray, signal_rms: np.ndarray, noise_rms: np.ndarray, snr_db: np.ndarray, seed: int
) -> tuple:
    """Adds white Gaussian noise, so that the noise that is there and the one added make up a wanted SNR.

    A signal that is noisier than wanted stays as it is.

    Args:
        signals: float32 array of shape `(n, signal_length)`.
        signal_rms: array of shape `(n,)`. RMS of the burst, free of noise, in the unit of `signals`.
        noise_rms: array of shape `(n,)`. RMS of the noise in `signals`.
        snr_db: array of shape `(n,)`. Wanted 20 log10(RMS of the burst / RMS of the noise), in dB.
        seed: int, or a NumPy `SeedSequence`.

    Returns:
        A tuple `(noisy, reached, added)`: a float32 array of shape `(n, signal_length)`; the SNR of each signal in dB,
        a float64 array; and whether noise was added to it, a bool array.
    """
    wanted_rms = np.asarray(signal_rms) * 10 ** (-np.asarray(snr_db) / 20)
    missing = np.sqrt(np.maximum(wanted_rms**2 - np.square(noise_rms), 0))
    noise = np.random.default_rng(seed).standard_normal(signals.shape, dtype=np.float32)
    noisy = signals + noise * missing.astype(np.float32)[:, None]
    reached = 20 * np.log10(signal_rms / np.hypot(noise_rms, missing))
    return noisy, reached, missing > 0
