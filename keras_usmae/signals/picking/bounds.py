"""Cramér-Rao bounds: the smallest standard deviation that any unbiased estimate of a delay can have.

For a pulse `s` of known shape in white Gaussian noise, with `E` the sum of its squares and `w` its angular frequency in
rad a sample, weighted by its energy spectrum at positive frequencies:

- carrier: `noise_rms / sqrt(E <w^2>)`, where the phase is known. It falls with the centre frequency;
- envelope: `noise_rms / sqrt(E (<w^2> - <w>^2))`, where the phase is unknown. It falls with the bandwidth.
"""

import numpy as np
import scipy.fft

from keras_usmae.signals.normalization import check_signals


def delay_crb_carrier(pulse: np.ndarray, noise_rms: float | np.ndarray) -> np.ndarray:
    """Cramér-Rao bound of the delay of a pulse that is known with its phase, but for its amplitude.

    An estimate that slips by a period of the carrier, as below about 15 dB, is worse by far. A rectangular envelope has
    jumps, for which the bound depends on the bandwidth of the recorder: take smooth envelopes.

    Args:
        pulse: array of shape `(pulse_length,)` or `(num_pulses, pulse_length)`. Noise-free pulses.
        noise_rms: float, or array of shape `(num_pulses,)`. RMS of the white noise in the unit of the pulse.

    Returns:
        Standard deviation of the delay in samples: a float64 for one pulse, else an array of shape `(num_pulses,)`.

    Raises:
        ValueError: where a pulse is not finite or zero, or `noise_rms` is not positive.

    Example:

    ```python
    from keras_usmae.signals import delay_crb_carrier, tone_burst

    pulse = tone_burst(center_frequency=2.5e6, burst_length=300, sampling_rate=100e6)
    delay_crb_carrier(pulse, noise_rms=0.01)  # about 0.008 samples
    ```

    Reference:
        - Kay, Fundamentals of Statistical Signal Processing: Estimation Theory (1993), section 3.11.
    """
    energy, _, mean_square = _moments(pulse)
    return _checked(noise_rms) / np.sqrt(energy * mean_square)


def delay_crb_envelope(pulse: np.ndarray, noise_rms: float | np.ndarray) -> np.ndarray:
    """Cramér-Rao bound of the delay of a pulse of unknown phase and amplitude.

    Args:
        pulse: array of shape `(pulse_length,)` or `(num_pulses, pulse_length)`. Noise-free pulses.
        noise_rms: float, or array of shape `(num_pulses,)`. RMS of the white noise in the unit of the pulse.

    Returns:
        Standard deviation of the delay in samples: a float64 for one pulse, else an array of shape `(num_pulses,)`.

    Raises:
        ValueError: where a pulse is not finite or zero, or `noise_rms` is not positive.

    Example:

    ```python
    from keras_usmae.signals import delay_crb_envelope, tone_burst

    pulse = tone_burst(center_frequency=2.5e6, burst_length=300, sampling_rate=100e6)
    delay_crb_envelope(pulse, noise_rms=0.01)  # about 0.11 samples
    ```

    Reference:
        - Kay, Fundamentals of Statistical Signal Processing: Estimation Theory (1993), section 3.11.
    """
    energy, mean, mean_square = _moments(pulse)
    return _checked(noise_rms) / np.sqrt(energy * (mean_square - mean**2))


def _moments(pulse):
    """Energy, and the mean and mean square of the angular frequency in rad a sample at positive frequencies."""
    pulses = check_signals(np.atleast_2d(pulse)).astype(np.float64)
    size = scipy.fft.next_fast_len(4 * pulses.shape[1])
    spectrum = np.abs(scipy.fft.rfft(pulses, size)) ** 2
    omega = 2 * np.pi * scipy.fft.rfftfreq(size)
    energy = np.sum(pulses**2, axis=1)
    if not (energy > 0).all():
        raise ValueError(f"The pulse at index {int(np.argmin(energy > 0))} is zero: its delay has no bound.")
    moments = energy, spectrum @ omega / spectrum.sum(axis=1), spectrum @ omega**2 / spectrum.sum(axis=1)
    return tuple(moment[0] for moment in moments) if np.ndim(pulse) == 1 else moments


def _checked(noise_rms):
    noise_rms = np.asarray(noise_rms, dtype=np.float64)
    if not (np.isfinite(noise_rms).all() and (noise_rms > 0).all()):
        raise ValueError(f"`noise_rms` must be positive and finite, but is {noise_rms}.")
    return noise_rms
