"""Time of flight by correlation: matched filter for a known pulse, envelope of the correlation for nominal ones."""

from typing import TYPE_CHECKING

import numpy as np
import scipy.fft

from keras_usmae.signals.normalization import check_signals
from keras_usmae.signals.synthesis.bursts import ENVELOPES, evaluate_bursts

if TYPE_CHECKING:
    from keras_usmae.signals.synthesis.config import SignalConfig

_CHUNK_SIZE = 512  # signals at a time, so that a whole data set needs no more memory than a batch


def pick_matched_filter(signals: np.ndarray, pulse: np.ndarray) -> np.ndarray:
    """Picks onsets by the maximum of the correlation with a pulse that is known with its phase.

    The maximum likelihood estimate for a known pulse in white noise; at high SNR it attains `delay_crb_carrier`. The
    maximum between two samples is that of a parabola through three. This is near enough for ten samples or more to a
    period of the carrier; resample what has less.

    Args:
        signals: array of shape `(num_signals, signal_length)`, in any unit.
        pulse: array of shape `(pulse_length,)`, or `(num_signals, pulse_length)` for one pulse each. Its onset is
            sample 0.

    Returns:
        A float64 array of shape `(num_signals,)`: onsets in samples of 0 and more, the delay of the pulse. NaN where
        the correlation is nowhere positive, as for a signal of zeros.

    Raises:
        ValueError: where the signals or the pulse are not finite, the shapes do not match, or a pulse is zero.

    Example:

    ```python
    import numpy as np
    from keras_usmae.signals import pick_matched_filter, tone_burst

    pulse = tone_burst(center_frequency=2.5e6, burst_length=300, sampling_rate=100e6)
    signal = np.pad(pulse, (700, 1048))
    pick_matched_filter(signal[None], pulse)  # array([700.])
    ```
    """
    signals = check_signals(signals)
    pulse = _check_pulses(pulse, signals)
    if len(pulse) not in (1, len(signals)):
        raise ValueError(f"Expected one pulse, or one for each of the {len(signals)} signals, but got {len(pulse)}.")
    onset = []
    for chunk, pulses in zip(
        _chunks(signals), _chunks(np.broadcast_to(pulse, (len(signals), pulse.shape[1]))), strict=True
    ):
        correlation = _Correlator(chunk, pulse.shape[1])(pulses).real
        onset.append(_refined(correlation, correlation.argmax(axis=1)))
    return np.concatenate(onset)


def pick_cross_correlation(signals: np.ndarray, pulses: np.ndarray, level: float = 0.5) -> np.ndarray:
    """Picks onsets by the envelope of the cross-correlation with nominal pulses, whatever the phase and polarity.

    Of a bank of pulses, the one that fits a signal best is taken; of several echoes, the first that reaches a level.
    Where a pulse is the true one, the pick attains `delay_crb_envelope` at high SNR. Where all are longer or shorter
    than the true one, the pick is early or late by about half of the difference, and where all have another frequency,
    it follows the ends of the burst: see `pulse_bank`.

    Args:
        signals: array of shape `(num_signals, signal_length)`, in any unit.
        pulses: array of shape `(pulse_length,)`, or `(num_pulses, pulse_length)` for a bank. Their onset is sample 0.
        level: float. Height, as a share of the largest value of the envelope, that the first peak must reach.
            Defaults to `0.5`.

    Returns:
        A float64 array of shape `(num_signals,)`: onsets in samples of 0 and more, the delay of the pulse. NaN for a
        signal of zeros.

    Raises:
        ValueError: where the signals or the pulses are not finite, the shapes do not match, a pulse is zero, or `level`
            is out of range.

    Example:

    ```python
    from keras_usmae.signals import SignalConfig, pick_cross_correlation, pulse_bank, synthesize

    config = SignalConfig.from_preset("paper")
    batch = synthesize(config, num_signals=8, seed=0)
    pick_cross_correlation(batch["signal"], pulse_bank(config)) - batch["onset"]  # errors in samples
    ```
    """
    signals = check_signals(signals)
    pulses = _check_pulses(pulses, signals)
    if not 0 < level <= 1:
        raise ValueError(f"`level` must lie in (0, 1], but is {level}.")
    pulses = pulses / np.linalg.norm(pulses, axis=1, keepdims=True)
    delay = np.arange(-1, signals.shape[1] + 1)

    def pick(chunk):
        correlate = _Correlator(chunk, pulses.shape[1])
        best, onset = np.zeros(len(chunk)), np.full(len(chunk), np.nan)
        for pulse in pulses:
            envelope = np.abs(correlate(pulse))
            height = envelope.max(axis=1)
            rows = np.flatnonzero(height > best)
            best[rows], envelope = height[rows], envelope[rows]
            first = delay[(envelope >= level * height[rows, None]).argmax(axis=1)][:, None]
            # The correlation of a burst falls off within its length, so that its own peak is no farther away.
            near = (delay >= first) & (delay < first + pulses.shape[1])
            onset[rows] = _refined(envelope, np.where(near, envelope, -1).argmax(axis=1))
        return onset

    return np.concatenate([pick(chunk) for chunk in _chunks(signals)])


