"""Classical time of flight from the first rise of a signal: envelope threshold and AIC.

Both find the rise in the same way. The noise floor is taken from the quietest tenth of the envelope, and the rise is
the first place where the envelope, having been low, stays above a level that is relative to the peak and well above the
noise. A record that begins above the level, as with the ring-down of the transmit pulse, is armed only once it has
become quiet. To look at a part of a record, slice it: `pick_threshold(signals[:, start:], ...) + start`.
"""

import numpy as np

from keras_usmae.signals.normalization import check_signals
from keras_usmae.signals.picking.analytic import analytic_signal

_CHUNK_SIZE = 512  # signals at a time, so that a whole data set needs no more memory than a batch


def pick_threshold(
    signals: np.ndarray,
    sampling_rate: float,
    level: float = 0.4,
    noise_factor: float = 6.0,
    band: tuple[float, float] = (0.3e6, 8e6),
) -> np.ndarray:
    """Picks onsets by an envelope threshold, extrapolated back to where the envelope leaves zero.

    The onset is where a raised-cosine flank through the last upward crossings of the threshold and of half of it would
    leave zero: exact for Hann and Tukey bursts, up to some samples early for steeper ones, and late for Gaussian ones.

    Args:
        signals: array of shape `(num_signals, signal_length)`, in any unit.
        sampling_rate: float. Sampling rate in Hz.
        level: float. Threshold as a share of the largest value of the envelope. Defaults to `0.4`.
        noise_factor: float. Lowest threshold in units of the RMS of the band-passed noise. Defaults to `6.0`.
        band: tuple of two floats. Pass band before the envelope is taken, in Hz. Defaults to `(0.3e6, 8e6)`.

    Returns:
        A float64 array of shape `(num_signals,)`: onsets in samples of 0 and more, NaN where the envelope nowhere
        rises above the threshold from a quiet part of the record.

    Raises:
        ValueError: where the signals are not finite, or an argument is out of range.

    Example:

    ```python
    from keras_usmae.signals import SignalConfig, pick_threshold, synthesize

    batch = synthesize(SignalConfig.from_preset("paper"), num_signals=8, seed=0)
    pick_threshold(batch["signal"], sampling_rate=100e6) - batch["onset"]  # errors in samples
    ```
    """
    signals = check_signals(signals)
    _check_fraction("level", level)

    def pick(chunk):
        lower, upper, lower_share, upper_share = _find_rise(chunk, sampling_rate, band, level, noise_factor)
        # On a raised-cosine flank, time goes with the arcsine of the root of the envelope.
        lower_phase, upper_phase = np.arcsin(np.sqrt(lower_share)), np.arcsin(np.sqrt(upper_share))
        return np.maximum(lower - (upper - lower) * lower_phase / (upper_phase - lower_phase), 0)

    return _by_chunks(pick, signals)


def pick_aic(
    signals: np.ndarray,
    sampling_rate: float,
    window: tuple[int, int] = (250, 20),
    band: tuple[float, float] = (0.3e6, 20e6),
) -> np.ndarray:
    """Picks onsets by the Akaike information criterion (AIC) in a window around the first rise of the envelope.

    The onset is where the window is best explained by two stationary parts, noise and signal: the minimum of
    `k log(var(x[:k])) + (N - k - 1) log(var(x[k:]))`. It is where the burst emerges from the noise, and so late for
    bursts that rise slowly, and up to some samples early for those with a jump, ahead of which the band-pass rings.

    Args:
        signals: array of shape `(num_signals, signal_length)`, in any unit.
        sampling_rate: float. Sampling rate in Hz.
        window: tuple of two ints. Samples of the window before the envelope crosses 20 % of its peak, and after it
            crosses 40 %. Defaults to `(250, 20)`.
        band: tuple of two floats. Pass band before the criterion is computed, in Hz. Defaults to `(0.3e6, 20e6)`.

    Returns:
        A float64 array of shape `(num_signals,)`: onsets in samples, halfway between the last sample of noise and the
        first of signal. NaN where `pick_threshold` gives NaN.

    Raises:
        ValueError: where the signals are not finite, or an argument is out of range.

    Example:

    ```python
    from keras_usmae.signals import SignalConfig, pick_aic, synthesize

    batch = synthesize(SignalConfig.from_preset("paper"), num_signals=8, seed=0)
    pick_aic(batch["signal"], sampling_rate=100e6) - batch["onset"]  # errors in samples
    ```

    Reference:
        - Maeda, A method for reading and checking phase times in autoprocessing system of seismic wave data,
          Zisin 38 (1985), 365-379.
    """
    signals = check_signals(signals)
    before, after = window
    if before < 1 or after < 1:
        raise ValueError(f"`window` must hold two numbers of samples of 1 or more, but is {window}.")

    def pick(chunk):
        lower, upper, _, _ = _find_rise(chunk, sampling_rate, band)
        found = np.flatnonzero(np.isfinite(lower))
        onset = np.full(len(chunk), np.nan)
        if found.size:
            start = np.maximum(np.floor(lower[found]).astype(np.int64) - before, 0)
            stop = np.minimum(np.ceil(upper[found]).astype(np.int64) + after, chunk.shape[1])
            traces = analytic_signal(chunk[found], sampling_rate, band).real
            onset[found] = start + _two_part_split(traces, start, stop) - 0.5
        return onset

    return _by_chunks(pick, signals)


