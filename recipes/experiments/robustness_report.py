"""Page and picture of `robustness.py`: ratios to the bound, and where an error doubles."""

import itertools

import numpy as np
from matplotlib.figure import Figure

from keras_usmae.files import write_text

UNITS = {
    "snr": "SNR (dB)",
    "snr, one pulse": "SNR (dB), one pulse",
    "scale": "cycles a sample, factor",
    "clipping": "peak over full scale (dB)",
    "echoes": "later echoes, at most",
    "grain": "burst over grain (dB)",
}
# What a sweep is compared with, and to which sides it gets harder from there.
STARTS = {"snr": 30, "snr, one pulse": 30, "scale": 1, "clipping": 0, "echoes": 0, "grain": 40}
FAR_SHARE = 0.01


def group(rows, sweep, estimator, key):
    """Values of a sweep, and mean and standard deviation over the seeds of a score; NaN where nothing was found."""
    mine = [row for row in rows if row["sweep"] == sweep and row["estimator"] == estimator]
    values = sorted({row["value"] for row in mine})
    found = [[row[key] if row[key] != "" else np.nan for row in mine if row["value"] == value] for value in values]
    spread = [np.std(each, ddof=1) if len(each) > 1 else np.nan for each in found]
    return np.array(values), np.array([np.mean(each) for each in found]), np.array(spread)


def crossing(values, scores, start, limit, side):
    """Where a score first exceeds a limit on the way from the start to a side, by interpolation; `None` if nowhere."""
    order = np.argsort(values)
    values, scores = values[order], scores[order]
    away = values <= start if side < 0 else values >= start
    values, scores = (each[away][::-1] if side < 0 else each[away] for each in (values, scores))
    if not scores[0] <= limit:
        return float(values[0])
    for (x0, y0), (x1, y1) in itertools.pairwise(zip(values, scores, strict=True)):
        if not y1 <= limit:
            if not np.isfinite(y1) or y1 == y0:
                return float(x1)
            return float(x0 + (x1 - x0) * np.clip((limit - y0) / (y1 - y0), 0, 1))
    return None


def sides(sweep):
    """To which sides of its start a sweep gets harder."""
    return (-1, 1) if sweep == "scale" else (-1,) if sweep.startswith("snr") or sweep == "grain" else (1,)


def ratio_table(rows, sweep):
    """Lines: sigma and RMSE of each estimator over the bound, and the share that is far."""
    names = list(dict.fromkeys(row["estimator"] for row in rows if row["sweep"] == sweep))
    yield f"| {UNITS[sweep]} | bound (samples) | " + " | ".join(names) + " |"
    yield "| " + " | ".join(["---"] * (len(names) + 2)) + " |"
    scores = {
        name: {key: group(rows, sweep, name, key) for key in ("sigma_ratio", "rmse_ratio", "far")} for name in names
    }
    bound = group(rows, sweep, names[0], "bound")
    for number, value in enumerate(bound[0]):
        cells = [f"{value:g}", f"{bound[1][number]:.3f}"]
        for name in names:
            (sigma, spread), (rmse, _), (far, _) = (each[1:3, number] for each in map(np.array, scores[name].values()))
            errors = f"{sigma:.1f} ± {spread:.1f}, {rmse:.3g}, " if np.isfinite(sigma) else ""
            cells.append(f"{errors}{100 * far:.1f} %")
        yield "| " + " | ".join(cells) + " |"


def error_table(rows, sweep):
    """Lines: median error of each estimator in samples, and the share that is far."""
    names = list(dict.fromkeys(row["estimator"] for row in rows if row["sweep"] == sweep))
    yield f"| {UNITS[sweep]} | " + " | ".join(names) + " |"
    yield "| " + " | ".join(["---"] * (len(names) + 1)) + " |"
    scores = {name: [group(rows, sweep, name, key) for key in ("median_error", "far")] for name in names}
    for number, value in enumerate(scores[names[0]][0][0]):
        cells = [f"{value:g}"]
        for name in names:
            (_, median, spread), (_, far, _) = scores[name]
            error = f"{median[number]:.2f} ± {spread[number]:.2f}, " if np.isfinite(median[number]) else ""
            cells.append(f"{error}{100 * far[number]:.1f} %")
        yield "| " + " | ".join(cells) + " |"


