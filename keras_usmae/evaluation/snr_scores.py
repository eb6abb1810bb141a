"""Errors of the onset over the signal-to-noise ratio, beside the Cramér-Rao bound."""

import numpy as np

# The median of the absolute value of a normal error, in its standard deviations.
MEDIAN_OF_NORMAL = 0.6745


def score_over_snr(
    snr_db: np.ndarray,
    errors: dict,
    bound: np.ndarray | None = None,
    label_sigma: np.ndarray | None = None,
    num_groups: int = 8,
) -> list[dict]:
    """Scores estimators in groups of equally many signals, sorted by SNR.

    Like is compared with like: the RMS error with the root of the mean square of the bounds, and the median of the
    absolute errors, each divided by the bound of its signal, with 0.6745, what it is for normal errors at the bound.
    The former tells of outliers, the latter of all other signals.

    Args:
        snr_db: array of shape `(n,)`, dB.
        errors: dict from an estimator's name to its errors of shape `(n,)` in samples, NaN where it found nothing.
        bound: optional array of shape `(n,)`, smallest standard deviation of each error in samples. Defaults to
            `None`: the ratios are left out.
        label_sigma: optional array of shape `(n,)`, standard deviation of the labels in samples. Defaults to `None`.
        num_groups: int. Defaults to `8`; fewer where there are not ten signals for each.

    Returns:
        A list of dicts, by rising SNR: `snr_low`, `snr_db` (the median) and `snr_high`, `signals`, `bound` and
        `label_sigma` (root of the mean square, where given), and `estimators`, a dict from a name to `rmse`,
        `median_error` and `sigma` (median / 0.6745), in samples, `missed`, a share, and with a bound `rmse_ratio` and
        `sigma_ratio`. An estimator that found nothing has only `missed`.

    Example:

    ```python
    import numpy as np
    from keras_usmae.evaluation import score_over_snr

    error = np.array([-1.0, 1.0, 1.0, -1.0])  # of four signals of the same SNR
    rows = score_over_snr(np.full(4, 20.0), {"mine": error}, bound=np.full(4, 0.5))
    rows[0]["estimators"]["mine"]["rmse_ratio"]  # 2.0
    ```
    """
    snr_db = np.asarray(snr_db)
    rows = []
    for group in np.array_split(np.argsort(snr_db), max(1, min(num_groups, len(snr_db) // 10))):
        low, middle, high = np.percentile(snr_db[group], [0, 50, 100])
        row: dict = {"snr_low": float(low), "snr_db": float(middle), "snr_high": float(high), "signals": len(group)}
        for name, values in (("bound", bound), ("label_sigma", label_sigma)):
            if values is not None:
                row[name] = _rms(np.asarray(values)[group])
        limits = None if bound is None else np.asarray(bound)[group]
        row["estimators"] = {name: _scores(np.asarray(error)[group], limits) for name, error in errors.items()}
        rows.append(row)
    return rows


def _scores(error, bound):
    found = np.isfinite(error)
    scores = {"missed": float(1 - found.mean())}
    if not found.any():
        return scores
    error, median = error[found], float(np.median(np.abs(error[found])))
    scores |= {"rmse": _rms(error), "median_error": median, "sigma": median / MEDIAN_OF_NORMAL}
    if bound is not None:
        scores["rmse_ratio"] = scores["rmse"] / _rms(bound[found])
        scores["sigma_ratio"] = float(np.median(np.abs(error) / bound[found])) / MEDIAN_OF_NORMAL
    return scores


def _rms(values):
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
