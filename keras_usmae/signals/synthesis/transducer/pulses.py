"""The pulse that one reflector sends back: an excitation, convolved with the response of the transducer."""

import math
from typing import TYPE_CHECKING

import numpy as np
import scipy.fft

from keras_usmae.signals.synthesis.bursts import evaluate_envelope

if TYPE_CHECKING:
    from keras_usmae.signals.synthesis.transducer.config import TransducerConfig

# Barker's codes: the sidelobes of their autocorrelation are no larger than one chip.
CODES = {
    "barker3": (1, 1, -1),
    "barker4": (1, 1, -1, 1),
    "barker5": (1, 1, 1, -1, 1),
    "barker7": (1, 1, 1, -1, -1, 1, -1),
    "barker11": (1, 1, 1, -1, -1, -1, 1, -1, -1, 1, -1),
    "barker13": (1, 1, 1, 1, 1, -1, -1, 1, 1, -1, 1, -1, 1),
}
# -6 dB bandwidth times the time constant of each envelope: from the integral of a Gaussian cut at +-3 sigma and
# lowered, and from |H| = (1 + (2 pi f tau)^2)^-2 of t^3 exp(-t / tau).
_GAUSSIAN_BAND = 0.384933
_DAMPED_BAND = math.sqrt(10 ** (6 / 40) - 1) / math.pi
# At 20 time constants t^3 exp(-t / tau) is down by 98 dB of its peak.
_DAMPED_LENGTH = 20
# Below this share of its envelope's peak a pulse is over.
_END = 0.01


def pulse_samples(config: "TransducerConfig") -> int:
    """int. Samples that hold the longest pulse of a `TransducerConfig`."""
    return _excitation_samples(config) + _response_samples(config) + 1


