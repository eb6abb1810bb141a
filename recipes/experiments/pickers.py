"""Scores several trainings of a picker on the measured validation and test splits, beside the classical pickers.

    python recipes/experiments/pickers.py --run runs/seed_0 --run runs/seed_1 --output docs/experiments

Each run of `train_picker.py` gets its settings on synthetic records (see `calibrate_picker`), as one that ships does.
No measured label is used but for the constant offset of each estimator, the median error on the validation split, and
for the scores. Writes `pickers.csv`, a row for each run, split and estimator, and `pickers.md` with mean and standard
deviation over the runs, and the 95 % interval of the mean error over records: those of a bootstrap of the records that
the windows were cut from.
"""

import statistics
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from scipy.stats import norm

from keras_usmae import options
from keras_usmae.data import load_dataset
from keras_usmae.evaluation import (
    ceiling_interval,
    evaluate,
    interval_over_records,
    label_ceiling,
    number_records,
)
from keras_usmae.evaluation.label_scores import FAR_SIGMAS, SHARP_SIGMA
from keras_usmae.evaluation.picker_calibration import ALONE, calibrate_picker, score_picker
from keras_usmae.evaluation.snr_scores import MEDIAN_OF_NORMAL
from keras_usmae.files import write_csv, write_json, write_text
from keras_usmae.picker import EchoPicker

DATASET = "ultrasound_measured/paper"
SPLITS = ("validation", "test")
BIN_WIDTH = 16  # of all pickers that ship
FEATURES = ("signal", "onset", "onset_sigma", "hole_echo", "source", "position", "interface")
CEILING = "ceiling of the labels"
SHOWN = {
    "accuracy": ("top-1 (%)", 100, "{:.1f}"),
    "within_one_bin": ("within 1 bin (%)", 100, "{:.2f}"),
    "far": ("far or missed (%)", 100, "{:.2f}"),
    "mean_error_samples": ("mean error (samples)", 1, "{:.2f}"),
    "median_error_samples": ("median error (samples)", 1, "{:.2f}"),
    "median_error_sigma": ("median error / sigma", 1, "{:.2f}"),
    "beyond_three_sigma": ("beyond 3 sigma (%)", 100, "{:.2f}"),
    "sharp_mean_error_samples": ("mean error, sigma below 1.5 (samples)", 1, "{:.2f}"),
    "recall_of_three": ("labelled echo among three (%)", 100, "{:.2f}"),
    "coverage": ("labels in intervals (%)", 100, "{:.1f}"),
}


def rows_of(picker, name, preset, splits, rate):
    """A row for each split and estimator: all signals, those without a hole ahead, and the sources."""
    for split in SPLITS:
        arrays = splits[split]
        found = evaluate(picker, arrays, splits["validation"], rate, name=name, scale=1)
        plain = ~arrays["hole_echo"]
        for title, scores in found.scores.items():
            mine = title == name
            free = scores["bias_free_without_hole"]
            row = {"preset": preset if mine else title, "run": name if mine else "", "split": split}
            row |= {"signals": free["signals"], "offset": scores["offset_samples"]}
            row |= {key: free[key] for key in SHOWN if key in free}
            row["all_within_one_bin"] = scores["bias_free"]["within_one_bin"]
            error = np.abs(found.estimates[title] - scores["offset_samples"] - arrays["onset"])
            record = number_records(arrays["source"], arrays["position"])[plain]
            row["mean_error_low"], row["mean_error_high"] = interval_over_records(error[plain], record)
            for source in np.unique(arrays["source"]):
                of_source = error[plain & (arrays["source"] == source)]
                row[f"mean_error_source_{source}"] = float(np.nanmean(of_source))
                row[f"far_source_{source}"] = int(np.sum(~(of_source <= 32)))
            yield row | ({key: found.recall[key] for key in found.recall} if mine else {})
        yield ceiling_row(arrays, split)


def ceiling_row(arrays, split):
    """What the truth would score by the labels of a split, those without a hole ahead; see `label_ceiling`."""
    plain = ~arrays["hole_echo"]
    onset, sigma, source = (arrays[name][plain] for name in ("onset", "onset_sigma", "source"))
    place = number_records(*(arrays[name][plain] for name in ("source", "position", "interface")))
    spread = ceiling_interval(onset, sigma, BIN_WIDTH, label=place)["mean_error_samples"]
    sharp = sigma < SHARP_SIGMA
    row = {"preset": CEILING, "run": "", "split": split, "signals": int(plain.sum()), "offset": 0.0}
    row |= {key: value for key, value in label_ceiling(onset, sigma, BIN_WIDTH).items() if key in SHOWN}
    row |= {"median_error_sigma": MEDIAN_OF_NORMAL, "beyond_three_sigma": float(2 * norm.sf(FAR_SIGMAS))}
    row |= {"mean_error_low": spread[0], "mean_error_high": spread[1]}
    of = {"sharp_mean_error_samples": sharp} | {f"mean_error_source_{kind}": source == kind for kind in set(source)}
    for name, rows in of.items():
        row[name] = label_ceiling(onset[rows], sigma[rows], BIN_WIDTH)["mean_error_samples"]
    return row


