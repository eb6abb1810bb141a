"""Pictures of what an autoencoder knows: impossible bursts filled in, and attention. Axes are in microseconds."""

import numpy as np
from matplotlib.figure import Figure

_SIGNAL, _MODEL, _LINE, _LABEL = "0.35", "tab:blue", "tab:orange", "tab:red"


def plot_filled_in(kept, kinds, masks, sampling_rate):
    """Draws possible and impossible bursts with the masked patches shaded, and what was filled in.

    Args:
        kept: dict of arrays: `signals` `(num_kinds, signal_length)`; `onset` and `jump`, samples; and for each mask
            `removed_MASK` `(num_patches,)`, and `mae_MASK` and `linear_MASK` of the shape of `signals`.
        kinds: tuple of str, names of the rows.
        masks: tuple of str, names of the columns.
        sampling_rate: float, Hz.

    Returns:
        `matplotlib.figure.Figure` with a row for each kind and a column for each mask, around the burst.

    Example:

    ```python
    plot_filled_in(dict(np.load("runs/ablate/physics_pictures.npz")), BURST_KINDS, MASKS, 100e6)
    ```
    """
    time = np.arange(kept["signals"].shape[1]) / sampling_rate * 1e6
    onset, jump = kept["burst_start"] / sampling_rate * 1e6, kept["jump"] / sampling_rate * 1e6
    figure = Figure(figsize=(11, 1.7 * len(kinds)), layout="constrained")
    grid = figure.subplots(len(kinds), len(masks), sharex=True, squeeze=False)
    for row, kind in enumerate(kinds):
        signal = kept["signals"][row]
        limit = 1.25 * np.abs(signal).max()
        for axes, mask in zip(grid[row], masks, strict=True):
            removed = np.repeat(kept[f"removed_{mask}"], len(time) // len(kept[f"removed_{mask}"]))
            axes.fill_between(time, -limit, limit, where=removed, step="post", color="0.92", linewidth=0, zorder=0)
            axes.plot(time, signal, color=_SIGNAL, linewidth=0.9, label="signal")
            for name, color, label in (("linear", _LINE, "linear interpolation"), ("mae", _MODEL, "autoencoder")):
                filled = np.where(removed, kept[f"{name}_{mask}"][row], np.nan)
                axes.plot(time, filled, color=color, linewidth=1.2, label=label)
            if kind not in ("possible", "reversed"):
                axes.axvline(jump, color=_LABEL, linewidth=0.8, linestyle="--", label="jump")
            axes.set(ylim=(-limit, limit), xlim=(onset - 1.5, onset + 4.5), yticks=[])
        grid[row, 0].set_ylabel(kind)
    for axes, mask in zip(grid[0], masks, strict=True):
        axes.set_title(f"{mask} mask, masked patches shaded")
    for axes in grid[-1]:
        axes.set_xlabel("Time / µs")
    handles, labels = grid[1 if len(kinds) > 1 else 0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return figure


def plot_physics_errors(relative, methods):
    """Draws the error on bursts of each kind as a share of that of predicting nothing, with its spread over seeds.

    Args:
        relative: dict from a method to a mask to a kind to a list of dicts with shares named `burst` (all removed
            patches of the burst) and `before` (those that end before the jump), one for each seed.
        methods: list of str, the methods to draw.

    Returns:
        `matplotlib.figure.Figure` with a row for each kind of patches and a column for each mask.

    Example:

    ```python
    plot_physics_errors(relative_errors(rows), ["pre-trained", "linear"])  # of recipes/physics.py
    ```
    """
    masks = list(relative[methods[0]])
    figure = Figure(figsize=(5.6 * len(masks), 6.6), layout="constrained")
    grid = figure.subplots(2, len(masks), sharex=True, sharey=True, squeeze=False)
    for row, (region, label) in zip(grid, {"burst": "whole burst", "before": "before the jump"}.items(), strict=True):
        for axes, mask in zip(row, masks, strict=True):
            for i, method in enumerate(methods):
                _draw_shares(axes, relative[method][mask], region, method, 0.12 * (i - (len(methods) - 1) / 2))
            axes.axhline(1, color="0.3", linewidth=0.8, linestyle="--", label="predicting nothing")
            axes.set(title=f"{mask} mask, {label}", yscale="log")
            axes.grid(alpha=0.3, axis="y")
    for axes in grid[-1]:
        kinds = relative[methods[0]][masks[0]]
        axes.set_xticks(range(len(kinds)), list(kinds))
    figure.supylabel("Error on masked patches of the burst / that of predicting nothing", fontsize=10)
    entries = grid[0, 0].get_legend_handles_labels()
    figure.legend(*entries, loc="outside lower center", ncols=len(methods) + 1, frameon=False)
    return figure


def _draw_shares(axes, kinds, region, method, offset):
    # Nothing jumps in a reversed burst.
    drawn = {i: kind for i, kind in enumerate(kinds) if (region, kind) != ("before", "reversed")}
    shares = [[row[region] for row in kinds[kind]] for kind in drawn.values()]
    spread = [np.std(values, ddof=1) if len(values) > 1 else 0.0 for values in shares]
    color = {
        "pre-trained": _MODEL,
        "random weights": "0.6",
        "burst fit": _LABEL,
        "linear": _LINE,
        "spline": "tab:green",
    }.get(method)
    mean = [np.mean(values) for values in shares]
    axes.errorbar([i + offset for i in drawn], mean, spread, fmt="o", capsize=3, color=color, label=method)


def plot_attention_distance(distances, uniform, num_layers, sampling_rate):
    """Draws the attention distance of each head over the layers.

    Args:
        distances: dict from an encoder's name to an array of shape `(num_layers, num_heads)`, in samples.
        uniform: float, the distance that uniform attention gives, in samples.
        num_layers: int.
        sampling_rate: float, Hz.

    Example:

    ```python
    distance = attention_distance(attention_maps(encoder, signals), encoder.patch_size)
    plot_attention_distance({"pre-trained": distance}, 682.5, encoder.num_layers, 100e6)
    ```
    """
    microseconds = 1e6 / sampling_rate
    figure = Figure(figsize=(6, 3.8), layout="constrained")
    axes = figure.subplots()
    for i, (name, distance) in enumerate(distances.items()):
        layers = np.arange(num_layers) + 0.14 * (i - (len(distances) - 1) / 2)
        color = (_MODEL, "0.6", _LINE)[i % 3]
        (points, *_) = axes.plot(layers, np.asarray(distance) * microseconds, "o", color=color, alpha=0.8)
        points.set_label(f"{name}, a head each")
    axes.axhline(uniform * microseconds, color=_LABEL, linewidth=0.9, linestyle="--", label="uniform attention")
    axes.set_xticks(range(num_layers))
    axes.set(xlabel="Layer", ylabel="Attention distance / µs", xlim=(-0.5, num_layers - 0.5))
    axes.set_ylim(bottom=0)
    second = axes.secondary_yaxis("right", functions=(lambda y: y / microseconds, lambda y: y * microseconds))
    second.set_ylabel("samples")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def plot_attention(signal, attention, query, sampling_rate):
    """Draws a signal, and below it what one of its patches attends to in each layer.

    Args:
        signal: array of shape `(signal_length,)`.
        attention: array of shape `(num_layers, num_patches)`, from the query patch, mean over the heads.
        query: int, index of the query patch, which is shaded.
        sampling_rate: float, Hz.

    Returns:
        `matplotlib.figure.Figure` with a row for the signal and one for each layer.

    Example:

    ```python
    maps = attention_maps(encoder, signals[:1])
    plot_attention(signals[0], maps[:, 0, :, query].mean(axis=1), query, 100e6)
    ```
    """
    num_layers, num_patches = attention.shape
    edges = np.linspace(0, len(signal), num_patches + 1) / sampling_rate * 1e6
    figure = Figure(figsize=(9, 1.6 + 1.0 * num_layers), layout="constrained")
    top, *rows = figure.subplots(num_layers + 1, 1, sharex=True, height_ratios=[1.6] + [1] * num_layers)
    top.plot(np.arange(len(signal)) / sampling_rate * 1e6, signal, color=_SIGNAL, linewidth=0.8)
    top.set(ylabel="signal", yticks=[], title="Attention of the shaded patch, where the burst starts (mean over heads)")
    for layer, axes in enumerate(rows):
        axes.stairs(attention[layer], edges, fill=True, color=_MODEL, alpha=0.8)
        axes.axhline(1 / num_patches, color=_LABEL, linewidth=0.8, linestyle="--", label="uniform")
        axes.set(ylabel=f"layer {layer}", ylim=(0, 1.1 * max(attention[layer].max(), 2 / num_patches)))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    for axes in (top, *rows):
        axes.axvspan(edges[query], edges[query + 1], color=_LINE, alpha=0.3, linewidth=0)
    rows[0].legend(loc="upper right", fontsize=7)
    rows[-1].set(xlabel="Time / µs", xlim=(edges[0], edges[-1]))
    return figure
