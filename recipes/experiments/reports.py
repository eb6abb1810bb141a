"""What `run.py` shows of an experiment: a Markdown table with paired tests."""

from keras_usmae.files import write_markdown
from recipes.experiments.grid import paired_test, summarize

SHOWN = {
    "test_accuracy": ("top-1 (%)", 100.0, "{:.1f}"),
    "test_within_one_bin": ("within 1 bin (%)", 100.0, "{:.1f}"),
    "test_median_error_samples": ("median (samples)", 1.0, "{:.2f}"),
    "test_mean_error_samples": ("mean error (samples)", 1.0, "{:.1f}"),
    "test_rmse_samples": ("RMSE (samples)", 1.0, "{:.1f}"),
    # With the constant offset taken out, without signals in which another real echo comes first.
    "test_bias_free_without_hole_mean_error_samples": ("mean error, bias-free, no hole (samples)", 1.0, "{:.1f}"),
}
# Of the signals that a bound can be told for: not clipped, 18 to 38 dB.
SHOWN_UNCLIPPED = {**SHOWN, "test_unclipped_mean_error_samples": ("mean error, unclipped (samples)", 1.0, "{:.2f}")}
CEILING_NOTE = (
    "Ceiling of the labels: what the truth would score by these labels, were all of their stated sigma random. Who "
    "scores better has learnt what the labels' errors have in common, or sigma is stated too large."
)


def score_table(path, title, rows, by, notes=(), shown=SHOWN, ceilings=()):
    """A table with mean and standard deviation of the scores for each group of rows, of scores that some row has.

    The ceiling of the labels stands below; see `ceilings.py`.
    """
    lines = []
    shown = {name: how for name, how in shown.items() if any(name in row for row in rows)}
    rows = [{**dict.fromkeys(shown, float("nan")), **row} for row in rows]
    for group in summarize(rows, by, tuple(shown)):
        line = [str(group[key]) for key in by] + [str(group["n"])]
        for name, (_, scale, form) in shown.items():
            mean, spread = (form.format(scale * group[f"{name}_{kind}"]) for kind in ("mean", "std"))
            line.append("-" if mean == "nan" else mean if group["n"] == 1 else f"{mean} ± {spread}")
        lines.append(line)
    for row in ceilings:
        cells = (
            form.format(scale * float(row[name])) if name in row else "-" for name, (_, scale, form) in shown.items()
        )
        lines.append([str(row.get(key, "-")) for key in by] + ["-", *cells])
    notes = [*notes, *(["", CEILING_NOTE] if ceilings else [])]
    header = [*by, "seeds", *(name for name, _, _ in shown.values())]
    return write_markdown(path, title, header, lines, notes)


def paired_notes(rows, method, references, by, value="test_accuracy", scale=100.0, unit="points of top-1"):
    """A sentence for each group: method against a reference, paired over the seeds."""
    notes = []
    for reference in references:
        for group in dict.fromkeys(row[by] for row in rows):
            part = [row for row in rows if row[by] == group and row["method"] in (method, reference)]
            if {row["method"] for row in part} != {method, reference}:
                continue
            try:
                test = paired_test(part, value, method, reference)
            except ValueError:
                continue  # one seed so far
            low, high = scale * test["low"], scale * test["high"]
            notes.append(
                f"- {by} {group}: {method} minus {reference} {scale * test['difference']:+.2f} {unit} "
                f"(95 % interval {low:+.2f} to {high:+.2f}, p = {test['p_value']:.2g}, {test['n']} seeds)"
            )
    return notes
