"""Pictures of traces with their picks: A-scans, those that are doubtful, and B-scans."""

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

if TYPE_CHECKING:
    from keras_usmae.picker.drawn import DrawnTrace, TimeGrid
    from keras_usmae.picker.gates import Gate

SIGNAL, LABEL, MISSING = "0.35", "tab:red", "0.85"
GATE_COLORS = ("tab:blue", "tab:orange", "tab:green", "tab:purple", "tab:cyan", "tab:brown")


def gate_color(gate: int) -> str:
    """Colour of a gate's picks in all pictures, from its number."""
    return GATE_COLORS[gate % len(GATE_COLORS)]


def plot_a_scans(traces: "list[DrawnTrace]", gates: "Sequence[Gate]", unit: str, zoom: float, title: str) -> Figure:
    """Draws traces with their picks, and beside each the part around its first pick.

    Args:
        traces: list of one or more `DrawnTrace`.
        gates: sequence of `Gate`, shaded unless they are open at both ends.
        unit: str. Unit of the amplitude, `""` where it is not stated.
        zoom: float. Length of a burst in s: the enlarged part is six times as long, and at most a third of the record.
    """
    figure = Figure(figsize=(12, 1.6 * len(traces) + 1.2), layout="constrained")
    figure.suptitle(f"{title}\nToF ± 95 % interval (confidence)", fontsize=11)
    rows = figure.subplots(len(traces), 2, width_ratios=[2.6, 1], squeeze=False)
    alike = len({(trace.time_us[0], trace.time_us[-1]) for trace in traces}) == 1
    for (whole, part), trace in zip(rows, traces, strict=True):
        for axes in (whole, part):
            _draw_trace(axes, trace, gates)
        whole.set_xlim(trace.time_us[0], trace.time_us[-1])
        whole.tick_params(labelbottom=not alike or trace is traces[-1])
        whole.set_title(_title(trace), fontsize=9, loc="left", pad=3)
        _draw_part(part, trace, zoom * 1e6)
    rows[-1, 0].set_xlabel("Time / µs")
    rows[-1, 1].set_xlabel("Time / µs (around the pick)")
    figure.supylabel(f"Amplitude / {unit}" if unit else "Amplitude (unit not stated)", fontsize=10)
    _draw_legend(figure, rows[:, 0])
    return figure


def _draw_trace(axes, trace, gates):
    signal = trace.signal - np.median(trace.signal)
    axes.plot(trace.time_us, signal, color=SIGNAL, linewidth=0.7)
    for number, gate in enumerate(gates):
        if math.isfinite(gate.start) or math.isfinite(gate.stop):
            start = max(gate.start * 1e6, trace.time_us[0])
            stop = min(gate.stop * 1e6, trace.time_us[-1])
            axes.axvspan(start, stop, color=gate_color(number), alpha=0.08, linewidth=0, label=_gate_name(gate))
    if np.isfinite(trace.label):
        axes.axvline(trace.label * 1e6, color=LABEL, linewidth=1.2, label="label")
    for tof, (low, high), gate in zip(trace.tof * 1e6, trace.interval * 1e6, trace.gate, strict=True):
        axes.axvspan(low, high, color=gate_color(gate), alpha=0.25, linewidth=0, label="95 % interval")
        axes.axvline(tof, color=gate_color(gate), linewidth=1.2, linestyle="--", label="pick")
    axes.tick_params(labelsize=8)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.margins(y=0.08)


def _gate_name(gate):
    return gate.name if gate.name.startswith("gate") else f"gate {gate.name}"


def _draw_part(axes, trace, zoom):
    if not len(trace.tof):
        axes.set_visible(False)
        return
    first = trace.tof[0] * 1e6
    zoom = min(zoom, (trace.time_us[-1] - trace.time_us[0]) / 18)  # else the part would be the whole
    low, high = max(first - 2 * zoom, trace.time_us[0]), min(first + 4 * zoom, trace.time_us[-1])
    axes.set_xlim(low, high)
    seen = trace.signal[(trace.time_us >= low) & (trace.time_us <= high)] - np.median(trace.signal)
    if seen.size and np.ptp(seen):
        axes.set_ylim(1.1 * min(seen.min(), 0), 1.1 * max(seen.max(), 0))


def _title(trace):
    half = np.ptp(trace.interval, axis=1) / 2 * 1e6
    picks = [
        f"{tof:.3f} ± {width:.3f} µs ({100 * confidence:.0f} %)"
        for tof, width, confidence in zip(trace.tof * 1e6, half, trace.confidence, strict=True)
    ]
    shown = picks[:2] + ([f"{len(picks) - 2} more"] if len(picks) > 2 else [])
    return textwrap.shorten("  |  ".join([trace.name, *shown, *filter(None, [trace.flag])]), 150, placeholder=" ...")


def _draw_legend(figure, rows):
    entries = {}
    for axes in rows:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    if entries:
        figure.legend(
            entries.values(), entries, loc="outside lower center", ncols=len(entries), fontsize=9, frameon=False
        )


def plot_b_scan(sections: list[dict], grid: "TimeGrid", gates: "Sequence[Gate]", dynamic_range: float = 60.0) -> Figure:
    """Draws one or two B-scans with the picks in them.

    Args:
        sections: list of dicts with `"title"`, `"label"` (of the axis of position, with unit) and `"lines"`, a list of
            `BScanLine` in order of position.
        grid: `TimeGrid` of the lines.
        gates: sequence of `Gate`.
        dynamic_range: float. dB from black to white. Defaults to `60.0`.
    """
    figure = Figure(figsize=(12, 0.5 + 5.0 * len(sections)), layout="constrained")
    rows = figure.subplots(len(sections), 1, sharex=True, squeeze=False)[:, 0]
    peak = max(np.nanmax(line.magnitude) for section in sections for line in section["lines"])
    for axes, section in zip(rows, sections, strict=True):
        lines = section["lines"]
        positions = np.array([line.position for line in lines], float)
        half = (positions[-1] - positions[0]) / max(2 * (len(lines) - 1), 1) or 0.5
        level = 20 * np.log10(np.maximum(np.stack([line.magnitude for line in lines]) / peak, 1e-6))
        image = axes.imshow(
            level,
            aspect="auto",
            extent=(grid.start * 1e6, grid.stop * 1e6, positions[-1] + half, positions[0] - half),
            cmap="gray",
            vmin=-dynamic_range,
            vmax=0,
            interpolation="nearest",
        )
        _draw_picks(axes, lines, positions, gates)
        axes.set(title=section["title"], ylabel=section["label"])
    rows[-1].set_xlabel("Time / µs")
    figure.colorbar(image, ax=rows, label="Magnitude / dB of the largest", pad=0.01, aspect=30)
    _draw_legend(figure, rows)
    return figure


def _draw_picks(axes, lines, positions, gates):
    size = float(np.clip(700 / len(lines), 1.5, 6))
    counts = [len(line.tof) for line in lines]
    tof = np.concatenate([line.tof for line in lines]) * 1e6
    number = np.concatenate([line.gate for line in lines])
    where = np.repeat(positions, counts)
    for i, gate in enumerate(gates):
        color = gate_color(i) if len(gates) > 1 else "tab:orange"
        mine = number == i
        name = f"pick, {gate.name}" if len(gates) > 1 else "pick"
        axes.plot(tof[mine], where[mine], ".", color=color, markersize=size, label=name)
        for edge in (gate.start, gate.stop):
            if math.isfinite(edge):
                axes.axvline(edge * 1e6, color=color, linewidth=1.0, linestyle="--", alpha=0.8)
