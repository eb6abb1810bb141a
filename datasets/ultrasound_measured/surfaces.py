"""Smooth lines and surfaces through picks: flat reflectors as the reference for single traces that err."""

import numpy as np
import scipy.ndimage
import scipy.signal

# Scales the median absolute deviation to the standard deviation of a normal distribution.
_MAD_TO_STD = 1.4826


def fit_surface(x, y, picks, degree=4, cut=4.0):
    """Fits a polynomial surface to picks over a scanned plane, and leaves outliers out.

    Least squares are repeated on the picks within `cut` robust standard deviations of the surface until the same picks
    stay. Slips by half a cycle lie far outside and do not pull the surface.

    Args:
        x: array of shape `(num_records,)`. First scan coordinate, in any unit.
        y: array of shape `(num_records,)`. Second scan coordinate.
        picks: array of shape `(num_records,)`. Picks in samples; NaN where there is none.
        degree: int. Total degree of the polynomial. Defaults to `4`.
        cut: float. Limit of the residual in robust standard deviations. Defaults to `4.0`.

    Returns:
        A tuple `(surface, sigma)`: a float64 array of shape `(num_records,)`, and the robust standard deviation of all
        picks about it, both in samples.

    Raises:
        ValueError: where fewer picks than coefficients are finite.

    Example:

    ```python
    import numpy as np
    from .surfaces import fit_surface

    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(20), np.arange(10)))
    picks = 50 + 0.1 * x - 0.02 * y**2
    picks[7] += 3.0  # a slip by half a cycle
    surface, sigma = fit_surface(x, y, picks)
    ```
    """
    u, v = _to_unit_range(x), _to_unit_range(y)
    terms = np.stack([u**i * v**j for i in range(degree + 1) for j in range(degree + 1 - i)], axis=1)
    finite = np.isfinite(picks)
    if finite.sum() < terms.shape[1]:
        raise ValueError(
            f"A surface of degree {degree} needs at least {terms.shape[1]} finite picks, but only {int(finite.sum())} "
            f"of {len(picks)} are finite. Check the gate and the threshold that the picks were made with."
        )
    keep = finite
    for _ in range(50):
        coefficients = np.linalg.lstsq(terms[keep], picks[keep], rcond=None)[0]
        surface = terms @ coefficients
        residual = np.where(finite, picks - surface, np.inf)
        # A floor, so that exact data do not lose picks to rounding.
        limit = max(cut * robust_sigma(residual[keep]), 1e-6)
        kept, keep = keep, np.abs(residual) < limit
        if np.array_equal(kept, keep):
            break
    return surface, robust_sigma((picks - surface)[finite])


def smooth_line(picks, window, median=1):
    """Smooths picks along a scan line with a Savitzky-Golay filter of order 2, after an optional running median.

    Args:
        picks: array of shape `(num_records,)`. Picks in samples, in scan order, all finite.
        window: int. Odd length of the filter in records.
        median: int. Odd length of the running median in records. Defaults to `1`, none.

    Returns:
        A tuple `(line, sigma)`: a float64 array of shape `(num_records,)`, and the robust standard deviation of the
        picks about it, both in samples.

    Raises:
        ValueError: where a pick is not finite, or there are fewer picks than the filter is long.

    Example:

    ```python
    import numpy as np
    from .surfaces import smooth_line

    line, sigma = smooth_line(324.0 + 5.2 * np.arange(100), window=11)
    ```
    """
    if not np.isfinite(picks).all():
        raise ValueError(
            f"The pick at index {int(np.argmin(np.isfinite(picks)))} is not finite. A line has no place for gaps: "
            "check the gate and the threshold that the picks were made with."
        )
    if len(picks) < max(window, median):
        raise ValueError(f"A filter of {max(window, median)} records cannot smooth {len(picks)} picks.")
    filtered = scipy.ndimage.median_filter(np.asarray(picks, dtype=np.float64), median, mode="nearest")
    line = scipy.signal.savgol_filter(filtered, window, polyorder=2)
    return line, robust_sigma(picks - line)


def robust_sigma(values):
    """Standard deviation estimated from the median absolute deviation, which outliers hardly move.

    Args:
        values: array of finite values.

    Returns:
        A float in the unit of `values`.

    Example:

    ```python
    import numpy as np
    from .surfaces import robust_sigma

    robust_sigma(np.array([-1.0, 0.0, 1.0, 1000.0]))  # about 1.5
    ```
    """
    return float(_MAD_TO_STD * np.median(np.abs(values - np.median(values))))


def _to_unit_range(values):
    values = np.asarray(values, dtype=np.float64)
    low, high = values.min(), values.max()
    return 2 * (values - low) / ((high - low) or 1.0) - 1
