"""Changes to labelled signals that keep, or move, the onset in a known way."""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_usmae.signals import standardize

# Samples around the onset that a shift keeps: ahead of it, and of the burst that begins there.
_LEAD, _BURST = 48, 120
# Samples after an onset in which its burst has died away.
_DECAYED = 400


def shift_signals(signals: np.ndarray, onset: np.ndarray, shift: np.ndarray) -> tuple:
    """Moves each signal along time, and its onset with it.

    The gap that a shift to the right leaves is filled with noise from ahead of the onset, and the one that a shift to
    the left leaves with that or with the end of the signal, whichever is longer without the burst: no step or silence
    tells how far a signal was moved.

    Args:
        signals: array of shape `(n, signal_length)`.
        onset: array of shape `(n,)`, onsets in samples.
        shift: int array of shape `(n,)`, samples to the right; see `draw_shifts` for what each signal has room for.

    Returns:
        A tuple of the moved signals and onsets.
    """
    length = signals.shape[1]
    source = np.arange(length)[None, :] - shift[:, None]  # the sample that comes to lie at each place
    onset_index = onset.astype("int64")[:, None]
    ahead, behind = np.maximum(onset_index - 16, 1), np.maximum(length - onset_index - _DECAYED, 1)
    beyond = source - length
    ending = np.where(ahead > behind, beyond % ahead, length - 1 - beyond % behind)
    source = np.where(source < 0, (-source - 1) % ahead, np.where(beyond >= 0, ending, source))
    return np.take_along_axis(signals, source, axis=1), (onset + shift).astype(onset.dtype)


def draw_shifts(onset: np.ndarray, signal_length: int, max_shift: int, rng: np.random.Generator) -> np.ndarray:
    """Draws a shift for each signal that leaves room around its onset.

    Args:
        onset: array of shape `(n,)`, onsets in samples.
        max_shift: int, samples, the largest shift to either side.

    Returns:
        int array of shape `(n,)`, samples to the right. A signal whose onset lies so early that there is no noise to
        fill a gap with is only moved to the left, and not at all where the burst has no room.
    """
    onset = onset.astype("int64")
    low = np.minimum(np.maximum(_LEAD - onset, -max_shift), 0)
    high = np.clip(signal_length - _BURST - onset, 0, max_shift)
    high = np.where(onset < _LEAD, 0, high)
    return rng.integers(low, high + 1)


def augment(
    signals: np.ndarray,
    onset: np.ndarray,
    rng: np.random.Generator,
    max_shift: int = 600,
    noise: tuple[float, float] = (1e-3, 0.06),
    flip: bool = True,
) -> tuple:
    """Draws another version of each labelled signal: moved, turned upside down, noisier.

    Gain is not varied: every signal is standardised again at the end, which undoes any gain.

    Args:
        signals: float32 array of shape `(n, signal_length)`, standardised.
        onset: array of shape `(n,)`, onsets in samples.
        rng: `numpy.random.Generator`.
        max_shift: int, samples, the largest shift; `0` for none. Defaults to `600`.
        noise: pair of floats, range of the RMS of added white noise relative to that of the signal, drawn with a
            uniform logarithm; `(0, 0)` for none. Defaults to `(1e-3, 0.06)`.
        flip: bool, whether half of the signals change polarity. Defaults to `True`.

    Returns:
        A tuple of signals, float32 and standardised, and their onsets.
    """
    count, length = signals.shape
    if max_shift:
        signals, onset = shift_signals(signals, onset, draw_shifts(onset, length, max_shift, rng))
    if flip:
        signals = signals * rng.choice(np.array([-1.0, 1.0], "float32"), (count, 1))
    if noise[1] > 0:
        level = np.exp(rng.uniform(np.log(noise[0]), np.log(noise[1]), (count, 1))).astype("float32")
        signals = signals + level * rng.standard_normal((count, length), "float32")
    return standardize(signals), onset


def augmented(arrays: tuple, num_signals: int, seed: int, **options: Any) -> Callable:
    """Other versions of the same labelled signals in each epoch.

    Args:
        arrays: tuple of standardised signals and their onsets in samples.
        num_signals: int, signals in an epoch, taken in turn from shuffled passes over the arrays.
        seed: int, seed of orders and changes.
        **options: arguments of `augment`.

    Returns:
        A `load_epoch` function for `EpochBatches`.
    """
    signals, onset = arrays

    def load_epoch(epoch):
        rng = np.random.default_rng((seed, epoch))
        passes = -(-num_signals // len(onset))
        order = np.concatenate([rng.permutation(len(onset)) for _ in range(passes)])[:num_signals]
        parts = np.array_split(order, -(-num_signals // 512))  # an array of indices for a whole epoch would be large
        pairs = [augment(signals[part], onset[part], rng, **options) for part in parts]
        return tuple(np.concatenate(column) for column in zip(*pairs, strict=True))

    return load_epoch
