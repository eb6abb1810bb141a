"""Filling in removed samples by the burst that fits the visible ones best: it knows the physics of bursts by design."""

import numpy as np
import scipy.fft
from scipy.optimize import least_squares

from keras_usmae.signals.synthesis.bursts import ENVELOPES, evaluate_bursts

# Power of the noise relative to that of the amplitude: what keeps a burst without a visible sample from any amplitude.
_RIDGE = 0.1
_CHUNK_SIZE = 64


def fit_bursts(signals, removed, config, num_frequencies=13, num_lengths=3):
    """Fills in removed samples with the one burst that fits the visible samples of the signal best.

    The least squares fit over onset, frequency, length and shape of the envelope, with amplitude and phase solved for:
    a search over all onsets and a grid of bursts, and a refinement from its best point. In white noise this is the
    maximum likelihood estimate, so that little can fill in better what `config` describes.

    Args:
        signals: array of shape `(n, signal_length)`, standardised.
        removed: bool array of shape `(n, signal_length)`, `True` where a sample may not be looked at.
        config: `SignalConfig` with the ranges of the bursts; only its first envelope is fitted.
        num_frequencies: int. Frequencies of the grid. Defaults to `13`.
        num_lengths: int. Lengths of the grid. Defaults to `3`.

    Returns:
        An array of the shape and dtype of `signals`, the signals with the removed samples filled in.

    Example:

    ```python
    import dataclasses
    import numpy as np
    from keras_usmae.signals import SignalConfig, standardize, synthesize
    from recipes.experiments.physics.burst_fitting import fit_bursts

    config = dataclasses.replace(SignalConfig.from_preset("paper"), envelopes=("damped",))
    signals = standardize(synthesize(config, num_signals=4, seed=0)["signal"])
    removed = np.tile(np.arange(2048) // 32 % 2 == 1, (4, 1))  # every other patch
    filled = fit_bursts(signals, removed, config)
    ```
    """
    signals, removed = np.asarray(signals), np.asarray(removed, dtype=bool)
    filled = signals.copy()
    for start in range(0, len(signals), _CHUNK_SIZE):
        part = slice(start, start + _CHUNK_SIZE)
        starts = _search(signals[part], ~removed[part], config, num_frequencies, num_lengths)
        for row, hidden, guess in zip(filled[part], removed[part], starts, strict=True):
            row[hidden] = _refine(row, ~hidden, guess, config)[hidden]
    return filled


def _bursts(onset, frequency, length, shape, config):
    """Sine and cosine burst of unit amplitude over a whole record, shape `(2, signal_length)`."""
    count = config.signal_length
    envelope = np.full(2, ENVELOPES.index(config.envelopes[0]))
    first = int(np.ceil(onset))
    size = min(int(np.ceil(length)), count - first)
    values = (np.full(2, value) for value in (first - onset, frequency, length))
    pair = evaluate_bursts(
        size, *values, np.array([0, np.pi / 2]), envelope, np.full(2, shape), config.sampling_rate
    ).astype(np.float64)
    pair[:, np.arange(size) + first - onset > length] = 0
    return np.pad(pair, ((0, 0), (first, count - first - size)))


def _search(signals, visible, config, num_frequencies, num_lengths):
    """Onset, frequency, length and shape whose burst takes most of the visible power, shape `(n, 4)`."""
    count = signals.shape[1]
    size = scipy.fft.next_fast_len(count + config.max_burst_samples, real=True)
    masked = scipy.fft.rfft(np.where(visible, signals, 0).astype(np.float32), size)
    mask = scipy.fft.rfft(visible.astype(np.float32), size)
    low, high = config.onset_range or (0, count - config.burst_length[1])
    onsets = slice(int(low), int(high) + 1)
    best = np.full((len(signals), 5), -1.0)

    def correlate(spectrum, template):
        return scipy.fft.irfft(spectrum * scipy.fft.rfft(template, size).conj(), size)[:, onsets]

    for frequency in np.linspace(*config.center_frequency, num_frequencies):
        for length in np.linspace(*config.burst_length, num_lengths):
            sine, cosine = _bursts(0, frequency, length, 0.5, config).astype(np.float32)
            first, second = correlate(masked, sine), correlate(masked, cosine)
            a, b, c = (correlate(mask, x * y) for x, y in ((sine, sine), (sine, cosine), (cosine, cosine)))
            a, c = a + _RIDGE, c + _RIDGE
            taken = (c * first**2 - 2 * b * first * second + a * second**2) / np.maximum(a * c - b**2, _RIDGE**2)
            peak = taken.argmax(axis=1)
            value = np.take_along_axis(taken, peak[:, None], axis=1)[:, 0]
            better = value > best[:, 0]
            best[better, 0], best[better, 1] = value[better], peak[better] + onsets.start
            best[better, 2:] = frequency, length, 0.5
    return best[:, 1:]


def _refine(signal, visible, guess, config):
    """The burst near a first guess that fits best, over the whole record."""
    low, high = config.onset_range or (0, config.signal_length - config.burst_length[1])
    bounds = np.array([(low, high), config.center_frequency, config.burst_length, (0, 1)], dtype=float)
    # In units of what moves the burst about as much: a tenth of a period, of the bandwidth, of the length.
    unit = np.array([4.0, 5e4, 20.0, 0.1])

    def burst(parameters):
        pair = _bursts(*np.clip(parameters * unit, *bounds.T), config)
        seen = pair[:, visible]
        gram = seen @ seen.T + _RIDGE * np.eye(2)
        return np.linalg.solve(gram, seen @ signal[visible]) @ pair

    def residual(parameters):
        return signal[visible] - burst(parameters)[visible]

    start = np.clip(guess, bounds[:, 0] + 1e-3 * unit, bounds[:, 1] - 1e-3 * unit)
    found = least_squares(residual, start / unit, bounds=(bounds / unit[:, None]).T, diff_step=1e-3, max_nfev=25)
    return burst(found.x)