def _find_rise(signals, sampling_rate, band, level=0.4, noise_factor=6.0):
    """Crossings of half of the threshold and of the threshold in the first rise, and both as shares of the peak."""
    envelope = np.abs(analytic_signal(signals, sampling_rate, band))
    peak = envelope.max(axis=1)
    # Bursts may fill most of a record, but hardly its quietest tenth, which for the Rayleigh distributed envelope of
    # Gaussian noise ends at 0.46 of the RMS of the noise.
    noise_rms = np.quantile(envelope, 0.1, axis=1) / np.sqrt(-2 * np.log(0.9))
    upper_level = np.maximum(level * peak, noise_factor * noise_rms)
    lower_level = upper_level / 2
    armed = np.logical_or.accumulate(envelope < lower_level[:, None], axis=1)
    # Shorter than a resolution cell of the band, an excursion is noise.
    persistence = max(round(sampling_rate / band[1]), 1)
    index, found = _first_run(armed & (envelope >= upper_level[:, None]), persistence)
    upper = _last_crossing(envelope, upper_level, index)
    lower = _last_crossing(envelope, lower_level, index)
    share = np.where(found, upper_level / np.where(found, peak, 1), np.nan)
    return np.where(found, lower, np.nan), np.where(found, upper, np.nan), share / 2, share


def _first_run(mask, length):
    """Index of the first run of `length` true values in each row, and whether there is one."""
    count = np.cumsum(np.pad(mask, ((0, 0), (1, 0))), axis=1, dtype=np.int32)
    run = count[:, length:] - count[:, :-length] == length
    return run.argmax(axis=1), run.any(axis=1)


def _last_crossing(envelope, level, index):
    """Last upward crossing of a level at or before an index, by linear interpolation between two samples."""
    below = (envelope < level[:, None]) & (np.arange(envelope.shape[1]) < index[:, None])
    last = np.maximum(envelope.shape[1] - 1 - below[:, ::-1].argmax(axis=1), 0)
    last = np.minimum(last, envelope.shape[1] - 2)
    rows = np.arange(len(envelope))
    low, high = envelope[rows, last], envelope[rows, last + 1]
    return last + (level - low) / np.where(high > low, high - low, np.inf)


def _two_part_split(traces, start, stop):
    """Number of samples in the first of two parts that minimizes the AIC of each trace from `start` to `stop`."""
    size = (stop - start)[:, None]
    index = np.arange(size.max())
    inside = index < size
    window = np.take_along_axis(traces, np.minimum(start[:, None] + index, traces.shape[1] - 1), axis=1)
    window = np.where(inside, window, 0).astype(np.float64)
    power = np.cumsum(window**2, axis=1)
    total = np.cumsum(window, axis=1)
    first = index + 1
    second = np.maximum(size - first, 1)
    variance_first = power / first - (total / first) ** 2
    variance_second = (power[:, -1:] - power) / second - ((total[:, -1:] - total) / second) ** 2
    floor = 1e-12 * power[:, -1:] / size  # an ideal, or a coarse, recorder gives parts of no variance at all
    aic = first * np.log(np.maximum(variance_first, floor))
    aic += (second - 1) * np.log(np.maximum(variance_second, floor))
    margin = 4  # of samples that a variance is estimated from at least
    aic[(first < margin) | (first > size - margin)] = np.inf
    return aic.argmin(axis=1) + 1


def _by_chunks(pick, signals):
    starts = range(0, max(len(signals), 1), _CHUNK_SIZE)
    return np.concatenate([pick(signals[start : start + _CHUNK_SIZE]) for start in starts])


def _check_fraction(name, value):
    if not 0 < value < 1:
        raise ValueError(f"`{name}` must lie between 0 and 1, but is {value}.")
