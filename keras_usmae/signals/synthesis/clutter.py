"""What a record holds beside echoes and the recorder's noise: backscatter of the material, and continuous waves."""

from typing import TYPE_CHECKING

import numpy as np
import scipy.fft

from keras_usmae.signals.synthesis.blocks import BLOCK_SIZE, from_db, rms

if TYPE_CHECKING:
    from keras_usmae.signals.synthesis.config import SignalConfig


def draw_clutter(rng: np.random.Generator, config: "SignalConfig") -> dict:
    """Draws which signals have backscatter and waves, and their levels.

    Returns:
        A dict of float64 arrays of shape `(256,)`: `grain_snr_db` and `tone_snr_db`, NaN where there is none,
        `grain_decay` in samples, `tone_frequency` in Hz and `tone_phase` in rad. It is empty for a configuration
        without either.
    """
    drawn, single = {}, (BLOCK_SIZE,)
    if config.grain_probability:
        here = rng.random(single) < config.grain_probability
        drawn["grain_snr_db"] = np.where(here, rng.uniform(*config.grain_snr_db, single), np.nan)
        drawn["grain_decay"] = rng.uniform(*config.grain_decay, single)
    if config.tone_probability:
        here = rng.random(single) < config.tone_probability
        drawn["tone_snr_db"] = np.where(here, rng.uniform(*config.tone_snr_db, single), np.nan)
        drawn["tone_frequency"] = rng.uniform(*config.tone_frequency, single)
        drawn["tone_phase"] = rng.uniform(0, 2 * np.pi, single)
    return drawn


def add_grain(
    signal: np.ndarray,
    bursts: np.ndarray,
    burst_rms: np.ndarray,
    parameters: dict,
    config: "SignalConfig",
    rng: np.random.Generator,
) -> np.ndarray:
    """Adds backscatter to signals, in place: many small reflectors, each sending the burst back.

    Args:
        signal: float32 array of shape `(256, signal_length)`.
        bursts: float32 array of shape `(256, num_samples)`.
        burst_rms: array of shape `(256,)`, RMS of the first burst over its own length.
        parameters: dict of arrays, see `draw_clutter`.
        rng: `numpy.random.Generator` of the reflectors.

    Returns:
        A float array of shape `(256,)`, RMS of the backscatter over the record.
    """
    level = np.zeros(len(signal))
    if not config.grain_probability:
        return level
    scatterers = rng.standard_normal((len(signal), signal.shape[1] + bursts.shape[1]), dtype=np.float32)
    rows = np.flatnonzero(~np.isnan(parameters["grain_snr_db"]))
    if not rows.size:
        return level
    # They begin a burst ahead of the record, so that the backscatter has no start in it.
    time = np.arange(scatterers.shape[1], dtype=np.float32)
    decay = np.exp(-time / parameters["grain_decay"][rows].astype(np.float32)[:, None])
    size = scipy.fft.next_fast_len(scatterers.shape[1] + bursts.shape[1], real=True)
    spectrum = scipy.fft.rfft(scatterers[rows] * decay, size) * scipy.fft.rfft(bursts[rows], size)
    grain = scipy.fft.irfft(spectrum, size)[:, bursts.shape[1] : bursts.shape[1] + signal.shape[1]]
    power = np.sqrt(np.einsum("ij,ij->i", bursts[rows], bursts[rows]))
    scale = burst_rms[rows] / from_db(parameters["grain_snr_db"][rows]) / np.maximum(power, 1e-12)
    grain *= scale.astype(np.float32)[:, None]
    signal[rows] += grain
    level[rows] = rms(grain, signal.shape[1])
    return level


def add_tones(signal: np.ndarray, burst_rms: np.ndarray, parameters: dict, config: "SignalConfig") -> None:
    """Adds continuous waves to signals, in place; see `draw_clutter`."""
    if not config.tone_probability:
        return
    rows = np.flatnonzero(~np.isnan(parameters["tone_snr_db"]))
    amplitude = np.sqrt(2) * burst_rms[rows] / from_db(parameters["tone_snr_db"][rows])
    angle = 2 * np.pi * parameters["tone_frequency"][rows, None] / config.sampling_rate * np.arange(signal.shape[1])
    wave = np.sin(angle + parameters["tone_phase"][rows, None])
    signal[rows] += (amplitude[:, None] * wave).astype(np.float32)
