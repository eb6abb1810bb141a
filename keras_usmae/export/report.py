"""The figures of an export as tables to read."""

from keras_usmae.export.cost import CORES, COUNTED_IN

# By the kind of the reference: title, key in the scores, digits, factor (100 for shares in per cent).
_SCORES = {
    "classifier": (
        ("argmax = Keras", "argmax_agreement", 2, 100),
        ("+-1 bin", "argmax_within_one_bin_of_keras", 2, 100),
        ("top-1", "accuracy", 2, 100),
        ("within 1 bin", "within_one_bin", 2, 100),
    ),
    "detector": (
        ("Keras's picks here", "picks_of_keras_found", 2, 100),
        ("picks in Keras", "picks_that_keras_has", 2, 100),
        ("found", "found", 2, 100),
        ("first within 1 bin", "within_one_bin", 2, 100),
        ("picks a signal", "picks_per_signal", 2, 1),
    ),
}
_COMMON = (
    ("median ns", "median_error_ns", 1, 1),
    ("mean ns", "mean_error_ns", 1, 1),
    ("max dp", "probability_deviation_max", 4, 1),
    ("mean dp", "probability_deviation_mean", 6, 1),
    ("max LSB", "logit_deviation_max_lsb", 1, 1),
    ("mean LSB", "logit_deviation_mean_lsb", 2, 1),
    ("ms", "latency_ms", 2, 1),
)
_LEGENDS = {
    "classifier": "Errors in ns: absolute, of the onset decoded to fractions of a bin.",
    "detector": "found: labelled echoes with a pick within 1.5 bins. Errors in ns: absolute, of the nearest pick of "
    "these. first: the first pick, where each signal has one label.",
}


def format_report(report: dict) -> str:
    """Formats the figures of an export as Markdown tables: against Keras, and what each file costs.

    Args:
        report: dict that `export_model` returned, or that `export.json` holds.
    """
    columns = (*_SCORES[report["kind"]], *_COMMON)
    empty = [""] * len(columns)
    rows = [("Keras", "float32", "", "", *_cells(columns, report["keras"]))]
    for name, file in report["formats"].items():
        size = f"{file['bytes']:,}"
        runtimes = file.get("runtimes", {})
        for runtime, scores in runtimes.items():
            arena = f"{file['arena_bytes']:,}" if runtime == "TFLM" else ""
            rows.append((name, runtime, size, arena, *_cells(columns, scores)))
        if not runtimes:
            rows.append((name, "", size, "", *empty))
    titles = ("format", "runtime", "bytes", "arena bytes", *(title for title, *_ in columns))
    lines = [*_scored_on(report), "", *_table(titles, rows)]
    lines += [
        "",
        "dp: deviation of a probability from Keras's. LSB: deviation of a logit in steps of the quantised output. "
        "ms: one signal on this machine.",
        f"{_LEGENDS[report['kind']]} Arena: measured on this 64-bit machine.",
    ]
    return "\n".join(lines + _costs(report) + _disagreements(report))


def _scored_on(report):
    """What the rows are scored on; those of an earlier export may have had other signals."""
    usual = report["num_signals"], report["signals"]
    others = {}
    for name, file in report["formats"].items():
        for scores in file.get("runtimes", {}).values():
            found = scores["num_signals"], file.get("signals", report["signals"])
            if found != usual:
                others[name] = found
    every = "Every row" if not others else "A row that is not named below"
    lines = [f"{every} is scored on the same {usual[0]} signals: {usual[1]}."]
    return lines + [
        f"{name}, of an earlier export: {count} signals, {source}." for name, (count, source) in others.items()
    ]


def _cells(columns, scores):
    return [_cell(scores.get(key), digits, factor) for _, key, digits, factor in columns]


def _cell(value, digits, factor):
    if value is None:
        return ""
    return f"{value * factor:.{digits}f}" + (" %" if factor == 100 else "")


def _costs(report):
    """What the TFLite files are made of and, where they are integer, what they cost on a microcontroller."""
    files = {name: file for name, file in report["formats"].items() if "operators" in file}
    if not files:
        return []
    rows = []
    for name, file in files.items():
        nodes, on_tflm = f"{sum(file['operators'].values())}", "yes" if file["arena_bytes"] else "no"
        cores = [_rate(file["cores"][core.name]) if file["cores"] else "" for core in CORES]
        rows.append((name, nodes, f"{len(file['operators'])}", on_tflm, f"{file['macs']:,}", *cores))
    titles = [f"{core.name}, {core.megahertz:.0f} MHz" for core in CORES]
    lines = ["", *_table(("format", "nodes", "operators", "all in TFLM", "macs", *titles), rows), ""]
    lines.append(
        f"Instructions and picks a second: estimated with the firmware folder's kernels from what was {COUNTED_IN}, at "
        f"{', '.join(f'{core.cycles_per_instruction:g} cycles an instruction on {core.name}' for core in CORES)}."
    )
    for name, file in files.items():
        counts = ", ".join(f"{count} {operator}" for operator, count in sorted(file["operators"].items()))
        lines.append(f"Operators of {name}: {counts}.")
    return lines


def _rate(costs):
    return f"{costs['instructions'] / 1e6:.1f} M, {costs['picks_per_second']:.1f}/s"


def _disagreements(report):
    """A delegate that moves the accuracy by more than a point from the reference kernels is told in words."""
    title, key = {"classifier": ("top-1", "accuracy"), "detector": ("found", "found")}[report["kind"]]
    lines = []
    for name, file in report["formats"].items():
        runtimes = file.get("runtimes", {})
        if "LiteRT XNNPACK" not in runtimes:
            continue
        delegate, reference = (runtimes[runtime][key] for runtime in ("LiteRT XNNPACK", "LiteRT reference"))
        if abs(delegate - reference) > 0.01:
            lines.append(
                f"XNNPACK disagrees with the reference kernels on {name}: {title} {delegate:.2%} against "
                f"{reference:.2%}. Judge the file by TFLM."
            )
    return lines


def _table(columns, rows):
    widths = [max(len(row[i]) for row in (columns, *rows)) for i in range(len(columns))]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return [_line(columns, widths), rule, *(_line(row, widths) for row in rows)]


def _line(cells, widths):
    return "| " + " | ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
