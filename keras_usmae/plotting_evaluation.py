"""Pictures of how well, and how honestly, a classifier measures."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, ScalarFormatter

_ENOUGH = 5  # signals for a point: the share of right ones among fewer says nothing


def plot_reliability(curves):
    """Draws how often the most likely bin is right against the stated confidence, with the share of signals below.

    Intervals of confidence with fewer than five signals have no point.

    Args:
        curves: dict from a name to what `reliability` returned.

    Returns:
        `matplotlib.figure.Figure`.

    Example:

    ```python
    plot_reliability({"as trained": reliability(logits, onset, bin_width=16)})
    ```
    """
    figure = Figure(figsize=(4.6, 5.2), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    top.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, linestyle="--", label="honest")
    for name, curve in curves.items():
        error = curve["expected_calibration_error"]
        some = curve["count"] >= _ENOUGH
        (line,) = top.plot(curve["confidence"][some], curve["accuracy"][some], "o-", label=f"{name}: ECE {error:.1%}")
        edges = np.linspace(0, 1, len(curve["count"]) + 1)
        bottom.stairs(curve["count"] / curve["count"].sum(), edges, color=line.get_color())
    top.set(ylabel="Share of right bins", xlim=(0, 1), ylim=(0, 1))
    bottom.set(xlabel="Confidence in the most likely bin", ylabel="Signals")
    top.grid(alpha=0.3)
    top.legend(fontsize=8)
    return figure


def plot_error_over_snr(snr_db, errors, sampling_rate, num_groups=8):
    """Draws median and 90th percentile of the absolute error over groups of equally many signals, sorted by SNR.

    Args:
        snr_db: array of shape `(n,)`, dB.
        errors: dict from an estimator's name to its errors of shape `(n,)` in samples, NaN where it found nothing.
        sampling_rate: float, Hz.
        num_groups: int. Defaults to `8`; fewer where there are not ten signals for each.

    Returns:
        `matplotlib.figure.Figure`.

    Example:

    ```python
    plot_error_over_snr(snr_db, {"network": estimate - onset, "AIC": pick_aic(signals, 100e6) - onset}, 100e6)
    ```
    """
    groups = np.array_split(np.argsort(snr_db), max(1, min(num_groups, len(snr_db) // 10)))
    middle = [np.median(np.asarray(snr_db)[group]) for group in groups]
    figure = Figure(figsize=(8.4, 4), layout="constrained")
    axes = figure.subplots()
    for name, error in errors.items():
        nanoseconds = np.abs(error) * 1e9 / sampling_rate
        median, high = (
            [np.nanpercentile(nanoseconds[group], percent) if np.isfinite(nanoseconds[group]).any() else np.nan
             for group in groups]
            for percent in (50, 90)
        )  # fmt: skip
        (line,) = axes.plot(middle, median, "o-", markersize=4, label=f"{name}, median")
        axes.plot(middle, high, "--", linewidth=0.9, color=line.get_color(), label=f"{name}, 90th percentile")
    axes.set(xlabel="SNR / dB", ylabel="Absolute error / ns", yscale="log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.yaxis.set_minor_formatter("")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
