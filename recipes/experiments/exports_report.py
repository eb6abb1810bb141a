"""The page of `exports.py`: integer files of several trainings, and what they lose."""

from keras_usmae.files import write_markdown
from recipes.experiments.csv_rows import cell
from recipes.experiments.grid import paired_test

FORMATS = ("int8", "int16x8")
KERAS = "Keras, float32"
SHOWN = {
    "within_one_bin": ("within 1 bin (%)", 100, "{:.2f}"),
    "accuracy": ("top-1 (%)", 100, "{:.1f}"),
    "mean_error_samples": ("mean error (samples)", 1, "{:.2f}"),
    "median_error_samples": ("median error (samples)", 1, "{:.2f}"),
    "same_bin": ("as Keras (%)", 100, "{:.2f}"),
}
GROUP = ("preset", "model", "labels", "file")
SIZES = ("bytes", "arena_bytes", "instructions_m4", "picks_per_second_m4")


def groups(rows):
    """Preset, kind of model, labels and file, and the rows that have them: one for each run."""
    for group in dict.fromkeys(tuple(row[key] for key in GROUP) for row in rows):
        yield group, [row for row in rows if tuple(row[key] for key in GROUP) == group]


def table(rows):
    """Lines of the table: a line for each preset, kind of model and file."""
    for (preset, kind, labels, file), mine in groups(rows):
        cells = [f"`{preset}`, {kind}, {labels} labels", file, len(mine)]
        for key, (_, scale, form) in SHOWN.items():
            cells.append(cell(mine, key, form, scale) if key in mine[0] else "-")
        cells += [f"{max(row[key] for row in mine):,}" if key in mine[0] else "" for key in SIZES[:2]]
        cost = mine[0].get("instructions_m4")
        cells.append(f"{cost / 1e6:.1f} M, {mine[0]['picks_per_second_m4']:.1f}/s" if cost else "")
        yield [str(each) for each in cells]


def losses(rows):
    """Sentences: what the integers of each preset lose against Keras, paired over the runs."""
    for preset, kind in dict.fromkeys((row["preset"], row["model"]) for row in rows):
        for name in FORMATS:
            part = [row for row in rows if (row["preset"], row["model"]) == (preset, kind)]
            part = [row for row in part if row["file"] in (name, KERAS)]
            for key, scale, unit in (
                ("within_one_bin", 100, "points within one bin"),
                ("mean_error_samples", 1, "samples of mean error"),
            ):
                try:
                    test = paired_test(part, key, name, KERAS, key="file", pair="run")
                except (ValueError, KeyError):
                    continue  # one run so far, or signals of several echoes, which have no first one
                low, high, difference = (scale * test[end] for end in ("low", "high", "difference"))
                yield f"- `{preset}`, {kind}, {name} minus Keras: {difference:+.2f} {unit} ({low:+.2f} to {high:+.2f})"


def write_page(rows, folder):
    """Writes the page of these rows into a folder, and returns its path."""
    header = ["model", "file", "runs", *(title for title, _, _ in SHOWN.values()), "bytes", "arena bytes", "Cortex-M4"]
    notes = [
        "Mean and standard deviation over the runs. A bin is 16 samples of 10 ns. A classifier, trained on measured "
        "labels, is scored on all test windows; a detector, the ready picker, saw none, and is scored on those without "
        "a drilled hole ahead of the labelled echo: its first pick within a bin, the error of the pick nearest to the "
        "label; no offset is taken out. As Keras: the same likeliest bin, or Keras's picks that the file has within "
        "a bin. Bytes and arena are the largest of the runs, instructions and picks a second at 168 MHz estimates. "
        "In brackets: 95 % intervals, paired over the runs.",
        "",
        *losses(rows),
    ]
    return write_markdown(folder / "exports.md", "Integer files on measured test signals", header, table(rows), notes)
