"""Pictures of what was measured: C-scans, profiles along a line, histograms."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from keras_usmae.picker.plots import MISSING, gate_color

if TYPE_CHECKING:
    from keras_usmae.picker.scan import Scan

_MAX_POINTS = 20_000


@dataclasses.dataclass(frozen=True, eq=False)
class Measured:
    """A quantity of the traces: what a map, a profile and a histogram show.

    Args:
        title: str, such as `"ToF, front"`.
        label: str, with the unit, such as `"ToF / µs"`.
        number: int array of shape `(k,)`, numbers of the traces, rising. Of several echoes of a trace, a map shows the
            first.
        value: float array of shape `(k,)`, NaN where there is none.
        interval: float array of shape `(k, 2)` or `None`.
        gate: int. Number of the gate, which decides the colour. Defaults to `0`.
        colors: str. Matplotlib's name of the map's colours. Defaults to `"viridis"`.
    """

    title: str
    label: str
    number: np.ndarray
    value: np.ndarray
    interval: np.ndarray | None = None
    gate: int = 0
    colors: str = "viridis"


def plot_c_scan(scan: "Scan", measured: list[Measured]) -> Figure:
    """Draws maps of a scan; traces without a value are grey.

    The colours span 1 % to 99 % of the values, so that a few wild ones do not flatten the map; the colour bar's pointed
    ends say that there are such.
    """
    left, right, bottom, top = scan.extent()
    wide = (right - left) / (top - bottom)
    equal = 1 / 8 < wide < 8
    # High maps stand beside each other. Of an odd number of others, the first, which was asked for, has its own row.
    most = 3 if wide < 1.2 else 2
    columns = 1 if len(measured) <= 2 and wide > 1.5 else min(len(measured), most)
    whole = columns == 2 and len(measured) % 2 == 1
    spans = [columns if whole and i == 0 else 1 for i in range(len(measured))]
    width = {1: 9.0, 2: 12.5, 3: 15.0}[columns]
    # A row is as high as its map needs beside colour bar and labels, so that no figure has empty margins.
    places, heights = _places(spans, columns), []
    for (_, column), span in zip(places, spans, strict=True):
        if column == 0:
            wanted = (width * span / columns - 1.6) / wide if equal else 4.0
            heights.append(float(np.clip(wanted, 1.2, 7.0)) + 0.8)
    figure = Figure(figsize=(width, sum(heights) + 0.2), layout="constrained")
    grid_spec = figure.add_gridspec(len(heights), columns, height_ratios=heights)
    panels = [
        figure.add_subplot(grid_spec[row, column : column + span])
        for (row, column), span in zip(places, spans, strict=True)
    ]
    some_missing = False
    for axes, quantity in zip(panels, measured, strict=True):
        number, first = np.unique(quantity.number, return_index=True)
        grid = scan.to_map(number, quantity.value[first])
        some_missing |= bool(np.isnan(grid).any())
        low, high, extend = _limits(grid)
        axes.set_facecolor(MISSING)
        image = axes.imshow(
            grid.T,
            origin="lower",
            extent=(left, right, bottom, top),
            aspect="equal" if equal else "auto",
            cmap=quantity.colors,
            vmin=low,
            vmax=high,
            interpolation="nearest",
        )
        figure.colorbar(image, ax=axes, label=quantity.label, extend=extend, pad=0.01)
        axes.set(title=quantity.title, xlabel=scan.labels[0], ylabel=scan.labels[1])
        if not scan.step:
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_locator(MaxNLocator(integer=True))
    if some_missing:
        figure.supxlabel("grey: no pick", fontsize=9, color="0.4")
    return figure


def _places(spans, columns):
    """Row and column of each panel, from how many columns each takes."""
    cells = np.cumsum([0, *spans[:-1]])
    return [divmod(int(cell), columns) for cell in cells]


def plot_profile(scan: "Scan", measured: list[Measured]) -> Figure:
    """Draws quantities along a line of traces, with their 95 % intervals.

    Args:
        measured: list of `Measured`; those of one label share a panel.
    """
    labels = list(dict.fromkeys(quantity.label for quantity in measured))
    figure = Figure(figsize=(12, 3.0 * len(labels) + 0.4), layout="constrained")
    panels = figure.subplots(len(labels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, label in zip(panels, labels, strict=True):
        mine = [quantity for quantity in measured if quantity.label == label]
        for quantity in mine:
            _draw_profile(axes, scan, quantity)
        # By the values alone: one wild interval must not flatten all else.
        low, high, _ = _limits(np.concatenate([quantity.value for quantity in mine]), 0.0)
        room = 0.25 * (high - low)
        axes.set(ylabel=label, ylim=(low - room, high + room))
        axes.grid(alpha=0.3)
        axes.margins(x=0.01)
        if len(mine) > 1:
            axes.legend(fontsize=8, loc="best")
        else:
            axes.set_title(mine[0].title)
    panels[-1].set_xlabel("trace" if scan.shape else scan.labels[-1])
    if not scan.step:
        panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _draw_profile(axes, scan, quantity):
    # So many points as no picture can show would only make the file slow to open.
    step = max(-(-len(quantity.number) // _MAX_POINTS), 1)
    number, value = quantity.number[::step], quantity.value[::step]
    where = number if scan.shape else scan.place(number, 0)
    color = gate_color(quantity.gate)
    if quantity.interval is not None:
        low, high = quantity.interval[::step].T
        axes.vlines(where, low, high, color=color, alpha=0.25, linewidth=1.0)
    size = float(np.clip(1200 / max(len(number), 1), 1.5, 7))
    axes.plot(where, value, ".", color=color, markersize=size, label=quantity.title)


def plot_histogram(measured: list[Measured], confidence: np.ndarray, min_confidence: float | None) -> Figure:
    """Draws how the quantities are distributed, and the confidence of the picks.

    Args:
        measured: list of one or more `Measured`.
        confidence: float array, of all picks.
        min_confidence: float or `None`, drawn as the edge below which picks were dropped.
    """
    count = len(measured) + 1
    columns = 2 if count == 4 else min(count, 3)
    rows = -(-count // columns)
    figure = Figure(figsize=(4.2 * columns, 3.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, quantity in zip(panels, measured, strict=False):
        _draw_histogram(axes, quantity)
    axes = panels[len(measured)]
    axes.hist(confidence[np.isfinite(confidence)], bins=np.linspace(0, 1, 41), color="0.45")
    if min_confidence is not None:
        axes.axvline(
            min_confidence, color="tab:red", linestyle="--", linewidth=1.0, label=f"least: {min_confidence:.2f}"
        )
        axes.legend(fontsize=8)
    axes.set(xlabel="Confidence", ylabel="Picks", title="Confidence", xlim=(0, 1))
    for axes in panels[count:]:
        axes.remove()
    return figure


def _draw_histogram(axes, quantity):
    known = quantity.value[np.isfinite(quantity.value)]
    low, high, _ = _limits(known)
    room = 0.1 * (high - low)
    bins = np.linspace(low - room, high + room, 61)
    axes.hist(known, bins=bins, color=gate_color(quantity.gate))
    outside = int(np.sum((known < bins[0]) | (known > bins[-1])))
    title = quantity.title + (f"\n{outside:,} of {known.size:,} outside of the picture" if outside else "")
    several = len(np.unique(quantity.number)) < len(quantity.number)
    axes.set(xlabel=quantity.label, ylabel="Echoes" if several else "Traces", title=title)
    if known.size and not several:  # of different echoes, a median would be between them
        median, digits = np.median(known), max(0, 2 - int(np.floor(np.log10(high - low))))
        axes.axvline(median, color="0.2", linewidth=1.0, linestyle="--", label=f"median {median:.{digits}f}")
        axes.legend(fontsize=8)


def _limits(values, share=0.01):
    """Ends of a scale of colours, and to which sides values lie beyond them."""
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, 1.0, "neither"
    low, high = np.quantile(known, [share, 1 - share])
    if low == high:
        room = 0.005 * abs(low) or 0.5
        low, high = low - room, high + room
    below, above = bool((known < low).any()), bool((known > high).any())
    return (
        low,
        high,
        {(False, False): "neither", (True, False): "min", (False, True): "max"}.get((below, above), "both"),
    )