def make_pulses(parameters: dict, config: "TransducerConfig") -> tuple:
    """Pulses of drawn parameters, that start at sample 0 and whose envelopes have a peak of one.

    Args:
        parameters: dict of arrays of shape `(n,)`, as from `draw_parameters`.
        config: the `TransducerConfig`.

    Returns:
        A tuple `(pulses, lengths)`: a float32 array of shape `(n, pulse_samples(config))` and a float64 array of shape
        `(n,)`, the samples until the envelope has gone down to 1 % of its peak.
    """
    num_samples = pulse_samples(config)
    size = scipy.fft.next_fast_len(num_samples, real=True)
    excitation = _excite(parameters, config, _excitation_samples(config))
    response = _respond(parameters, config, _response_samples(config))
    spectrum = scipy.fft.rfft(excitation, size) * scipy.fft.rfft(response, size)
    # One-sided: real part and magnitude of its inverse are pulse and envelope.
    one_sided = np.zeros((len(spectrum), size), dtype=np.complex64)
    one_sided[:, 1 : spectrum.shape[1]] = 2 * spectrum[:, 1:]
    one_sided[:, 0] = spectrum[:, 0]
    if size % 2 == 0:
        one_sided[:, size // 2] /= 2
    analytic = scipy.fft.ifft(one_sided)[:, :num_samples]
    envelope = np.abs(analytic)
    peak = envelope.max(axis=1, keepdims=True)
    lengths = num_samples - (envelope > _END * peak)[:, ::-1].argmax(axis=1)
    return analytic.real / peak, lengths.astype(np.float64)


def measured_band(response: np.ndarray, sampling_rate: float) -> tuple[float, float]:
    """Middle and relative width of the band of a response between the -6 dB points that are farthest apart.

    Args:
        response: array of shape `(num_samples,)`.
        sampling_rate: float. In Hz.

    Returns:
        A tuple of two floats: center frequency in Hz, and width over center frequency.

    Example:

    ```python
    from keras_usmae.signals import tone_burst
    from keras_usmae.signals.synthesis.transducer import measured_band

    measured_band(tone_burst(2.5e6, 300, 100e6), 100e6)  # (2.5e6, 0.27), nearly
    ```
    """
    response = np.asarray(response, dtype=np.float64)
    size = scipy.fft.next_fast_len(16 * len(response), real=True)
    magnitude = np.abs(scipy.fft.rfft(response, size))
    level = 10 ** (-6 / 20) * magnitude.max()
    inside = np.flatnonzero(magnitude >= level)
    edges = []
    for inner, outer in ((inside[0], inside[0] - 1), (inside[-1], inside[-1] + 1)):
        if 0 <= outer < len(magnitude):
            share = (magnitude[inner] - level) / (magnitude[inner] - magnitude[outer])
            edges.append(inner + (outer - inner) * share)
        else:
            edges.append(float(inner))
    low, high = (edge * sampling_rate / size for edge in edges)
    return (low + high) / 2, 2 * (high - low) / (low + high)


def _response_samples(config):
    probe = config.transducer
    if probe.impulse_response is not None:
        return len(probe.impulse_response)
    narrowest = probe.center_frequency[0] * probe.fractional_bandwidth[0]
    seconds = 6 * _GAUSSIAN_BAND if probe.shape == "gaussian" else _DAMPED_LENGTH * _DAMPED_BAND
    return math.ceil(seconds / narrowest * config.sampling_rate) + 1


def _respond(parameters, config, num_samples):
    probe = config.transducer
    if probe.impulse_response is not None:
        return np.array(probe.impulse_response, dtype=np.float32)[None]
    time = np.arange(num_samples, dtype=np.float32)
    frequency = parameters["center_frequency"] / config.sampling_rate
    bandwidth = parameters["fractional_bandwidth"] * frequency
    carrier = np.sin(_column(2 * np.pi * frequency) * time + _column(parameters["phase"]))
    if probe.shape == "gaussian":
        # `shape` of one half is a cut at +-3 standard deviations.
        half = np.full(len(frequency), 0.5)
        return evaluate_envelope("gaussian", time * _column(bandwidth / (6 * _GAUSSIAN_BAND)), half) * carrier
    # The peak of t^3 exp(-t / tau) lies at 3 tau.
    u = time * _column(bandwidth / _DAMPED_BAND)
    return (u / 3) ** 3 * np.exp(3 - u) * carrier


def _excitation_samples(config):
    excitation = config.excitation
    if excitation.kind == "spike":
        return 1
    if excitation.kind == "chirp":
        return math.ceil(excitation.duration[1] * config.sampling_rate) + 1
    lowest = (excitation.frequency or config.transducer.center_frequency)[0]
    chips = len(CODES[excitation.code]) if excitation.kind == "code" else 1
    return math.ceil(chips * excitation.cycles[1] / lowest * config.sampling_rate) + 1


def _excite(parameters, config, num_samples):
    excitation = config.excitation
    if excitation.kind == "spike":
        return np.ones((1, 1), dtype=np.float32)
    time = np.arange(num_samples, dtype=np.float32)
    if excitation.kind == "chirp":
        start, stop = (parameters[f"{end}_frequency"] / config.sampling_rate for end in ("start", "stop"))
        length = parameters["excitation_duration"] * config.sampling_rate
        carrier = np.sin(2 * np.pi * (_column(start) * time + _column((stop - start) / (2 * length)) * time**2))
        return _window(excitation, time / _column(length)) * carrier
    frequency = parameters["excitation_frequency"] / config.sampling_rate
    carrier = np.sin(2 * np.pi * (_column(frequency) * time))
    chip = time * _column(frequency / parameters["excitation_cycles"])
    if excitation.kind == "burst":
        return _window(excitation, chip) * carrier
    signs = np.array([*CODES[excitation.code], 0], dtype=np.float32)
    return signs[np.minimum(chip.astype(np.int64), len(signs) - 1)] * carrier


def _window(excitation, time):
    return evaluate_envelope(excitation.window or "rectangular", time, np.full(len(time), 0.5))


def _column(values):
    return np.asarray(values).astype(np.float32)[:, None]