def pulse_bank(config: "SignalConfig", num_frequencies: int = 13, num_lengths: int = 9) -> np.ndarray:
    """Makes the nominal pulses of a configuration, over its range of frequencies and lengths and for each envelope.

    With these, `pick_cross_correlation` comes near to the maximum likelihood estimate of the onset for signals of this
    configuration, as long as echoes do not overlap and noise is white. It costs a correlation for each pulse, some
    10 ms a signal in all.

    Args:
        config: a `SignalConfig`.
        num_frequencies: int. Frequencies from the lowest to the highest. Defaults to `13`.
        num_lengths: int. Burst lengths from the shortest to the longest. Defaults to `9`.

    Returns:
        A float32 array of shape `(num_pulses, pulse_length)`, zero behind the shorter pulses.

    Example:

    ```python
    from keras_usmae.signals import SignalConfig, pulse_bank

    pulse_bank(SignalConfig.from_preset("paper")).shape  # (585, 400)
    ```
    """
    frequency, length, envelope = (
        values.ravel()
        for values in np.meshgrid(
            np.linspace(*config.center_frequency, num_frequencies),
            np.linspace(*config.burst_length, num_lengths),
            [ENVELOPES.index(name) for name in dict.fromkeys(config.envelopes)],
        )
    )
    zero, shape = np.zeros(frequency.size), np.full(frequency.size, 0.5)
    return evaluate_bursts(
        config.max_burst_samples, zero, frequency, length, zero, envelope, shape, config.sampling_rate
    )


def _check_pulses(pulses, signals):
    pulses = check_signals(np.atleast_2d(pulses))
    if pulses.shape[1] > signals.shape[1]:
        raise ValueError(
            f"A pulse must not be longer than the signals, but has {pulses.shape[1]} samples, and they "
            f"{signals.shape[1]}."
        )
    if not pulses.any(axis=1).all():
        raise ValueError(f"The pulse at index {int(np.argmin(pulses.any(axis=1)))} is zero: there is nothing to find.")
    return pulses


def _chunks(array):
    return (array[start : start + _CHUNK_SIZE] for start in range(0, max(len(array), 1), _CHUNK_SIZE))


class _Correlator:
    """Correlates signals with one pulse after the other, at delays of -1 to `signal_length` samples.

    The correlation is the real part of the result; the modulus is its envelope. The first and the last delay are there
    for the parabola through a peak at either end of the record.
    """

    def __init__(self, signals, pulse_length):
        centered = np.pad(signals - signals.mean(axis=1, keepdims=True), ((0, 0), (1, 1)))
        self.length = centered.shape[1]
        self.size = scipy.fft.next_fast_len(self.length + pulse_length)
        self.spectrum = scipy.fft.rfft(centered, self.size)
        self.spectrum[:, 1 : (self.size + 1) // 2] *= 2

    def __call__(self, pulses):
        product = np.zeros((len(self.spectrum), self.size), dtype=self.spectrum.dtype)
        np.multiply(self.spectrum, scipy.fft.rfft(pulses, self.size).conj(), out=product[:, : self.spectrum.shape[1]])
        return scipy.fft.ifft(product, overwrite_x=True)[:, : self.length]


def _refined(values, peak):
    """Delay of a peak of a correlation by a parabola, NaN where it is not positive; no onset is before the record."""
    rows, last = np.arange(len(values)), values.shape[1] - 1
    left, center, right = (values[rows, np.clip(peak + shift, 0, last)] for shift in (-1, 0, 1))
    curvature = left - 2 * center + right
    is_inner = (peak > 0) & (peak < last) & (curvature < 0)
    shift = np.where(is_inner, 0.5 * (left - right) / np.where(is_inner, curvature, 1), 0)
    return np.where(center > 0, np.maximum(peak - 1 + np.clip(shift, -0.5, 0.5), 0), np.nan)
