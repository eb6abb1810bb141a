"""The figures of an export as tables to read."""

from keras_usmae.export.cost import CORES, CYCLES_FORMULA, CYCLES_SOURCE

_COLUMNS = (
    "format",
    "runtime",
    "bytes",
    "arena bytes",
    "signals",
    "argmax = Keras",
    "+-1 bin",
    "top-1",
    "within 1 bin",
    "median ns",
    "mean ns",
    "max dp",
    "mean dp",
    "max LSB",
    "mean LSB",
    "ms",
)


def format_report(report):
    """Formats the figures of an export as Markdown tables: against Keras, and what each file costs.

    Args:
        report: dict that `export_classifier` returned, or that `export.json` holds.

    Returns:
        str.

    Example:

    ```python
    print(format_report(json.loads(Path("runs/mine/export/export.json").read_text())))
    ```
    """
    keras_scores = {"num_signals": report["test_signals"], **report["keras"]}
    rows = [_row("Keras", "float32", {}, keras_scores)]
    for name, file in report["formats"].items():
        runtimes = file.get("runtimes", {})
        rows += [_row(name, runtime, file, scores) for runtime, scores in runtimes.items()]
        if not runtimes:
            rows.append((name, "", f"{file['bytes']:,}", *[""] * (len(_COLUMNS) - 3)))
    lines = _table(_COLUMNS, rows)
    lines += [
        "",
        "dp: deviation of a probability from Keras's. LSB: deviation of a logit in steps of the quantised output. "
        "ms: one signal on this machine.",
        "Errors in ns: absolute, of the onset decoded to fractions of a bin. Arena: measured on this 64-bit machine.",
    ]
    return "\n".join(lines + _costs(report) + _disagreements(report))


def _costs(report):
    """What the TFLite files are made of and, where they are integer, what they cost on a microcontroller."""
    files = {name: file for name, file in report["formats"].items() if "operators" in file}
    if not files:
        return []
    rows = []
    for name, file in files.items():
        nodes, on_tflm = f"{sum(file['operators'].values())}", "yes" if file["arena_bytes"] else "no"
        cycles = [f"{file['cycles'][core] / 1e6:.1f} M" if file["cycles"] else "" for core in CORES]
        rows.append((name, nodes, f"{len(file['operators'])}", on_tflm, f"{file['macs']:,}", *cycles))
    lines = ["", *_table(("format", "nodes", "operators", "all in TFLM", "macs", *CORES), rows), ""]
    lines.append(f"Cycles, estimated for int8 and int16x8 as {CYCLES_FORMULA}; {CYCLES_SOURCE}.")
    for name, file in files.items():
        counts = ", ".join(f"{count} {operator}" for operator, count in sorted(file["operators"].items()))
        lines.append(f"Operators of {name}: {counts}.")
    return lines


def _disagreements(report):
    """A delegate that moves the accuracy by more than a point from the reference kernels is told in words."""
    lines = []
    for name, file in report["formats"].items():
        runtimes = file.get("runtimes", {})
        if "LiteRT XNNPACK" not in runtimes:
            continue
        compared = [runtimes[key] for key in ("LiteRT XNNPACK", "LiteRT reference")]
        if compared[0]["num_signals"] != compared[1]["num_signals"]:
            continue
        delegate, reference = (scores["accuracy"] for scores in compared)
        if abs(delegate - reference) > 0.01:
            lines.append(
                f"XNNPACK disagrees with the reference kernels on {name}: top-1 {delegate:.2%} against "
                f"{reference:.2%}. Judge the file by TFLM."
            )
    return lines


def _row(name, runtime, file, scores):
    def number(key, digits, scale=1.0):
        value = scores.get(key)
        return "" if value is None else f"{value * scale:.{digits}f}"

    return (
        name,
        runtime,
        f"{file['bytes']:,}" if file else "",
        f"{file['arena_bytes']:,}" if file and runtime == "TFLM" else "",
        str(scores["num_signals"]),
        number("argmax_agreement", 2, 100) + " %",
        number("argmax_within_one_bin_of_keras", 2, 100) + " %",
        number("accuracy", 2, 100) + " %",
        number("within_one_bin", 2, 100) + " %",
        number("median_error_ns", 1),
        number("mean_error_ns", 1),
        number("probability_deviation_max", 4),
        number("probability_deviation_mean", 6),
        number("logit_deviation_max_lsb", 1),
        number("logit_deviation_mean_lsb", 2),
        number("latency_ms", 2),
    )


def _table(columns, rows):
    widths = [max(len(row[i]) for row in (columns, *rows)) for i in range(len(columns))]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return [_line(columns, widths), rule, *(_line(row, widths) for row in rows)]


def _line(cells, widths):
    return "| " + " | ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
