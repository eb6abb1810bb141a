"""Pictures of a search."""

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure


def plot_parallel_coordinates(rows: list[dict], settings: tuple[str, ...], objective: tuple) -> Figure:
    """Draws a line for each trial through its settings to its score, coloured by the score.

    Args:
        rows: list of dicts of completed trials, with the settings and the score; `""`, drawn as a dash at the foot,
            where a setting is not in force.
        settings: tuple of str, settings to draw, an axis each; those with one value only are left out.
        objective: tuple of the score's name and `"min"` or `"max"`.
    """
    name, direction = objective
    varied = [setting for setting in settings if len({row[setting] for row in rows}) > 1]
    figure = Figure(figsize=(max(6.0, 1.3 * (len(varied) + 1)), 4.6), layout="constrained")
    axes = figure.subplots()
    score = np.array([row[name] for row in rows], "float64")
    # By rank: one bad trial would leave all others the same colour.
    goodness = np.argsort(np.argsort(score if direction == "max" else -score)) / max(1, len(rows) - 1)
    places = np.stack(
        [_positions(axes, x, [row[setting] for row in rows]) for x, setting in enumerate([*varied, name])], axis=1
    )
    for number in np.argsort(goodness):
        best = goodness[number] == 1.0
        color = colormaps["viridis"](goodness[number])
        axes.plot(places[number], color=color, linewidth=2.4 if best else 1.0, alpha=1.0 if best else 0.6)
    for x in range(len(varied) + 1):
        axes.axvline(x, color="0.7", linewidth=0.8, zorder=0)
    axes.set_xticks(range(len(varied) + 1), [*varied, name], rotation=30, ha="right")
    axes.set(yticks=[], ylim=(-0.05, 1.05), xlim=(-0.2, len(varied) + 0.5), title=f"{len(rows)} trials, the best bold")
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    return figure


def plot_pareto(
    rows: list[dict], front: list, objective: tuple, cost: str = "flash", budget: int | None = None
) -> Figure:
    """Draws the score of each trial against its cost, and the trials that nothing else beats in both.

    Args:
        rows: list of dicts of completed trials with the score and the cost (bytes, or multiply-accumulates).
        front: list of those of the rows that are on the front, from the cheapest on.
        objective: tuple of the score's name and `"min"` or `"max"`.
        cost: str, `"flash"`, `"arena"` or `"macs"`. Defaults to `"flash"`.
        budget: int or `None`, drawn as a line. Defaults to `None`.
    """
    name, direction = objective
    scale, unit = (1e6, "million multiply-accumulates") if cost == "macs" else (1e3, f"{cost} / kB, int8")
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.scatter([row[cost] / scale for row in rows], [row[name] for row in rows], s=18, color="0.6", label="trial")
    x, y = [row[cost] / scale for row in front], [row[name] for row in front]
    axes.step(x, y, where="post", marker="o", markersize=5, color="tab:blue", label="best at this size")
    for row, x_, y_ in zip(front, x, y, strict=True):
        axes.annotate(row["trial"], (x_, y_), textcoords="offset points", xytext=(4, 5), fontsize=7)
    if budget is not None:
        axes.axvline(budget / scale, color="tab:red", linestyle="--", linewidth=1.0, label="budget")
    values = np.array([row[name] for row in rows], "float64")
    if values.min() > 0 and values.max() > 20 * values.min():
        axes.set_yscale("log")
    axes.set(xlabel=unit, ylabel=f"{name} ({'less' if direction == 'min' else 'more'} is better)")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def _positions(axes, x, values):
    """Heights from 0 to 1 of values on the axis at `x`, whose ticks are written beside it."""
    present = [value for value in values if value != ""]
    names = not all(isinstance(value, int | float) and not isinstance(value, bool) for value in present)
    distinct = sorted(set(present), key=str if names else float)
    if names or len(distinct) <= 6:
        height = {value: (i + 0.5) / len(distinct) for i, value in enumerate(distinct)}.__getitem__
        marks = distinct
    else:
        low, high = distinct[0], distinct[-1]
        if low > 0 and high > 20 * low:
            height, middle = (lambda value: np.log(value / low) / np.log(high / low)), np.sqrt(low * high)
        else:
            height, middle = (lambda value: (value - low) / (high - low)), (low + high) / 2
        marks = [float(low), float(middle), float(high)]
    # A dash at the foot for trials in which the setting is not in force.
    foot = 0.15 if len(present) < len(values) else 0.0
    ticks = [(foot + (1 - foot) * height(mark), _short(mark)) for mark in marks]
    for place, text in ticks + ([(0.0, "–")] if foot else []):
        axes.text(x + 0.03, place, text, fontsize=7, va="center", bbox={"color": "white", "alpha": 0.6, "pad": 0.5})
    return np.array([0.0 if value == "" else foot + (1 - foot) * height(value) for value in values])


def _short(value):
    return f"{value:.3g}" if isinstance(value, float) else str(value)
