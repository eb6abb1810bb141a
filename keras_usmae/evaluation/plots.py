"""Pictures of how well, and how honestly, a classifier measures."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from keras_usmae.evaluation.snr_scores import MEDIAN_OF_NORMAL

_SIGNAL, _MODEL, _LABEL = "0.35", "tab:blue", "tab:red"
_ENOUGH = 5  # signals for a point: the share of right ones among fewer says nothing


def plot_reliability(curves: dict) -> Figure:
    """Draws how often the most likely bin is right against the stated confidence, with the share of signals below.

    Intervals of confidence with fewer than five signals have no point.

    Args:
        curves: dict from a name to what `reliability` returned.
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


def plot_error_over_snr(rows: list[dict], sampling_rate: float) -> Figure:
    """Draws RMS error and median absolute error over SNR, with the Cramér-Rao bound of each.

    The bound in the panel of the median is 0.6745 times that of the standard deviation: the median of the absolute
    value of a normal error. Where labels are uncertain, a further line shows what an estimator at the bound would
    seem to err when it is judged by them.

    Args:
        rows: list of dicts from `score_over_snr`.
        sampling_rate: float, Hz.
    """
    nanoseconds = 1e9 / sampling_rate
    snr = [row["snr_db"] for row in rows]
    figure = Figure(figsize=(10.5, 4.4), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    kinds = (("rmse", "RMS error", 1.0), ("median_error", "Median absolute error", MEDIAN_OF_NORMAL))
    for axes, (key, title, factor) in zip(panels, kinds, strict=True):
        for name in rows[0]["estimators"]:
            values = [row["estimators"][name].get(key, np.nan) * nanoseconds for row in rows]
            axes.plot(snr, values, "o-", markersize=4, label=name)
        if "bound" in rows[0]:
            bound = np.array([row["bound"] for row in rows]) * factor * nanoseconds
            axes.plot(snr, bound, "--", color="0.2", label="Cramér-Rao bound (envelope)")
        if {"bound", "label_sigma"} <= rows[0].keys():
            labels = np.array([row["label_sigma"] for row in rows]) * factor * nanoseconds
            axes.plot(snr, np.hypot(bound, labels), ":", color="0.5", label="bound and labels' uncertainty")
        axes.set(xlabel="SNR / dB", title=title, yscale="log")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("Error / ns")
    for axis in (axes.yaxis for axes in panels):
        low, high = axis.get_view_interval()
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,), numticks=20))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("")
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8, frameon=False
    )
    return figure


def plot_tof_errors(onset: np.ndarray, estimates: dict, bin_width: int, sampling_rate: float) -> Figure:
    """Draws estimated against labelled time of flight, and the histogram of the errors, for several estimators.

    Args:
        onset: array of shape `(n,)`, labelled onsets in samples.
        estimates: dict from an estimator's name to its onsets of shape `(n,)`.
        bin_width: int, samples in a ToF class, drawn as the band that counts as right within one bin.
        sampling_rate: float, Hz.
    """
    microseconds, nanoseconds = 1e6 / sampling_rate, 1e9 / sampling_rate
    figure = Figure(figsize=(3.4 * len(estimates), 6), layout="constrained")
    top, bottom = figure.subplots(2, len(estimates), squeeze=False)
    limit = 4 * bin_width * nanoseconds
    for axes, histogram, (name, estimate) in zip(top, bottom, estimates.items(), strict=True):
        axes.plot(np.asarray(onset) * microseconds, estimate * microseconds, ".", markersize=2, alpha=0.4, color=_MODEL)
        end = max(np.max(onset), np.nanmax(estimate, initial=0)) * microseconds
        axes.plot([0, end], [0, end], color=_LABEL, linewidth=0.8)
        axes.set(title=name, xlabel="Labelled ToF / µs", ylabel="Estimated ToF / µs")
        error = (estimate - onset) * nanoseconds
        outside = np.mean(~(np.abs(error) <= limit))
        histogram.hist(error, bins=np.linspace(-limit, limit, 65), color=_MODEL)
        for edge in (-bin_width, bin_width):
            histogram.axvline(edge * nanoseconds, color=_LABEL, linewidth=0.8, linestyle="--")
        histogram.set(xlabel="Error / ns", ylabel="Signals", title=f"{outside:.1%} outside or missed")
    return figure


def plot_tof_examples(
    signals: np.ndarray, onset: np.ndarray, estimate: np.ndarray, sampling_rate: float, titles: list[str] | None = None
) -> Figure:
    """Draws signals with the labelled and the estimated onset, a row for each signal.

    Args:
        signals: array of shape `(n, signal_length)`.
        onset: array of shape `(n,)`, labelled onsets in samples.
        estimate: array of shape `(n,)`, estimated onsets in samples.
        sampling_rate: float, Hz.
        titles: optional list of `n` str.
    """
    time = np.arange(signals.shape[1]) / sampling_rate * 1e6
    figure = Figure(figsize=(9, 1.6 * len(signals)), layout="constrained")
    rows = np.atleast_1d(figure.subplots(len(signals), 1, sharex=True))
    for i, axes in enumerate(rows):
        axes.plot(time, signals[i], color=_SIGNAL, linewidth=0.8)
        axes.axvline(onset[i] / sampling_rate * 1e6, color=_LABEL, linewidth=1.2, label="label")
        axes.axvline(estimate[i] / sampling_rate * 1e6, color=_MODEL, linewidth=1.2, linestyle="--", label="estimate")
        axes.set(yticks=[], title=titles[i] if titles else None)
    rows[0].legend(loc="upper right", fontsize=7, ncols=2)
    rows[-1].set(xlabel="Time / µs", xlim=(time[0], time[-1]))
    return figure
