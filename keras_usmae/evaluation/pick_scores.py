"""Fair scores of pickers: their constant offset taken out, signals with an echo ahead apart, several picks a signal."""

from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.evaluation.label_ceiling import FAR_BINS
from keras_usmae.evaluation.label_scores import score_in_sigma
from keras_usmae.evaluation.scores import score_onsets
from keras_usmae.signals import pick_aic, pick_threshold

if TYPE_CHECKING:
    from keras_usmae.picker.picks import Picks

MOST_PICKS = 3


def pick_classically(signals: np.ndarray, sampling_rate: float) -> dict:
    """Onsets of the classical pickers that need no training.

    Args:
        signals: array of shape `(n, L)`.
        sampling_rate: float, Hz. Their pass bands, 0.3 to 20 MHz and 0.3 to 8 MHz at 100 MHz, move with it.

    Returns:
        A dict from the picker's name to an array of shape `(n,)`, samples, NaN where it found none.
    """
    return {
        "AIC picker": pick_aic(signals, sampling_rate, band=(0.003 * sampling_rate, 0.2 * sampling_rate)),
        "envelope threshold picker": pick_threshold(
            signals, sampling_rate, band=(0.003 * sampling_rate, 0.08 * sampling_rate)
        ),
    }


def median_offset(onset: np.ndarray, estimate: np.ndarray) -> float:
    """The constant offset of an estimator, which a calibration block takes out: the median of its errors.

    Args:
        onset: array of shape `(n,)`, labelled onsets of a split that is not scored, in samples.
        estimate: array of shape `(n,)`, samples, NaN where there is none.

    Returns:
        Float, samples. NaN where nothing was found.
    """
    error = np.asarray(estimate, "float64") - np.asarray(onset, "float64")
    return float(np.median(error[np.isfinite(error)])) if np.isfinite(error).any() else float("nan")


def score_estimates(
    onset: np.ndarray,
    estimate: np.ndarray,
    offset: float,
    bin_width: int,
    sampling_rate: float,
    speed_of_sound: float,
    predicted_class: np.ndarray | None = None,
    hole: np.ndarray | None = None,
    sigma: np.ndarray | None = None,
) -> dict:
    """Scores of one estimator as it stands, and with its constant offset taken out.

    Args:
        onset: array of shape `(n,)`, labelled onsets in samples.
        estimate: array of shape `(n,)`, samples, NaN where there is none.
        offset: float, samples, from `median_offset` on other signals.
        bin_width: int, samples.
        sampling_rate: float, Hz.
        speed_of_sound: float, m/s.
        predicted_class: optional int array of shape `(n,)`, see `score_onsets`.
        hole: optional bool array of shape `(n,)`, signals with another real echo ahead of the labelled one.
        sigma: optional array of shape `(n,)`, standard deviation of each label in samples.

    Returns:
        A dict: what `score_onsets` returns; `"offset_samples"`; `"bias_free"`, the same with the offset taken out and
        with `"far"`, the share that is off by more than two bins or not found; and `"bias_free_without_hole"`, that of
        the signals without a hole, where `hole` is given. The bias-free ones have what `score_in_sigma` returns, too,
        where `sigma` is given.
    """
    common = bin_width, sampling_rate, speed_of_sound
    free = np.asarray(estimate, "float64") - (offset if np.isfinite(offset) else 0.0)

    def without_offset(rows):
        error = free[rows] - onset[rows]
        far = float(np.mean(~(np.abs(error) <= FAR_BINS * bin_width)))
        by_sigma = {} if sigma is None else score_in_sigma(error, np.asarray(sigma)[rows])
        return {**score_onsets(onset[rows], free[rows], *common), "far": far, "signals": len(error), **by_sigma}

    scores = score_onsets(onset, estimate, *common, predicted_class)
    scores |= {"offset_samples": offset, "bias_free": without_offset(slice(None))}
    if hole is not None and not np.all(hole):
        scores["bias_free_without_hole"] = without_offset(~np.asarray(hole, bool))
    return scores


def echo_recall(picks: "Picks", onset: np.ndarray, bin_width: int, offset: float = 0.0) -> dict:
    """Whether the labelled echo is among the picks of its signal, whatever else was found.

    Args:
        picks: `keras_usmae.picker.Picks` of the signals.
        onset: array of shape `(n,)`, labelled onsets in samples.
        bin_width: int, samples: a pick within one and a half of them has found the echo.
        offset: float, samples, taken out of the picks. Defaults to `0.0`.

    Returns:
        A dict of floats: `"recall"`; `"recall_of_three"`, among the three strongest; `"picks_a_signal"`; `"no_pick"`,
        the share of the signals without any; and `"coverage"`, the share of the found labels inside of the 95 %
        interval of their pick as it stands.
    """
    onset = np.asarray(onset, "float64")
    near = np.abs(picks.onset - offset - onset[picks.trace]) <= 1.5 * bin_width
    order = np.lexsort((-picks.amplitude, picks.trace))
    strongest = np.zeros(len(picks), bool)
    strongest[order] = np.arange(len(order)) - np.searchsorted(picks.trace, picks.trace) < MOST_PICKS
    # A tof is an onset and the start of the record; an interval is moved as they are.
    start = picks.tof - picks.onset / picks.sampling_rate
    low, high = ((picks.interval[:, side] - start) * picks.sampling_rate for side in (0, 1))
    inside = (low <= onset[picks.trace]) & (onset[picks.trace] <= high)

    def share(rows):
        return len(np.unique(picks.trace[rows])) / len(onset)

    return {
        "recall": share(near),
        "recall_of_three": share(near & strongest),
        "picks_a_signal": len(picks) / len(onset),
        "no_pick": 1 - share(np.ones(len(picks), bool)),
        "coverage": float(inside[near].mean()) if near.any() else float("nan"),
    }
