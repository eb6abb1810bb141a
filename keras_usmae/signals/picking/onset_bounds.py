"""Cramér-Rao bound of the onset of each signal of a dataset, from what is stored with it.

The envelope bound of `bounds.py`, in which the noise enters through the signal-to-noise ratio: with `L` the length of
the burst and `w` its RMS bandwidth in rad a sample, it is `10 ** (-snr_db / 20) / (w sqrt(L))`. It holds for white
noise and one pulse of known envelope; where the estimator does not know the envelope, or other echoes overlap, none can
reach it.
"""

import numpy as np
import scipy.fft

from keras_usmae.signals.picking.bounds import delay_crb_envelope
from keras_usmae.signals.synthesis.bursts import evaluate_bursts
from keras_usmae.signals.synthesis.noise import NOISE_COLORS

_BAND = 1e-3  # of the peak of a power spectrum: what lies lower is taken for noise
_NUM_BEST = 64  # signals of a source that its spectrum is averaged over


def onset_bound(
    bandwidth: float | np.ndarray, burst_length: float | np.ndarray, snr_db: float | np.ndarray
) -> np.ndarray:
    """Envelope bound of a burst of known bandwidth.

    Args:
        bandwidth: float or array. Standard deviation of the angular frequency, weighted by the energy spectrum at
            positive frequencies, in rad a sample.
        burst_length: array. Length over which the SNR is defined, in samples.
        snr_db: array. 20 log10(RMS of the noise-free burst over its own length / RMS of the white noise) in dB.

    Returns:
        Standard deviation of the onset in samples.

    Example:

    ```python
    from keras_usmae.signals import onset_bound

    onset_bound(bandwidth=0.025, burst_length=400.0, snr_db=20.0)  # 0.2
    ```
    """
    return 10 ** (-np.asarray(snr_db, dtype=np.float64) / 20) / (bandwidth * np.sqrt(burst_length))


def synthetic_onset_bounds(parameters: dict, sampling_rate: float) -> np.ndarray:
    """Envelope bounds of synthetic signals, whose bursts are known with their envelopes.

    A rectangular burst jumps, and its bound then depends on the sampling rate: it is far lower than that of the others.

    Args:
        parameters: dict of arrays of shape `(n,)`, as `draw_parameters` gives them for a `SignalConfig`:
            `center_frequency`, `burst_length`, `phase`, `envelope`, `envelope_shape`, `snr_db` and `noise_color`.
        sampling_rate: float. In Hz.

    Returns:
        A float64 array of shape `(n,)`, in samples; NaN where the noise is not white.

    Example:

    ```python
    from keras_usmae.signals import SignalConfig, draw_parameters, synthetic_onset_bounds

    config = SignalConfig.from_preset("paper")
    synthetic_onset_bounds(draw_parameters(config, num_signals=8, seed=0), config.sampling_rate).shape  # (8,)
    ```
    """
    length = np.asarray(parameters["burst_length"], dtype=np.float64)
    drawn = {name: parameters[name] for name in ("center_frequency", "phase", "envelope", "envelope_shape")}
    num_samples, delay = int(np.ceil(length.max())), np.zeros(len(length))
    bursts = evaluate_bursts(num_samples, delay, burst_length=length, **drawn, sampling_rate=sampling_rate)
    burst_rms = np.sqrt(np.sum(np.square(bursts, dtype=np.float64), axis=1) / length)
    noise_rms = burst_rms * 10 ** (-np.asarray(parameters["snr_db"], dtype=np.float64) / 20)
    white = np.asarray(parameters["noise_color"]) == NOISE_COLORS.index("white")
    return np.where(white, delay_crb_envelope(bursts, noise_rms), np.nan)


