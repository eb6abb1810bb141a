"""Tables of experiments on few labels, sizes, masking and bursts of many shapes."""

import statistics

from recipes.experiments.csv_rows import CEILING, cell, line, read_ceiling, read_rows
from recipes.maintenance.figures_of_pickers import CLASSICAL


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
    truth = read_ceiling()
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
    validation, test = read_ceiling(split="validation"), read_ceiling()
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
    truth = read_ceiling()
    yield line([CEILING, "", "", f"{truth['mean_error_samples']:.1f}", f"{100 * truth['accuracy']:.1f}"])


def sources():
    """Mean error, and far or missed, on a recording that no label comes from."""
    prefix = "test_bias_free_without_hole"
    left_out = ("plane_scan", "copper_block", "copper_array", "steel_pins", "pic0rick", "un0rick")
    yield line(["learnt from", "start", *(name.replace("_", " ") for name in left_out)])
    yield "|---|---|---|---|---|---|---|---|"
    trained = ("from scratch", "masked autoencoder", "CNN", "CNN, masked autoencoder", "ready picker, fine-tuned")
    trained += ("ready picker, taught",)
    for number, start in enumerate(("ready picker", *CLASSICAL, *trained)):
        rows = [read_rows("sources", method=start, held_out=name) for name in left_out]
        errors = [cell(each, f"{prefix}_mean_error_samples", "{:.1f}") for each in rows]
        far = [cell(each, f"{prefix}_far", "{:.1f}", 100).partition(" ")[0] for each in rows]
        cells = [f"{error} ({share})" for error, share in zip(errors, far, strict=True)]
        title = {0: "no label", 1 + len(CLASSICAL): "320 labels of others"}.get(number, "")
        yield line([title, start, *cells])


def taught():
    """What 64 and 320 labels are worth to a classifier, and to a picker that learns them by `teach`."""
    prefix = "test_bias_free_without_hole"
    counts = (64, 320)
    head = [f"{count} labels: {name}" for count in counts for name in ("mean error", "median", "top-1 (%)")]
    yield line(["", "start", *head])
    yield line(["---"] * 8)
    starts = ("from scratch", "masked autoencoder", "CNN", "CNN, masked autoencoder")
    parts = [("classifier", "budget", name, name) for name in starts]
    parts.append(("classifier", "budget", "ready picker, fine-tuned", "ready picker"))
    for size, table in (("`nano`", "budget"), ("`tiny_patch64`", "budget_patch64")):
        for kind in ("CNN picker", "ready picker"):
            name = f"{size}, ready" if kind == "ready picker" else f"CNN as {size}"
            parts += [("picker", table, kind, name), ("picker, taught", table, f"{kind}, taught", name)]
    parts += [("picker", "budget", name, name) for name in CLASSICAL]
    for kind, table, method, name in parts:
        cells = []
        for count in counts:
            rows = read_rows(table, method=method, labels=count)
            far = cell(rows, f"{prefix}_far", "{:.1f}", 100).partition(" ")[0]
            cells.append(f"{cell(rows, f'{prefix}_mean_error_samples', '{:.2f}')} ({far})")
            cells.append(cell(rows, f"{prefix}_median_error_samples", "{:.2f}"))
            cells.append(cell(rows, "test_accuracy", "{:.1f}", 100))
        yield line([kind, name, *cells])


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
    truth = read_ceiling("unclipped, 18 to 38 dB")["mean_error_samples"]
    cells = truth_cells({key: how for key, how in columns.items() if "unclipped" not in key})
    yield line([CEILING, "-", "-", *cells, f"{truth:.2f}"])
