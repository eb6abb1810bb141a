"""Pictures of a run, as PNG files. Axes are in microseconds and nanoseconds."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from keras_usmae.files import written_whole

_SIGNAL, _MODEL, _LABEL = "0.35", "tab:blue", "tab:red"


def save_figure(figure, path):
    """Writes a figure as PNG, whole or not at all.

    Args:
        figure: `matplotlib.figure.Figure`.
        path: path of the file.

    Returns:
        `pathlib.Path` of the file.

    Example:

    ```python
    save_figure(plot_history(rows), "runs/mine/loss.png")
    ```
    """
    path = Path(path)
    with written_whole(path) as partial:
        figure.savefig(partial, format="png", dpi=130)
    return path


def plot_history(rows, names=("loss", "val_loss"), title="Loss"):
    """Draws logged values over the epochs.

    Args:
        rows: list of dicts as `read_history` gives them.
        names: tuple of str, values to draw. Defaults to `("loss", "val_loss")`.
        title: str, label of the vertical axis. Defaults to `"Loss"`.

    Returns:
        `matplotlib.figure.Figure`.

    Example:

    ```python
    plot_history(read_history("runs/mine/metrics.csv"))
    ```
    """
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    for name in names:
        axes.plot([row["epoch"] + 1 for row in rows], [row[name] for row in rows], marker=".", label=name)
    axes.set(xlabel="Epoch", ylabel=title)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def plot_reconstructions(signals, result, sampling_rate, titles=None):
    """Draws signals with the removed patches shaded, and what the autoencoder put there.

    Args:
        signals: array of shape `(n, signal_length)`, standardised.
        result: dict from `MaskedAutoencoder.reconstruct`.
        sampling_rate: float, Hz.
        titles: optional list of `n` str.

    Returns:
        `matplotlib.figure.Figure` with one row per signal.

    Example:

    ```python
    plot_reconstructions(signals[:4], mae.reconstruct(signals[:4]), sampling_rate=100e6)
    ```
    """
    time = np.arange(signals.shape[1]) / sampling_rate * 1e6
    figure = Figure(figsize=(9, 1.9 * len(signals)), layout="constrained")
    rows = np.atleast_1d(figure.subplots(len(signals), 1, sharex=True))
    for i, axes in enumerate(rows):
        removed = result["mask"][i] > 0
        axes.plot(time, signals[i], color=_SIGNAL, linewidth=0.8, label="signal")
        predicted = np.where(removed, result["reconstruction"][i], np.nan)
        axes.plot(time, predicted, color=_MODEL, linewidth=1.0, label="predicted in removed patches")
        low, high = axes.get_ylim()
        axes.fill_between(time, low, high, where=removed, color="0.92", linewidth=0, zorder=0, label="removed")
        axes.set(ylim=(low, high), ylabel="Amplitude / std", title=titles[i] if titles else None)
    rows[0].legend(loc="upper right", fontsize=7, ncols=3)
    rows[-1].set(xlabel="Time / µs", xlim=(time[0], time[-1]))
    return figure


def plot_tof_errors(onset, estimates, bin_width, sampling_rate):
    """Draws estimated against labelled time of flight, and the histogram of the errors, for several estimators.

    Args:
        onset: array of shape `(n,)`, labelled onsets in samples.
        estimates: dict from an estimator's name to its onsets of shape `(n,)`.
        bin_width: int, samples in a ToF class, drawn as the band that counts as right within one bin.
        sampling_rate: float, Hz.

    Returns:
        `matplotlib.figure.Figure`.

    Example:

    ```python
    plot_tof_errors(onset, {"network": classifier.predict_tof(signals)["onset"]}, 16, 100e6)
    ```
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


def plot_tof_examples(signals, onset, estimate, sampling_rate, titles=None):
    """Draws signals with the labelled and the estimated onset.

    Args:
        signals: array of shape `(n, signal_length)`.
        onset: array of shape `(n,)`, labelled onsets in samples.
        estimate: array of shape `(n,)`, estimated onsets in samples.
        sampling_rate: float, Hz.
        titles: optional list of `n` str.

    Returns:
        `matplotlib.figure.Figure` with one row per signal.

    Example:

    ```python
    plot_tof_examples(signals[:4], onset[:4], classifier.predict_tof(signals[:4])["onset"], 100e6)
    ```
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


def plot_cost(curves):
    """Draws what a step costs over batch size, size of the model and length of the signals, for each backend.

    Args:
        curves: dict of `"batch_size"`, `"preset"` and `"signal_length"`, each a dict from a backend's name to a list of
            points: dicts of that parameter, `"seconds"` and `"step_memory"` (bytes) of a step, and
            `"signals_per_second"`.

    Returns:
        `matplotlib.figure.Figure`.

    Example:

    ```python
    plot_cost(json.loads(Path("runs/benchmark/benchmark.json").read_text())["curves"])
    ```
    """
    panels = (
        ("batch_size", "signals_per_second", "Signals in a step", "Signals/s", 1),
        ("preset", "signals_per_second", "Preset", "Signals/s", 1),
        ("signal_length", "seconds", "Samples in a signal", "Time of a step in s", 1),
        ("signal_length", "step_memory", "Samples in a signal", "Memory of a step in MiB", 2**20),
    )
    figure = Figure(figsize=(10, 6.4), layout="constrained")
    for axes, (parameter, value, xlabel, ylabel, unit) in zip(figure.subplots(2, 2).flat, panels, strict=True):
        for backend, points in curves[parameter].items():
            x = [point[parameter] for point in points]
            axes.plot(x, [point[value] / unit for point in points], marker="o", label=backend)
        axes.set(xlabel=xlabel, ylabel=ylabel, yscale="log")
        if parameter != "preset":
            axes.set_xscale("log", base=2)
            axes.set_xticks(x, [f"{number:,}" for number in x])
        axes.grid(alpha=0.3)
    axes.legend()
    return figure
