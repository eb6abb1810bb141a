"""The table of integer files on the page of microcontrollers, from what `recipes/experiments/exports.py` wrote."""

from recipes.experiments.csv_rows import cell, line, read_rows

HEAD = ("model", "file", "runs", "within 1 bin (%)", "mean error (samples)", "as Keras (%)", "bytes", "arena bytes")


def exports():
    """Lines of the table: mean and standard deviation over five runs of each model."""
    yield line(HEAD)
    yield "|" + "---|" * len(HEAD)
    rows = read_rows("exports")
    keys = ("preset", "model", "labels", "file")
    for group in dict.fromkeys(tuple(row[key] for key in keys) for row in rows):
        mine = [row for row in rows if tuple(row[key] for key in keys) == group]
        preset, kind, labels, file = group
        trained = "ready picker" if kind == "detector" else f"{labels:.0f} labels"
        scores = [cell(mine, "within_one_bin", "{:.2f}", 100), cell(mine, "mean_error_samples", "{:.2f}")]
        same = "" if file.startswith("Keras") else cell(mine, "same_bin", "{:.1f}", 100)
        sizes = [f"{max(row[key] for row in mine):,.0f}" if key in mine[0] else "" for key in ("bytes", "arena_bytes")]
        yield line([f"`{preset}`, {trained}", file, len(mine), *scores, same, *sizes])
