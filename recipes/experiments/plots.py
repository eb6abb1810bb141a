"""Pictures of experiments with several methods and seeds."""

import itertools

import numpy as np
from matplotlib.figure import Figure


def plot_curves(groups, x, value, label, scale=1.0):
    """Draws a curve for each method, with its standard deviation over the seeds.

    Args:
        groups: list of dicts as `summarize` gives them, with `"method"`, `x`, and mean and spread of `value`.
        x: str, key of the horizontal axis, drawn to a logarithmic scale; `0` has a place of its own at its left. What
            is there at `0` alone does not depend on it and is drawn as a broken line.
        value: str, name of the value.
        label: str, label of the vertical axis.
        scale: float, factor of the value. Defaults to `1.0`.

    Example:

    ```python
    plot_curves(summarize(rows, ("method", "labels"), ("test_accuracy",)), "labels", "test_accuracy", "Top-1")
    ```
    """
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    styles = itertools.cycle(("--", ":", "-."))
    curves = {group["method"] for group in groups if group[x]}
    places = sorted({group[x] for group in groups if group["method"] in curves})
    smallest = min([place for place in places if place > 0], default=1)
    for method in dict.fromkeys(group["method"] for group in groups):
        members = sorted((group for group in groups if group["method"] == method), key=lambda group: group[x])
        at = [member[x] or smallest / 2 for member in members]
        mean = scale * np.array([member[f"{value}_mean"] for member in members])
        spread = scale * np.nan_to_num([member[f"{value}_std"] for member in members])
        if not any(member[x] for member in members):
            axes.axhline(mean[0], linestyle=next(styles), linewidth=1, color="0.4", label=method)
            continue
        # Colours come again after ten curves.
        look = "o-" if len(axes.lines) < 10 else "s--"
        (line,) = axes.plot(at, mean, look, markersize=4, label=method)
        axes.fill_between(at, mean - spread, mean + spread, alpha=0.15, color=line.get_color())
    axes.set_xscale("log")
    axes.set_xticks([place or smallest / 2 for place in places], [f"{place:,.10g}" for place in places])
    axes.minorticks_off()
    axes.set(xlabel=x.capitalize(), ylabel=label)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def plot_scatter(groups, x, values):
    """Draws groups as named points, a panel for each value, with the standard deviation over the seeds.

    Args:
        groups: list of dicts as `summarize` gives them, with `"method"`, and mean and spread of each value.
        x: tuple of the name of the value on the horizontal axis, its label, and a factor.
        values: list of such tuples, one for each panel.

    Example:

    ```python
    plot_scatter(groups, ("reconstruction_loss", "Loss", 1.0), [("test_accuracy", "Top-1 (%)", 100.0)])
    ```
    """
    figure = Figure(figsize=(5.5 * len(values), 4.2), layout="constrained")
    name, label, scale = x
    for axes, (value, title, factor) in zip(np.atleast_1d(figure.subplots(1, len(values))), values, strict=True):
        for group in groups:
            axes.errorbar(
                scale * group[f"{name}_mean"],
                factor * group[f"{value}_mean"],
                factor * np.nan_to_num(group[f"{value}_std"]),
                marker="o",
                capsize=3,
                linestyle="none",
                label=group["method"],
            )
        axes.set(xlabel=label, ylabel=title)
        axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure
