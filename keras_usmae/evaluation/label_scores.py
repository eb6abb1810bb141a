"""Scores that mind how sure each label is: errors in units of the label's sigma, and those by the sure labels."""

import numpy as np

# Labels surer than this are nearly a tenth of a bin of 16 samples.
SHARP_SIGMA = 1.5
FAR_SIGMAS = 3.0


def score_in_sigma(error: np.ndarray, sigma: np.ndarray, sharp_sigma: float = SHARP_SIGMA) -> dict:
    """Scores errors in units of the standard deviation of the label that each is an error against.

    By labels whose errors are normal with the stated sigma, the truth has a median of 0.674 sigma and 0.27 % beyond
    three. Less tells of a sigma that is stated too large, or of an estimator that has learnt the labels' errors.

    Args:
        error: array of shape `(n,)`, estimate less label in samples, the constant offset of the estimator taken out;
            NaN where there is no estimate.
        sigma: array of shape `(n,)`, standard deviation of each label in samples.
        sharp_sigma: float, samples. Labels with a smaller sigma are scored apart. Defaults to `1.5`.

    Returns:
        A dict: `"median_error_sigma"`, the median of `|error| / sigma`; `"beyond_three_sigma"`, the share that is off
        by more than three sigma or has no estimate; `"sharp_signals"`, the number of the sure labels; and
        `"sharp_mean_error_samples"` and `"sharp_median_error_samples"`, NaN where none of them has an estimate.

    Raises:
        ValueError: if there are no errors, the shapes differ, or a sigma is not positive and finite.

    Example:

    ```python
    import numpy as np
    from keras_usmae.evaluation import score_in_sigma

    found = score_in_sigma(np.array([1.0, -4.0, np.nan]), np.array([1.0, 4.0, 2.0]))
    found["median_error_sigma"], found["beyond_three_sigma"]  # 1.0 and a third
    ```
    """
    error, sigma = np.asarray(error, "float64").ravel(), np.asarray(sigma, "float64").ravel()
    if not len(error) or error.shape != sigma.shape:
        raise ValueError(
            f"Each error needs the sigma of its label, and there must be one. Received: {len(error)} errors and "
            f"{len(sigma)} sigmas."
        )
    if not (np.isfinite(sigma) & (sigma > 0)).all():
        raise ValueError("The sigma of every label must be positive and finite.")
    ratio, found = np.abs(error) / sigma, np.isfinite(error)
    sharp = sigma < sharp_sigma
    mine = np.abs(error[sharp & found])
    return {
        "median_error_sigma": float(np.median(ratio[found])) if found.any() else float("nan"),
        "beyond_three_sigma": float(np.mean(~(ratio <= FAR_SIGMAS))),
        "sharp_signals": int(sharp.sum()),
        "sharp_mean_error_samples": float(mine.mean()) if len(mine) else float("nan"),
        "sharp_median_error_samples": float(np.median(mine)) if len(mine) else float("nan"),
    }
