"""The tables of figures in README, documentation and cards, made from the CSVs under docs/experiments.

    python recipes/maintenance/figures.py            # writes marked tables anew
    python recipes/maintenance/figures.py --check    # says which differ

A table is marked by a line `<!-- figures: NAME -->` above it, where NAME is one of `TABLES`. The tests compare all of
them (`tests/docs/test_figures.py`), and the figures in sentences that `figures_in_prose.py` knows; a table of a page of
`PAGES` that is not marked has to stand in `WITHOUT_CSV` of `figure_pages.py`, with the reason.
"""

import re
import statistics
from pathlib import Path
from typing import Annotated

import typer

from recipes.experiments.csv_rows import CEILING, cell, line, read_rows
from recipes.maintenance.figure_pages import PAGES

REPOSITORY = Path(__file__).parents[2]
CLASSICAL = ("AIC picker", "envelope threshold picker")


def _ceiling(labels="all", split="test"):
    return read_rows("label_ceiling", split=split, labels=labels)[0]


def _runs(preset, split, source="pickers"):
    """Rows of a picker, one for each run; a classical picker has one."""
    rows = read_rows(source, preset=preset, split=split)
    return list({row.get("run"): row for row in rows}.values())


SHIPPED = {"tiny_patch64": "pickers_patch64", "nano_mcu": "pickers_mcu", "tiny": "pickers", "nano": "pickers"}


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
    truth = _ceiling("without a hole ahead", split)
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
        truth = _ceiling("without a hole ahead")
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


def diversity():
    """Mean error on a transducer that few or no labels come from."""
    starts = ("from scratch", "paper", "diverse", "both and measured")
    yield line(["tested on", "its labels", "from scratch", "`paper`", "`diverse`", "both and measured"])
    yield "|---|---|---|---|---|---|"
    best = {("immersion probes", "paper"), ("array", "paper"), ("array", "diverse")}
    for held_out in ("immersion probes", "array"):
        for shots in (0, 32):
            cells = []
            for start in starts:
                rows = read_rows("diversity", method=start, held_out=held_out, shots=shots)
                text = cell(rows, "test_mean_error_samples", "{:.0f}")
                cells.append(f"**{text}**" if shots and (held_out, start) in best else text)
            yield line(["" if shots else held_out, shots, *cells])


TOP = {"test_accuracy": (100, "{:.1f}"), "test_within_one_bin": (100, "{:.1f}")}
ERRORS = {"test_median_error_samples": (1, "{:.2f}"), "test_mean_error_samples": (1, "{:.1f}")}


def scores(rows, columns):
    """Cells of mean and standard deviation."""
    return [cell(rows, key, form, scale) for key, (scale, form) in columns.items()]


def truth_cells(columns):
    """Cells of the ceiling of all test labels."""
    truth = _ceiling()
    return [form.format(scale * truth[key.removeprefix("test_")]) for key, (scale, form) in columns.items()]


def label_budget():
    """`nano`, from 1 % to all labels."""
    columns = TOP | ERRORS
    yield line(["labels", "start", "top-1 (%)", "within 1 bin (%)", "median (samples)", "mean error (samples)"])
    yield "|---|---|---|---|---|---|"
    yield line(["0", "AIC picker", *scores(read_rows("labels", method="AIC picker"), columns)])
    for number, start in enumerate(("CNN", "pre-trained")):
        rows = read_rows("labels", method=f"{start}, synthetic labels")
        title = "" if number else "0, but 64,000 synthetic ones"
        yield line([title, f"{start}, one seed", *scores(rows, columns)])
    for labels, share in ((64, "1 %"), (128, "2 %"), (320, "5 %"), (1600, "25 %"), (6400, "all")):
        title = f"{labels:,} ({share})"
        for start in ("from scratch", "CNN", "pre-trained", "pre-trained on measured"):
            if start != "pre-trained on measured" or labels in (64, 320, 6400):
                yield line([title, start, *scores(read_rows("labels", method=start, labels=labels), columns)])
                title = ""
    yield line(["", CEILING, *truth_cells(columns)])


def model_size():
    """Sizes of the encoder."""
    yield line(
        ["encoder", "pre-trained on", "start", *(f"top-1, {split} (%)" for split in ("training", "validation", "test"))]
        + ["mean error, test (samples)"]
    )
    yield "|---|---|---|---|---|---|---|"
    columns = {f"{split}_accuracy": (100, "{:.1f}") for split in ("train", "validation", "test")}
    columns |= {"test_mean_error_samples": (1, "{:.1f}")}
    seen = {"nano": ("41 k", "1,638,400"), "tiny": ("0.2 M", "3,276,800"), "small": ("1.2 M", "819,200")}
    for preset, (size, signals) in seen.items():
        for start in ("from scratch", "pre-trained"):
            cells = scores(read_rows("sizes", preset=preset, method=start), columns)
            if (preset, start) == ("tiny", "pre-trained"):
                cells[-1] = f"**{cells[-1]}**"
            first = start == "from scratch"
            yield line([f"`{preset}`, {size}" if first else "", "" if first else f"{signals} signals", start, *cells])
    validation, test = _ceiling(split="validation"), _ceiling()
    tops = ["", *(f"{100 * each['accuracy']:.1f}" for each in (validation, test))]
    yield line(["", "", CEILING, *tops, f"{test['mean_error_samples']:.1f}"])