def doubling_table(rows):
    """Lines: where the median error of each estimator is twice that of the start, and where 1 % are far."""
    sweeps = [sweep for sweep in UNITS if any(row["sweep"] == sweep for row in rows)]
    columns = [(sweep, side) for sweep in sweeps for side in sides(sweep)]
    names = list(dict.fromkeys(row["estimator"] for row in rows))
    yield (
        "| estimator | "
        + " | ".join(f"{UNITS[sweep]}, {'down' if side < 0 else 'up'}" for sweep, side in columns)
        + " |"
    )
    yield "| " + " | ".join(["---"] * (len(columns) + 1)) + " |"
    for name in names:
        cells = [name]
        for sweep, side in columns:
            values, median, _ = group(rows, sweep, name, "median_error")
            if not len(values):
                cells.append("-")
                continue
            far = group(rows, sweep, name, "far")[1]
            start = STARTS[sweep]
            double = crossing(values, median, start, 2 * median[values == start][0], side)
            lost = crossing(values, far, start, FAR_SHARE, side)
            end = values.min() if side < 0 else values.max()
            told = ("not to " + f"{end:g}" if place is None else f"{place:.3g}" for place in (double, lost))
            told = [
                text if place != start else "at the start" for text, place in zip(told, (double, lost), strict=True)
            ]
            cells.append("; ".join(told))
        yield "| " + " | ".join(cells) + " |"


def write_report(rows, folder, text):
    """Writes the page, and draws the picture.

    Args:
        rows: list of dicts, of the CSV.
        folder: `pathlib.Path`.
        text: str, what was done.

    Returns:
        A tuple of the `matplotlib.figure.Figure` and the path of the page.
    """
    seeds, records = len({row["seed"] for row in rows}), int(rows[0]["records"])
    lines = ["# Robustness on synthetic bursts", "", text, ""]
    lines += [f"{seeds} seeds of {records} records for each setting; mean and standard deviation over the seeds.", ""]
    lines += ["## Where the error doubles", ""]
    lines += [
        "Where the median error is twice that of the start (SNR 30 dB, scale 1, no clipping, no later echo, grain 40 dB"
    ]
    lines += [
        "below); and behind the semicolon where 1 % of the records are far or missed. Between settings by a line.",
        "",
    ]
    lines += [*doubling_table(rows), ""]
    for sweep in UNITS:
        if not any(row["sweep"] == sweep for row in rows):
            continue
        lines += [f"## {UNITS[sweep]}", ""]
        if sweep.startswith("snr"):
            lines += ["Sigma, the median error / 0.6745, over the bound; RMSE over the bound; far or missed.", ""]
            lines += [*ratio_table(rows, sweep), ""]
        else:
            lines += ["Median error in samples; far or missed.", "", *error_table(rows, sweep), ""]
    write_text(folder / "robustness.md", "\n".join(lines))
    return draw(rows), folder / "robustness.md"


def draw(rows):
    """A panel for each sweep: the ratio to the bound over SNR, the median error over the others."""
    sweeps = [sweep for sweep in UNITS if any(row["sweep"] == sweep for row in rows)]
    figure = Figure(figsize=(13, 3.9 * -(-len(sweeps) // 3)), layout="constrained")
    grid = figure.subplots(-(-len(sweeps) // 3), 3, squeeze=False).ravel()
    colors: dict = {}
    for axes, sweep in itertools.zip_longest(grid, sweeps):
        if sweep is None:
            axes.axis("off")
            continue
        key = "sigma_ratio" if sweep.startswith("snr") else "median_error"
        for name in dict.fromkeys(row["estimator"] for row in rows if row["sweep"] == sweep):
            values, mean, spread = group(rows, sweep, name, key)
            base = name.partition(" at scale")[0].partition(" by its")[0]
            color = colors.setdefault(base, f"C{len(colors)}")
            style = "--" if name.endswith("at scale 1") else "-"
            axes.plot(values, mean, style, color=color, marker="o", markersize=3, label=name)
            axes.fill_between(values, mean - spread, mean + spread, color=color, alpha=0.15)
        axes.set_yscale("log")
        if sweep == "scale":
            axes.set_xscale("log", base=2)
        if sweep == "grain":
            axes.invert_xaxis()
        if key == "sigma_ratio":
            axes.axhline(1, color="0.5", linewidth=1)
            axes.axhline(2, color="0.5", linewidth=1, linestyle=":")
        axes.set(
            xlabel=UNITS[sweep], ylabel="Sigma over the bound" if key == "sigma_ratio" else "Median error (samples)"
        )
        axes.grid(alpha=0.3)
        axes.legend(fontsize=6)
    return figure
