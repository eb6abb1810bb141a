"""Whether a ToF classifier knows how far it may be off: reliability, calibration error and coverage."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from keras_usmae.layers import check_positive
from keras_usmae.signals import onset_to_class


def fit_temperature(logits: np.ndarray, onset: np.ndarray, bin_width: int) -> float:
    """Fits the temperature that makes predicted probabilities honest, on signals held out from training.

    Classifiers trained with a spread target state more doubt than they have, those trained with hard classes less. One
    factor mends most of either and changes no estimate.

    Args:
        logits: array of shape `(n, num_classes)`, of the validation split.
        onset: array of shape `(n,)`, samples.
        bin_width: int, samples in a ToF class.

    Returns:
        Float, between 0.05 and 20, for `ToFClassifier.decode`: it divides the logits.

    Raises:
        ValueError: if the arrays do not match, logits are not finite, or an onset lies in no class.

    Reference:
        - [Guo et al., 2017](https://arxiv.org/abs/1706.04599)
    """
    logits, classes = _checked(logits, onset, bin_width)

    def cross_entropy(log_temperature):
        log_probabilities = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -log_probabilities[np.arange(len(classes)), classes].mean()

    return float(np.exp(minimize_scalar(cross_entropy, bounds=np.log([0.05, 20.0]), method="bounded").x))


def reliability(
    logits: np.ndarray, onset: np.ndarray, bin_width: int, temperature: float = 1.0, num_bins: int = 10
) -> dict:
    """Compares the confidence in the most likely bin with how often it is right.

    Args:
        logits: array of shape `(n, num_classes)`.
        onset: array of shape `(n,)`, samples.
        bin_width: int, samples in a ToF class.
        temperature: float, what the logits are divided by. Defaults to `1.0`.
        num_bins: int, equal intervals of confidence. Defaults to `10`.

    Returns:
        A dict: `"confidence"`, `"accuracy"` and `"count"`, arrays of shape `(num_bins,)`, NaN where an interval is
        empty, and `"expected_calibration_error"`, their mean distance, weighted by the counts.

    Raises:
        ValueError: if the arrays do not match, logits are not finite, or an onset lies in no class.

    Reference:
        - [Guo et al., 2017](https://arxiv.org/abs/1706.04599)
    """
    check_positive(temperature=temperature)
    logits, classes = _checked(logits, onset, bin_width)
    confidence = np.exp(log_softmax(logits / temperature, axis=1).max(axis=1))
    right = logits.argmax(axis=1) == classes
    interval = np.minimum((confidence * num_bins).astype(int), num_bins - 1)
    count = np.bincount(interval, minlength=num_bins)
    with np.errstate(invalid="ignore"):
        mean_confidence, accuracy = (
            np.bincount(interval, values, minlength=num_bins) / count for values in (confidence, right)
        )
    distance = np.nan_to_num(np.abs(mean_confidence - accuracy))
    return {
        "confidence": mean_confidence,
        "accuracy": accuracy,
        "count": count,
        "expected_calibration_error": float(count @ distance / count.sum()),
    }


def coverage(onset: np.ndarray, interval: np.ndarray) -> float:
    """Share of onsets that lie in their predicted intervals.

    Args:
        onset: array of shape `(n,)`, samples.
        interval: array of shape `(n, 2)`, lower and upper ends in samples.

    Returns:
        Float; `0.95` is right for the intervals of `ToFClassifier.predict_tof`.
    """
    onset, interval = np.asarray(onset, "float64").ravel(), np.asarray(interval, "float64")
    return float(((interval[:, 0] <= onset) & (onset <= interval[:, 1])).mean())


def _checked(logits, onset, bin_width):
    logits, onset = np.asarray(logits, "float64"), np.asarray(onset, "float64").ravel()
    if logits.ndim != 2 or not len(onset) or len(logits) != len(onset):
        raise ValueError(
            f"One row of logits is needed for each onset, and at least one. Received logits of shape {logits.shape} "
            f"and {len(onset)} onsets."
        )
    if not np.isfinite(logits).all():
        raise ValueError(f"Logits must be finite; those at {int(np.argwhere(~np.isfinite(logits))[0][0])} are not.")
    return logits, onset_to_class(onset, bin_width, logits.shape[1])
