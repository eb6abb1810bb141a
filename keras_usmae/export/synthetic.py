"""Synthetic signals for models that bring no data of their own: to calibrate, to judge, and to hear silence."""

import dataclasses
from collections.abc import Callable

import numpy as np

from keras_usmae.evaluation.picker_calibration import FALSE_ALARMS, silent_world
from keras_usmae.picker.decoding import decode_picks
from keras_usmae.signals import SignalConfig, standardize, synthesize
from keras_usmae.signals.synthesis.onsets import VISIBILITIES, all_echoes

# Seeds that no training, no choice of settings and no score of a picker has.
FIELD_CALIBRATION_SEED = 771_001
FIELD_JUDGING_SEED = 771_002
SILENCE_SEED = 771_003
_LOST = 0.01  # share of the records with an echo that may lose their pick
_FAINTEST = 0.05
_CLEAR_DB = 18.0


def field_signals(num_signals: int, signal_length: int, seed: int) -> tuple:
    """Draws signals of the preset `field` and where their clear echoes begin.

    Args:
        num_signals: int.
        signal_length: int, samples of a signal.
        seed: int.

    Returns:
        A tuple of the signals, float32 `(num_signals, signal_length)`, and the onsets in samples, `(num_signals, k)`:
        those of the echoes of 18 dB and more that no other echo hides, NaN where a signal has fewer of them.
    """
    drawn = _draw(SignalConfig.from_preset("field"), num_signals, signal_length, seed)
    starts, amplitudes = all_echoes(drawn)
    onset = np.concatenate([drawn["onset"][:, None], drawn["echo_onsets"]], axis=1)
    visibility = np.concatenate([drawn["visibility"][:, None], drawn["echo_visibility"]], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        level_db = drawn["snr_db"][:, None] + 20 * np.log10(np.abs(amplitudes) / drawn["amplitude"][:, None])
    clear = (visibility == VISIBILITIES.index("clear")) & (level_db >= _CLEAR_DB) & ~np.isnan(starts)
    clear &= (onset >= 0) & (onset < signal_length)
    return drawn["signal"][:, :signal_length], np.where(clear, onset, np.nan)


def silent_confidences(
    probabilities: Callable, signal_length: int, bin_width: int, num_signals: int = 5_120
) -> np.ndarray:
    """Confidence of the loudest pick of records without an echo: noise, ring-down, backscatter, interference.

    Args:
        probabilities: function from standardised signals `(n, signal_length)` to the probabilities of their bins,
            `(n, num_bins)`.

    Returns:
        float array of shape `(num_signals,)`; 0 where there is no pick.
    """
    signals = _draw(silent_world(), num_signals, signal_length, SILENCE_SEED)["signal"][:, :signal_length]
    return loudest_picks(probabilities(standardize(signals)), bin_width)


def loudest_picks(probabilities: np.ndarray, bin_width: int) -> np.ndarray:
    """Confidence of the loudest pick of each signal, 0 where there is none.

    Args:
        probabilities: array of shape `(n, num_bins)`.
    """
    picks = decode_picks(probabilities, bin_width, min_confidence=_FAINTEST)
    loudest = np.zeros(len(probabilities))
    np.maximum.at(loudest, picks["trace"], picks["confidence"])
    return loudest


def choose_min_confidence(silent: np.ndarray, voiced: np.ndarray) -> float:
    """Chooses a least confidence, of 0.05 or more, for a model that has none.

    It is the smallest at which at most one record in 1,000 without an echo gets a pick, as that of the ready picker;
    where it would cost more than 1 % of the records with an echo their pick, the largest that does not.

    Args:
        silent: array, confidence of the loudest pick of records without an echo.
        voiced: array, the same of records with an echo.
    """
    allowed = int(len(silent) * FALSE_ALARMS * 0.6)  # not all of it: the records of the field are others
    quiet = np.ceil(np.sort(silent)[-1 - allowed] * 100) / 100
    kept = np.floor(np.quantile(voiced, _LOST, method="lower") * 100) / 100
    return float(max(min(quiet, kept), _FAINTEST))


def _draw(world, num_signals, signal_length, seed):
    """Draws records of at least 2048 samples: bursts of the field do not fit into shorter ones."""
    length = max(signal_length, world.signal_length)
    return synthesize(dataclasses.replace(world, signal_length=length), num_signals, seed=seed)
