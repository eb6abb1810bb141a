"""Signal-to-noise ratio of traces of which nothing is known but that they hold a burst."""

import numpy as np
import scipy.fft
import scipy.ndimage

# Pieces that a trace is cut into for its noise, and the shortest of them in samples.
_NUM_PIECES, _SHORTEST = 40, 16
# The burst is where its power, averaged over so many periods of the spectral peak, is above this share of its peak.
_PERIODS, _LEVEL = 2, 0.01
# Below this share of the sampling rate, a spectrum holds drift and the recovery from the transmit pulse.
DRIFT = 0.01


def estimate_snr(signals: np.ndarray) -> np.ndarray:
    """Estimates 20 log10(RMS of the strongest burst over its length / RMS of the noise) of each signal.

    The noise is measured in 40 equal pieces, each about its own mean, so that a slow drift is no noise: it is the mean
    of those pieces whose power is at most twice that of the lower quartile. The burst is the stretch about the highest
    power, averaged over two periods of the spectral peak and less that of the noise, down to 1 % of that (-20 dB) or to
    where noise alone would reach.

    An estimate, not a measurement. Less the true value, 5th, 50th and 95th percentile on one burst in white noise (the
    preset `paper`): -1.7, 0.0, +1.7 dB from 10 to 40 dB, and -1.3, +1.4, +6.2 dB at 0 dB, where the burst hardly stands
    out. Most of that spread is one of definition, since a burst's end is hidden by noise. With echoes that overlap or
    are stronger than the first (the preset `quickstart`): -0.8, +1.2, +7.3 dB. It is too low where echoes fill three
    quarters of the record, and says nothing of noise that grows within the record, as behind a time-varying gain. Where
    the transmit pulse is in the record, it may be the strongest burst.

    Args:
        signals: array of shape `(n, L)`.

    Returns:
        A float64 array of shape `(n,)`, in dB; infinite where a quarter of the pieces are free of noise.

    Example:

    ```python
    from keras_usmae.signals import SignalConfig, synthesize
    from keras_usmae.signals.readers import estimate_snr

    data = synthesize(SignalConfig.from_preset("paper"), num_signals=8, seed=0)
    estimate_snr(data["signal"]) - data["snr_db"]  # within 3 dB
    ```
    """
    return np.array([_estimate(np.asarray(signal, dtype=np.float64)) for signal in signals])


def _estimate(signal):
    centered = signal - np.median(signal)
    noise = _noise_power(centered)
    width = _averaging_width(centered)
    excess = scipy.ndimage.uniform_filter1d(centered**2, width, mode="constant") - noise
    peak = int(excess.argmax())
    # Two standard deviations of averaged noise alone, with as many degrees of freedom as samples.
    low = excess < max(_LEVEL * excess[peak], 2 * noise * np.sqrt(2 / width))
    before, after = np.flatnonzero(low[:peak]), np.flatnonzero(low[peak:])
    start = before[-1] + 1 if before.size else 0
    stop = peak + max(after[0], 1) if after.size else len(signal)
    burst = np.mean(centered[start:stop] ** 2) - noise
    with np.errstate(divide="ignore"):
        return 10 * np.log10(np.maximum(burst, np.finfo(float).tiny) / noise) if noise else np.inf


def _noise_power(centered):
    size = max(min(_SHORTEST, len(centered)), len(centered) // _NUM_PIECES)
    count = len(centered) // size
    power = np.var(centered[: count * size].reshape(count, size), axis=1, ddof=1)
    quiet = np.percentile(power, 25, method="lower")
    return np.mean(power[power <= 2 * quiet])


def _averaging_width(centered):
    """Samples of two periods of the spectral peak."""
    power = np.abs(scipy.fft.rfft(centered * np.hanning(len(centered)))) ** 2
    power[: max(1, int(DRIFT * len(centered)))] = 0
    periods = max(int(power.argmax()), 1)
    return max(3, round(_PERIODS * len(centered) / periods))
