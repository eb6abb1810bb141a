"""Filling in removed samples from those beside the gap: what a masked autoencoder has to beat."""

import numpy as np
from scipy.interpolate import CubicSpline

INTERPOLATIONS = ("linear", "spline", "nothing")


def interpolate_removed(signals, removed, method):
    """Fills in removed samples from the visible ones of the same signal.

    Before the first and behind the last visible sample, that sample is held: a spline would run away there.

    Args:
        signals: array of shape `(n, signal_length)`.
        removed: bool array of shape `(n, signal_length)`, `True` where a sample may not be looked at.
        method: str. One of `INTERPOLATIONS`: `"linear"`, a line across each gap; `"spline"`, a cubic spline through all
            visible samples; `"nothing"`, zero, the mean of a standardised signal.

    Returns:
        An array of the shape and dtype of `signals`, the signals with the removed samples filled in.

    Raises:
        ValueError: where there is no such method, or fewer than two samples of a signal are visible.

    Example:

    ```python
    import numpy as np
    from recipes.experiments.physics.interpolation import interpolate_removed

    interpolate_removed(np.array([[0.0, 9.0, 2.0]]), np.array([[False, True, False]]), "linear")  # 0, 1, 2
    ```
    """
    if method not in INTERPOLATIONS:
        raise ValueError(f"There is no interpolation {method!r}. Choose one of {list(INTERPOLATIONS)}.")
    removed = np.asarray(removed, dtype=bool)
    few = np.flatnonzero((~removed).sum(axis=1) < 2)
    if few.size:
        raise ValueError(f"Signal {few[0]} has fewer than two visible samples, between which nothing can be filled in.")
    filled = np.array(signals)
    for row, hidden in zip(filled, removed, strict=True):
        row[hidden] = _values(row, hidden, method)
    return filled


def _values(signal, hidden, method):
    if method == "nothing":
        return 0.0
    at, visible = np.flatnonzero(hidden), np.flatnonzero(~hidden)
    if method == "linear":
        return np.interp(at, visible, signal[visible])
    return CubicSpline(visible, signal[visible])(np.clip(at, visible[0], visible[-1]))