def preset_of(config):
    """Name of a run's network in the tables."""
    return f"CNN as {config['preset']}" if config.get("architecture") == "cnn" else config["preset"]


def known(row, key):
    """Whether a row, of this run or from a CSV, has a value."""
    return row.get(key, "") != ""


def summarise(rows):
    """A Markdown table: mean and standard deviation over the runs of each preset, and the classical pickers once."""
    lines = []
    # The classical pickers behind the others, and the ceiling last.
    rows = sorted(rows, key=lambda row: (not row.get("run"), row["preset"] == CEILING))
    shown = {key: how for key, how in SHOWN.items() if any(known(row, key) for row in rows if row["preset"] != CEILING)}
    for split in SPLITS:
        count = next(row["signals"] for row in rows if row["split"] == split)
        header = ["picker", "runs", *(name for name, _, _ in shown.values())]
        lines += ["", f"## {split.capitalize()}: {count:,} windows without a hole ahead of the labelled echo", ""]
        lines += ["| " + " | ".join(header) + " |", "| " + " | ".join(["---"] * len(header)) + " |"]
        for preset in dict.fromkeys(row["preset"] for row in rows):
            part = {row.get("run"): row for row in rows if row["split"] == split and row["preset"] == preset}.values()
            cells = [preset, str(len(part)) if next(iter(part)).get("run") else "-"]
            for key, (_, scale, form) in shown.items():
                values = [scale * row[key] for row in part if known(row, key)]
                text = form.format(statistics.mean(values)) if values else "-"
                text += f" ± {form.format(statistics.stdev(values))}" if len(values) > 1 else ""
                if key == "mean_error_samples":
                    ends = (statistics.mean(row[f"mean_error_{end}"] for row in part) for end in ("low", "high"))
                    text += " ({:.2f} to {:.2f})".format(*ends)
                cells.append(text)
            lines.append("| " + " | ".join(cells) + " |")
        sources = sorted(key for key in rows[0] if key.startswith("mean_error_source_"))
        lines += ["", "Mean error in samples, and how many are far or missed, by source:", ""]
        lines += ["| picker | " + " | ".join(f"source {key[-1]}" for key in sources) + " |"]
        lines += ["| " + " | ".join(["---"] * (len(sources) + 1)) + " |"]
        for preset in dict.fromkeys(row["preset"] for row in rows):
            part = [row for row in rows if row["split"] == split and row["preset"] == preset and sources[0] in row]
            cells = [preset]
            for key in sources:
                error = statistics.mean(row[key] for row in part)
                missed = key.replace("mean_error", "far")
                far = statistics.mean(row[missed] for row in part) if known(part[0], missed) else 0
                cells.append(f"{error:.2f}, {far:g}")
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def page(rows):
    """Text of the page, from a row for each run, split and estimator."""
    title = "# Ready pickers on measured signals, without a measured label"
    notes = [
        "",
        "Mean and standard deviation over runs of the last stage of the training, which differ in their seed. The "
        "constant offset of each estimator, its median error on the validation split, is taken out. A bin is 16 "
        "samples of 10 ns; far is off by more than two bins. The first pick counts but for the recall among the three "
        "strongest. In brackets: the 95 % interval over records, mean of its ends over the runs. The last line is what "
        "the truth would score by these labels, were all of their stated sigma random, with the range of 95 % of such "
        "sets of labels; see [the ceiling of the labels](label_ceiling.md).",
    ]
    return "\n".join([title, *notes, *summarise(rows), ""])


def main(
    run: Annotated[list[Path], typer.Option(help="Run folder of train_picker.py. Repeat.")],
    output: Annotated[Path, typer.Option(help="Folder of the table and the CSV.")] = Path("docs/experiments"),
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
) -> Path:
    """Scores the runs, writes their table, and returns its path."""
    configs = {folder: options.read_json(folder / "config.json") for folder in run}
    pickers = {folder: EchoPicker.from_run(folder) for folder in run}
    dataset = load_dataset(DATASET, tfds_dir, raw_dir)
    splits = {split: dataset.arrays(split, FEATURES) for split in SPLITS}
    rows, synthetic = [], {}
    for folder, picker in pickers.items():
        settings = calibrate_picker(picker.engine, label_sigma=configs[folder]["label_sigma"])
        scores = score_picker(picker.engine, settings | ALONE)
        preset = preset_of(configs[folder])
        synthetic[folder.name] = {"preset": preset, **settings, **scores}
        picker.settings |= settings
        rows += rows_of(picker, folder.name, preset, splits, dataset.sampling_rate)
        print(f"{folder.name}: {synthetic[folder.name]}", flush=True)
    output.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    write_csv(output / "pickers.csv", [{key: row.get(key, "") for key in columns} for row in rows])
    write_json(output / "pickers_synthetic.json", synthetic)
    path = output / "pickers.md"
    write_text(path, page(rows))
    print(path.read_text())
    return path


if __name__ == "__main__":
    options.run(main)
