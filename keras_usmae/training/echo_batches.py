"""Labelled synthetic signals for a detector of echoes: drawn fresh, never repeated."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import scipy.special

from keras_usmae.signals import standardize, synthesize
from keras_usmae.signals.synthesis.onsets import VISIBILITIES

if TYPE_CHECKING:
    from keras_usmae.signals import SignalConfig, TransducerConfig

_DOUBTFUL, _CLEAR = VISIBILITIES.index("doubtful"), VISIBILITIES.index("clear")
# Of a doubtful echo's distribution: bins that hold less of it count as usual.
_LEAST_MASS = 0.02


def echo_targets(onsets: np.ndarray, visibility: np.ndarray, num_bins: int, bin_width: int, sigma: float) -> np.ndarray:
    """The probability that an echo begins in each bin.

    Each clear echo is a normal distribution about its onset, integrated over the bins. Where a doubtful echo may begin,
    the target is NaN: the bin does not count in `EchoCrossentropy`.

    Args:
        onsets: array of shape `(n, num_echoes)`, in samples; NaN where there is no echo.
        visibility: int array of the same shape, indices into `keras_usmae.signals.synthesis.onsets.VISIBILITIES`.
        num_bins: int.
        bin_width: int, samples in a bin.
        sigma: float, standard deviation of the distribution in samples.

    Returns:
        A float32 array of shape `(n, num_bins)`.

    Raises:
        ValueError: where a clear echo begins outside of the signal.
    """
    clear, doubtful = (~np.isnan(onsets) & (visibility == kind) for kind in (_CLEAR, _DOUBTFUL))
    outside = clear & ~((onsets >= 0) & (onsets < num_bins * bin_width))
    if outside.any():
        row, echo = (int(index[0]) for index in np.nonzero(outside))
        raise ValueError(
            f"Echo {echo} of signal {row} begins at sample {onsets[row, echo]:g}, outside of the {num_bins} bins of "
            f"{bin_width} samples. Set its visibility to 0, or cut the signal so that the onset lies inside."
        )
    target = np.zeros((len(onsets), num_bins), dtype=np.float32)
    unknown = np.zeros((len(onsets), num_bins), dtype=bool)
    edges = np.arange(num_bins + 1) * bin_width
    for echo in range(onsets.shape[1]):
        rows = np.flatnonzero(clear[:, echo] | doubtful[:, echo])
        cumulative = scipy.special.ndtr((edges - onsets[rows, echo, None]) / sigma)
        # What lies beyond either end of the signal belongs to its first or last bin.
        cumulative[:, 0], cumulative[:, -1] = 0, 1
        mass = np.diff(cumulative, axis=1).astype(np.float32)
        certain = clear[rows, echo]
        target[rows[certain]] += mass[certain]
        unknown[rows[~certain]] |= mass[~certain] > _LEAST_MASS
    np.minimum(target, 1, out=target)
    target[unknown] = np.nan
    return target


def label_echoes(drawn: dict, signal_length: int, bin_width: int, sigma: float) -> np.ndarray:
    """Targets of synthetic signals; see `echo_targets`.

    Args:
        drawn: dict of arrays, as from `keras_usmae.signals.synthesize`.
        signal_length: int, samples.
        bin_width: int, samples in a bin.
        sigma: float, see `echo_targets`.

    Returns:
        A float32 array of shape `(n, signal_length // bin_width)`.
    """
    onsets = np.concatenate([drawn["onset"][:, None], drawn["echo_onsets"]], axis=1)
    visibility = np.concatenate([drawn["visibility"][:, None], drawn["echo_visibility"]], axis=1)
    # A burst that the record begins inside of has its onset ahead of it. By less than a bin, nobody could tell: where
    # these counted as no echo, an echo in the first samples of a record got half of its confidence.
    doubtful = np.where(visibility == _CLEAR, _DOUBTFUL, visibility)
    visibility = np.where(onsets < 0, np.where(onsets >= -bin_width, doubtful, 0), visibility)
    return echo_targets(onsets, visibility, signal_length // bin_width, bin_width, sigma)


def fresh_echoes(
    configs: "Sequence[SignalConfig | TransducerConfig]",
    num_signals: int,
    seed: int,
    bin_width: int = 16,
    sigma: float = 8.0,
) -> Callable:
    """Labelled synthetic signals that are never repeated: each epoch draws its own.

    Args:
        configs: sequence of `keras_usmae.signals.SignalConfig` or `TransducerConfig` of one signal length; each gives
            an equal share of an epoch.
        num_signals: int, signals in an epoch.
        seed: int, seed of the sets; epoch `e` takes the examples from `e * num_signals / len(configs)` on.
        bin_width: int, samples in a bin. Defaults to `16`.
        sigma: float, samples, see `echo_targets`. Defaults to `8.0`.

    Returns:
        A `load_epoch` function for `EpochBatches`, giving standardised signals, half of them upside down, and targets.

    Raises:
        ValueError: where the signals have different lengths, or cannot be shared evenly.
    """
    lengths = {config.signal_length for config in configs}
    if len(lengths) != 1:
        raise ValueError(f"Signals of different lengths cannot share a batch. Received: {sorted(lengths)} samples.")
    if num_signals % len(configs):
        raise ValueError(f"{num_signals} signals of an epoch cannot be shared evenly by {len(configs)} configurations.")
    (length,), share = lengths, num_signals // len(configs)

    def load_epoch(epoch):
        signals, targets = [], []
        for config in configs:
            drawn = synthesize(config, share, seed, start=epoch * share)
            signals.append(standardize(drawn["signal"]))
            targets.append(label_echoes(drawn, length, bin_width, sigma))
        rng = np.random.default_rng((seed, epoch))
        order = rng.permutation(share * len(configs))
        sign = rng.choice(np.array([-1, 1], "float32"), (len(order), 1))
        return np.concatenate(signals)[order] * sign, np.concatenate(targets)[order]

    return load_epoch
