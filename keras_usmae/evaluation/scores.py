"""How far estimated onsets lie from labelled ones."""

import numpy as np

from keras_usmae.signals import samples_to_mm, samples_to_seconds


def score_onsets(
    onset: np.ndarray,
    estimate: np.ndarray,
    bin_width: int,
    sampling_rate: float,
    speed_of_sound: float,
    predicted_class: np.ndarray | None = None,
) -> dict:
    """Scores any estimator of onsets, network or classical.

    Args:
        onset: array of shape `(n,)`, labelled onsets in samples.
        estimate: array of shape `(n,)`, estimated onsets in samples; NaN where the estimator found none, which counts
            as wrong in the accuracies and is left out of the errors, its share being reported.
        bin_width: int, samples in a ToF class.
        sampling_rate: float, Hz.
        speed_of_sound: float, m/s, for pulse-echo millimetres (half of the path).
        predicted_class: optional int array of shape `(n,)`, classes of a classifier. Defaults to those that the
            estimates fall in.

    Returns:
        A dict of floats: `accuracy` and `within_one_bin` (shares), `missed` (share without estimate), `bias`, and
        `mean_error`, `median_error`, `rmse`, `p95_error` of the absolute error, each in `_samples`, `_ns` and `_mm`.

    Raises:
        ValueError: if there are no signals.

    Example:

    ```python
    score_onsets(np.array([100.0]), np.array([101.0]), 16, 100e6, 1480.0)["mean_error_ns"]  # 10.0
    ```
    """
    onset, estimate = np.asarray(onset, "float64").ravel(), np.asarray(estimate, "float64").ravel()
    if not len(onset):
        raise ValueError("There are no labelled signals to score.")
    found = np.isfinite(estimate)
    if predicted_class is None:
        predicted_class = np.floor(np.where(found, estimate, -1e9) / bin_width)
    distance = np.abs(predicted_class - np.floor(onset / bin_width))
    error = (estimate - onset)[found] if found.any() else np.array([np.nan])
    absolute = np.abs(error)
    samples = {
        "bias": error.mean(),
        "mean_error": absolute.mean(),
        "median_error": np.median(absolute),
        "rmse": np.sqrt((error**2).mean()),
        "p95_error": np.percentile(absolute, 95),
    }
    scores = {
        "accuracy": (distance == 0).mean(),
        "within_one_bin": (distance <= 1).mean(),
        "missed": 1.0 - found.mean(),
    }
    for name, value in samples.items():
        scores[f"{name}_samples"] = value
        scores[f"{name}_ns"] = samples_to_seconds(value, sampling_rate) * 1e9
        scores[f"{name}_mm"] = samples_to_mm(value, sampling_rate, speed_of_sound)
    return {name: float(value) for name, value in scores.items()}
