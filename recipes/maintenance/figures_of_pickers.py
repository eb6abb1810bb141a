"""Tables of the ready pickers beside the classical ones: README, results and cards."""

import statistics

from recipes.experiments.csv_rows import CEILING, cell, line, read_ceiling, read_rows

CLASSICAL = ("AIC picker", "envelope threshold picker")
SHIPPED = {"tiny_patch64": "pickers_patch64", "nano_mcu": "pickers_mcu", "tiny": "pickers", "nano": "pickers"}


def _runs(preset, split, source="pickers"):
    """Rows of a picker, one for each run; a classical picker has one."""
    rows = read_rows(source, preset=preset, split=split)
    return list({row.get("run"): row for row in rows}.values())


def picker_lines(bold=False, split="test"):
    """Cells of the ready pickers, of the classical ones and of the ceiling, on a split without holes."""
    forms = {"within_one_bin": (100, "{:.2f}"), "far": (100, "{:.2f}")}
    forms |= {"mean_error_samples": (1, "{:.2f}"), "median_error_samples": (1, "{:.2f}")}
    for name in (*SHIPPED, *CLASSICAL):
        rows = _runs(name, split, SHIPPED.get(name, "pickers"))
        cells = [cell(rows, key, form, scale) for key, (scale, form) in forms.items()]
        if bold and name == "tiny_patch64":
            cells[:3] = [f"**{each}**" for each in cells[:3]]
        cells[2] += _ends(rows)
        yield name, cells, rows
    truth = read_ceiling("without a hole ahead", split)
    low, high = truth["mean_error_samples_low"], truth["mean_error_samples_high"]
    cells = [f"{100 * truth['within_one_bin']:.2f}", f"{100 * truth['far']:.2f}"]
    cells += [f"{truth['mean_error_samples']:.2f} ({low:.2f} to {high:.2f})", f"{truth['median_error_samples']:.2f}"]
    yield CEILING, cells, []


def _ends(rows):
    low, high = (statistics.mean(row[f"mean_error_{end}"] for row in rows) for end in ("low", "high"))
    return f" ({low:.2f} to {high:.2f})"


def readme_pickers():
    """The table of results of the README."""
    head = ["without a label", "within 1 bin (%)", "off by over 2 bins, or none (%)", "mean error (samples)"]
    yield line([*head, "median (samples)"])
    yield "|---|---|---|---|---|"
    named = {"tiny_patch64": "**ready picker `tiny_patch64`**, 0.32 M parameters"}
    sizes = {"nano_mcu": "0.07", "tiny": "0.21", "nano": "0.04"}
    named |= {name: f"ready picker `{name}`, {size} M parameters" for name, size in sizes.items()}
    for name, cells, _ in picker_lines(bold=True):
        yield line([named.get(name, name), *cells])


def results_pickers():
    """The first table of the results: both splits, with the share of labels in intervals."""
    head = ["", "within 1 bin (%)", "far or missed (%)", "mean error (samples)", "median (samples)"]
    yield line([*head, "labels in intervals (%)"])
    yield "|---|---|---|---|---|---|"
    for split in ("test", "validation"):
        for name, cells, rows in picker_lines(split=split):
            inside = cell(rows, "coverage", "{:.1f}", 100) if rows and "coverage" in rows[0] else "-"
            title = f"`{name}`" if name in SHIPPED else name
            yield line([f"{split}: {title}" if name == next(iter(SHIPPED)) else title, *cells, inside])


def picker_card(name, source="pickers"):
    """The table of measured signals in the card of a ready picker."""

    def lines():
        mine, validation = (_runs(name, split, source) for split in ("test", "validation"))
        others = [_runs(each, "test", source) for each in CLASSICAL]
        truth = read_ceiling("without a hole ahead")
        yield line(["", f"`{name}`", *CLASSICAL, CEILING])
        yield line(["---"] * 5)
        shown = {
            "within one bin": ("within_one_bin", 100, " %"),
            "off by more than 32 samples, or none": ("far", 100, " %"),
        }
        shown |= {"mean error (samples)": ("mean_error_samples", 1, "")}
        shown |= {"median error (samples)": ("median_error_samples", 1, "")}
        for title, (key, scale, unit) in shown.items():
            cells = [cell(rows, key, "{:.2f}", scale) + unit for rows in (mine, *others)]
            if key == "mean_error_samples":
                cells = [text + _ends(rows) for text, rows in zip(cells, (mine, *others), strict=True)]
            yield line([title, *cells, f"{scale * truth[key]:.2f}{unit}"])
        found = cell(mine, "recall_of_three", "{:.2f}", 100)
        yield line(["labelled echo among the three strongest picks, all 1,600 windows", f"{found} %", "-", "-", "-"])
        inside, before = (cell(rows, "coverage", "{:.1f}", 100) for rows in (mine, validation))
        yield line(["labels in their 95 % interval", f"{inside} % (validation split {before} %)", "-", "-", "-"])

    return lines
