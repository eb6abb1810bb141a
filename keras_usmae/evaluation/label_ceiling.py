"""What a perfect estimator would score by labels that are uncertain themselves."""

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from keras_usmae.layers import check_positive

# Off by more than these bins: another echo was taken.
FAR_BINS = 2


def label_ceiling(onset: np.ndarray, sigma: np.ndarray, bin_width: int) -> dict:
    """Scores of an estimator that always tells the truth, expected over normal errors of the labels.

    All of the stated sigma is taken for random: no part of a label's error can be learnt. An estimator that scores
    better has learnt what the labels' errors have in common, or the stated sigma is larger than the labels' errors.
    What is common to a group of labels changes how far one set of labels may lie from the expectation, see
    `ceiling_interval`, and not the expectation. For an estimator that knows the common part, give the rest of sigma.

    Args:
        onset: array of shape `(n,)`, labelled onsets in samples; a label near the edge of its bin is easily in another
            bin than the truth.
        sigma: array of shape `(n,)`, standard deviation of each label in samples.
        bin_width: int, samples in a ToF class.

    Returns:
        A dict of floats as `score_onsets` has them: `"accuracy"`, `"within_one_bin"` and `"far"`, shares, and
        `"mean_error_samples"`, `"median_error_samples"`, `"rmse_samples"` and `"p95_error_samples"`.

    Raises:
        ValueError: if there are no labels, their shapes differ, an onset is not finite, or a sigma is not positive.

    Example:

    ```python
    import numpy as np
    from keras_usmae.evaluation import label_ceiling

    label_ceiling(np.array([8.0]), np.array([4.0]), bin_width=16)["accuracy"]  # 0.954: two sigmas to either edge
    ```
    """
    onset, sigma = _checked(onset, sigma, bin_width)
    low = np.floor(onset / bin_width) * bin_width

    def share(bins):
        """Expected share of the truths that lie at most so many bins from that of their label."""
        ends = low - bins * bin_width, low + (bins + 1) * bin_width
        before, after = (norm.cdf((end - onset) / sigma) for end in ends)
        return float(np.mean(after - before))

    return {
        "accuracy": share(0),
        "within_one_bin": share(1),
        "far": float(np.mean(2 * norm.sf(FAR_BINS * bin_width / sigma))),
        "mean_error_samples": float(np.sqrt(2 / np.pi) * sigma.mean()),
        "median_error_samples": _quantile(sigma, 0.5),
        "rmse_samples": float(np.sqrt(np.mean(sigma**2))),
        "p95_error_samples": _quantile(sigma, 0.95),
    }


def ceiling_interval(
    onset: np.ndarray,
    sigma: np.ndarray,
    bin_width: int,
    label: np.ndarray | None = None,
    common: np.ndarray | None = None,
    group: np.ndarray | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> dict:
    """How far one set of labels may lie from `label_ceiling`: 95 % intervals of its scores, from drawn errors.

    Windows that were cut from one record share its label, and so its error: fewer errors are independent than there
    are windows.

    Args:
        onset: array of shape `(n,)`, labelled onsets in samples.
        sigma: array of shape `(n,)`, standard deviation of each label in samples, all of it.
        bin_width: int, samples in a ToF class.
        label: optional int array of shape `(n,)`, number of the label that each window has. Defaults to `None`, one
            each.
        common: optional array of shape `(n,)`, the part of sigma, in samples, that all labels of a group share; at
            most sigma. Defaults to `None`, no part.
        group: optional int array of shape `(n,)`, group of each label, where `common` is given.
        draws: int. Defaults to `1000`.
        seed: int. Defaults to `0`.

    Returns:
        A dict from the names of `label_ceiling` to pairs of float, the 2.5 % and 97.5 % quantiles.

    Raises:
        ValueError: as `label_ceiling`; if a common part exceeds its sigma or has no group; if `draws` is below 1.

    Example:

    ```python
    import numpy as np
    from keras_usmae.evaluation import ceiling_interval

    low, high = ceiling_interval(np.arange(100.0), np.full(100, 4.0), 16)["accuracy"]  # 0.74, 0.88
    ```
    """
    onset, sigma = _checked(onset, sigma, bin_width)
    check_positive(draws=draws)
    own = sigma
    if common is not None:
        common = np.broadcast_to(np.asarray(common, "float64"), sigma.shape)
        if group is None:
            raise ValueError("A common part of sigma needs `group`, which tells what it is common to.")
        if not np.all((common >= 0) & (common <= sigma)):
            raise ValueError("The common part of sigma must lie between 0 and sigma.")
        own = np.sqrt(sigma**2 - common**2)
    rng = np.random.default_rng(seed)
    label = np.arange(len(onset)) if label is None else np.unique(label, return_inverse=True)[1].ravel()
    numbers = None if group is None else np.unique(group, return_inverse=True)[1].ravel()
    scores: dict = {}
    for _ in range(draws):
        error = own * rng.standard_normal(label.max() + 1)[label]
        if common is not None and numbers is not None:
            error += common * rng.standard_normal(numbers.max() + 1)[numbers]
        for name, value in _scores(onset, error, bin_width).items():
            scores.setdefault(name, []).append(value)
    ends = ((name, np.quantile(values, [0.025, 0.975])) for name, values in scores.items())
    return {name: (float(low), float(high)) for name, (low, high) in ends}


def _scores(onset, error, bin_width):
    """Scores of the truth where the labels have these errors."""
    distance = np.abs(np.floor((onset - error) / bin_width) - np.floor(onset / bin_width))
    absolute = np.abs(error)
    return {
        "accuracy": np.mean(distance == 0),
        "within_one_bin": np.mean(distance <= 1),
        "far": np.mean(absolute > FAR_BINS * bin_width),
        "mean_error_samples": absolute.mean(),
        "median_error_samples": np.median(absolute),
        "rmse_samples": np.sqrt(np.mean(error**2)),
        "p95_error_samples": np.percentile(absolute, 95),
    }


def _quantile(sigma, level):
    """Quantile of the absolute value of normal errors, each of another sigma."""
    below, above = (float(end(sigma)) * norm.ppf((1 + level) / 2) for end in (np.min, np.max))
    if above - below < 1e-12 * above:
        return above
    return float(brentq(lambda x: np.mean(2 * norm.cdf(x / sigma) - 1) - level, below, above))


def _checked(onset, sigma, bin_width):
    check_positive(bin_width=bin_width)
    onset, sigma = np.asarray(onset, "float64").ravel(), np.asarray(sigma, "float64").ravel()
    if not len(onset) or onset.shape != sigma.shape:
        raise ValueError(
            f"Each label needs one sigma, and there must be a label. Received: {len(onset)} onsets and {len(sigma)} "
            "sigmas."
        )
    if not np.isfinite(onset).all():
        raise ValueError(f"Onsets must be finite; that at {int(np.argmin(np.isfinite(onset)))} is not.")
    usable = np.isfinite(sigma) & (sigma > 0)
    if not usable.all():
        at = int(np.argmin(usable))
        raise ValueError(f"The sigma of a label must be positive and finite; that at {at} is {sigma[at]}.")
    return onset, sigma
