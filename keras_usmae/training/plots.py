"""Plots of a training: losses, and reconstructions. Axes are in microseconds."""

import numpy as np
from matplotlib.figure import Figure

_SIGNAL, _MODEL, _LABEL = "0.35", "tab:blue", "tab:red"


def plot_history(rows: list[dict], names: tuple[str, ...] = ("loss", "val_loss"), title: str = "Loss") -> Figure:
    """Draws logged values over the epochs.

    Args:
        rows: list of dicts as `read_history` gives them.
        names: tuple of str, values to draw. Defaults to `("loss", "val_loss")`.
    """
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    for name in names:
        axes.plot([row["epoch"] + 1 for row in rows], [row[name] for row in rows], marker=".", label=name)
    axes.set(xlabel="Epoch", ylabel=title)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def plot_reconstructions(
    signals: np.ndarray, result: dict, sampling_rate: float, titles: list[str] | None = None
) -> Figure:
    """Draws signals, a row for each, with the masked patches shaded and what the autoencoder put there.

    Args:
        signals: array of shape `(n, signal_length)`, standardised.
        result: dict from `MaskedAutoencoder.reconstruct`.
        sampling_rate: float, Hz.
        titles: optional list of `n` str.
    """
    time = np.arange(signals.shape[1]) / sampling_rate * 1e6
    figure = Figure(figsize=(9, 1.9 * len(signals)), layout="constrained")
    rows = np.atleast_1d(figure.subplots(len(signals), 1, sharex=True))
    for i, axes in enumerate(rows):
        masked = result["mask"][i] > 0
        axes.plot(time, signals[i], color=_SIGNAL, linewidth=0.8, label="signal")
        predicted = np.where(masked, result["reconstruction"][i], np.nan)
        axes.plot(time, predicted, color=_MODEL, linewidth=1.0, label="predicted in masked patches")
        low, high = axes.get_ylim()
        axes.fill_between(time, low, high, where=masked, color="0.92", linewidth=0, zorder=0, label="masked")
        axes.set(ylim=(low, high), ylabel="Amplitude / std", title=titles[i] if titles else None)
    rows[0].legend(loc="upper right", fontsize=7, ncols=3)
    rows[-1].set(xlabel="Time / µs", xlim=(time[0], time[-1]))
    return figure