def estimate_bandwidth(signals: np.ndarray, onset: np.ndarray, burst_length: np.ndarray) -> float:
    """RMS bandwidth of the bursts in measured signals that hold the same pulse.

    The power spectra of the bursts are averaged, each over its length and a quarter more at either end, faded in and
    out there. Of the mean spectrum, the band around the peak counts in which it exceeds -30 dB of the peak and
    noise does not reach.

    Args:
        signals: array of shape `(n, signal_length)`.
        onset: array of shape `(n,)`. Start of the bursts in samples.
        burst_length: array of shape `(n,)`. In samples.

    Returns:
        float. Standard deviation of the angular frequency in rad a sample.

    Raises:
        ValueError: where there are no signals.

    Example:

    ```python
    import numpy as np
    from keras_usmae.signals import estimate_bandwidth, tone_burst

    signals = np.pad(tone_burst(2.5e6, 300, 100e6), (500, 1248))[None]
    estimate_bandwidth(signals, onset=[500.0], burst_length=[300.0])  # about 0.012
    ```
    """
    if not len(signals):
        raise ValueError("A bandwidth needs one or more signals with a burst.")
    size = scipy.fft.next_fast_len(4 * signals.shape[1])
    power = np.zeros(size // 2 + 1)
    for signal, start, length in zip(np.asarray(signals, dtype=np.float64), onset, burst_length, strict=True):
        spectrum = np.fft.rfft((signal - np.median(signal)) * _taper(len(signal), start, length), size)
        power = power + np.abs(spectrum) ** 2 / np.sum(np.abs(spectrum) ** 2)
    low, high = _band(power)
    omega, weight = 2 * np.pi * np.arange(low, high) / size, power[low:high] / power[low:high].sum()
    return float(np.sqrt(weight @ omega**2 - (weight @ omega) ** 2))


def measured_onset_bounds(
    signals: np.ndarray,
    onset: np.ndarray,
    burst_length: np.ndarray,
    snr_db: np.ndarray,
    source: np.ndarray,
    usable: np.ndarray,
) -> np.ndarray:
    """Envelope bounds of measured signals, whose pulse is taken from the cleanest signals of their source.

    All echoes of a source are taken to be one pulse, of the bandwidth that its 64 usable signals of best SNR have.

    Args:
        signals: array of shape `(n, signal_length)`.
        onset: array of shape `(n,)`. Labelled onsets in samples.
        burst_length: array of shape `(n,)`. In samples.
        snr_db: array of shape `(n,)`. As for `onset_bound`.
        source: int array of shape `(n,)`. Which signals come from the same measurement.
        usable: bool array of shape `(n,)`. Whether the pulse is whole: not clipped.

    Returns:
        A float64 array of shape `(n,)`, in samples; NaN where the pulse is not whole.

    Example:

    ```python
    import numpy as np
    from keras_usmae.signals import measured_onset_bounds, tone_burst

    signals = np.pad(tone_burst(2.5e6, 300, 100e6), (500, 1248))[None]
    one = np.ones(1)
    measured_onset_bounds(signals, 500 * one, 300 * one, 20 * one, one, one > 0)  # about 0.5
    ```
    """
    bounds = np.full(len(onset), np.nan)
    for name in np.unique(source):
        rows = np.flatnonzero((source == name) & usable & np.isfinite(snr_db))
        if rows.size:
            best = rows[np.argsort(-np.asarray(snr_db)[rows])][:_NUM_BEST]
            bandwidth = estimate_bandwidth(signals[best], onset[best], burst_length[best])
            bounds[rows] = onset_bound(bandwidth, burst_length[rows], snr_db[rows])
    return bounds


def _taper(num_samples, onset, length):
    """One over a burst, with raised-cosine flanks of a quarter of its length before and behind it."""
    time = (np.arange(num_samples) - onset) / length
    distance = np.maximum(np.maximum(-time, time - 1), 0) * 4
    return np.where(distance < 1, np.cos(np.pi / 2 * np.minimum(distance, 1)) ** 2, 0)


def _band(power):
    """First bin, and that behind the last one, of the band around the peak of a power spectrum."""
    peak = int(np.argmax(power))
    limit = max(_BAND * power[peak], 4 * np.median(power))
    below = np.flatnonzero(power < limit)
    low, high = below[below < peak], below[below > peak]
    return (int(low[-1]) + 1 if low.size else 0), (int(high[0]) if high.size else len(power))