def masking():
    """Patch size and share of removed patches."""
    yield line(
        ["patch, removed", "reconstruction error", "from scratch: mean error (samples)", "pre-trained: mean error"]
        + ["top-1 (%)"]
    )
    yield "|---|---|---|---|---|"
    settings = [(8, "75"), (16, "75"), (32, "50"), (32, "62.5"), (32, "75"), (32, "87.5"), (64, "75")]
    alone = {8: "75", 16: "75", 32: "50", 64: "75"}
    for patch, removed in settings:
        rows = read_rows("masking", method=f"patch {patch}, {removed} % removed")
        loss = f"{statistics.mean(row['reconstruction_loss'] for row in rows):.3f}"
        fresh = scores(
            read_rows("masking", method=f"patch {patch}, from scratch"), {"test_mean_error_samples": (1, "{:.1f}")}
        )
        error, top = (
            scores(rows, {key: how})[0]
            for key, how in (*ERRORS.items(), *TOP.items())
            if key in ("test_mean_error_samples", "test_accuracy")
        )
        error = f"**{error}**" if patch < 32 else error
        title = f"{patch} samples, {removed} %"
        yield line([title, loss, fresh[0] if alone[patch] == removed else "", error, top])
    truth = _ceiling()
    yield line([CEILING, "", "", f"{truth['mean_error_samples']:.1f}", f"{100 * truth['accuracy']:.1f}"])


def over_bound():
    """Sigma over the bound of every picker, on bursts of many shapes; cross-correlation of one it is told."""
    names = ("`tiny_patch64`", "`tiny`", "`nano`", "`nano_mcu`", *CLASSICAL)
    yield line(["SNR (dB)", "bound (samples)", *names, "told the pulse, cross-correlation"])
    yield "|---|---|---|---|---|---|---|---|---|"
    for value in range(10, 41, 5):
        rows = {name: read_rows("robustness", sweep="snr", value=value, estimator=name) for name in names}
        told = read_rows("robustness", sweep="snr, one pulse", value=value, estimator="cross-correlation picker")
        bound = statistics.mean(row["bound"] for row in rows["`tiny`"])
        yield line([value, f"{bound:.3f}", *(cell(each, "sigma_ratio") for each in (*rows.values(), told))])


def patch16_card():
    """Few labels from the weights of `nano_patch16`."""
    columns = {**TOP, **ERRORS, "test_rmse_samples": (1, "{:.1f}"), "test_unclipped_mean_error_samples": (1, "{:.2f}")}
    head = ["method", "seeds", "reconstruction", "top-1 (%)", "within 1 bin (%)", "median (samples)"]
    yield line([*head, "mean error (samples)", "RMSE (samples)", "mean error, unclipped (samples)"])
    yield line(["---"] * 9)
    for title, method in (("pre-trained", "patch 16, 75 % removed"), ("from scratch", "patch 16, from scratch")):
        rows = read_rows("masking", method=method)
        loss = cell(rows, "reconstruction_loss", "{:.3f}") if title == "pre-trained" else "-"
        yield line([title, len(rows), loss, *scores(rows, columns)])
    truth = _ceiling("unclipped, 18 to 38 dB")["mean_error_samples"]
    cells = truth_cells({key: how for key, how in columns.items() if "unclipped" not in key})
    yield line([CEILING, "-", "-", *cells, f"{truth:.2f}"])


TABLES = {
    "readme_pickers": readme_pickers,
    "results_pickers": results_pickers,
    "card_nano": picker_card("nano"),
    "card_tiny": picker_card("tiny"),
    "card_nano_mcu": picker_card("nano_mcu", "pickers_mcu"),
    "card_tiny_patch64": picker_card("tiny_patch64", "pickers_patch64"),
    "diversity": diversity,
    "label_budget": label_budget,
    "model_size": model_size,
    "masking": masking,
    "over_bound": over_bound,
    "patch16_card": patch16_card,
}
MARK = re.compile(r"^<!-- figures: (\w+) -->\n\n((?:\|.*\n)+)", re.M)


def renewed(text):
    """A page whose marked tables are those of the CSVs.

    Args:
        text: str, of the page.

    Returns:
        Str.

    Raises:
        ValueError: where a mark names no table, or none stands below it.

    Example:

    ```python
    renewed((REPOSITORY / "README.md").read_text())
    ```
    """
    names = re.findall(r"^<!-- figures: (\w+) -->", text, re.M)
    found = [match[0] for match in MARK.findall(text)]
    if names != found or not set(names) <= TABLES.keys():
        raise ValueError(f"Marks {names}, of which {found} stand above a table; known are {', '.join(TABLES)}.")
    return MARK.sub(lambda match: f"<!-- figures: {match[1]} -->\n\n" + "\n".join(TABLES[match[1]]()) + "\n", text)


def unmarked(text):
    """Headers of the tables of a page that no mark stands above."""
    rest = MARK.sub("", text)
    return re.findall(r"^(\|.*)\n\|[ :|-]+\n", rest, re.M)


def main(check: Annotated[bool, typer.Option("--check", help="Write nothing, and fail where one differs.")] = False):
    """Writes the marked tables of all pages anew, or says which differ."""
    differ = []
    for page in PAGES:
        path = REPOSITORY / page
        text = path.read_text()
        if renewed(text) != text:
            differ.append(page)
            if not check:
                path.write_text(renewed(text))
    print("\n".join(differ) or "Every marked table is that of its CSV.")
    if check and differ:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
