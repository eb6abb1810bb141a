"""The table of integer files on the page of microcontrollers, from what `recipes/experiments/exports.py` wrote."""

from recipes.experiments.csv_rows import cell, line, read_rows
from recipes.experiments.exports_report import KERAS, groups

HEAD = ("model", "file", "runs", "within 1 bin (%)", "mean error (samples)", "as Keras (%)", "bytes", "arena bytes")


def exports():
    """Lines of the table: mean and standard deviation over the runs of each model."""
    yield line(HEAD)
    yield "|" + "---|" * len(HEAD)
    for (preset, kind, labels, file), mine in groups(read_rows("exports")):
        trained = "ready picker" if kind == "detector" else f"{labels:.0f} labels"
        scores = [cell(mine, "within_one_bin", "{:.2f}", 100), cell(mine, "mean_error_samples", "{:.2f}")]
        same = "" if file == KERAS else cell(mine, "same_bin", "{:.1f}", 100)
        sizes = [f"{max(row[key] for row in mine):,.0f}" if key in mine[0] else "" for key in ("bytes", "arena_bytes")]
        yield line([f"`{preset}`, {trained}", file, len(mine), *scores, same, *sizes])
