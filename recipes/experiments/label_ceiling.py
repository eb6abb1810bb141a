"""What a perfect estimator would score by the measured labels, and how much of their sigma is the labels' own error.

    python recipes/experiments/label_ceiling.py

The ceiling takes all of the stated sigma for random, by normal errors. In brackets is the range of 95 % of such sets of
labels, in which windows of one record share their label's error. Behind it stands what windows of one record tell: by a
picker that no label has taught, the spread between records bounds the random error of the labels from above, and the
spread within a record is none of the labels'. Constant offsets are taken out; windows with a hole ahead are left out.
Writes `label_ceiling.csv`, `label_echoes.csv`,
`label_scores.csv` and `label_ceiling.md`.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from scipy.stats import norm

import keras_usmae as ku
from keras_usmae import options
from keras_usmae.data import load_dataset
from keras_usmae.evaluation import (
    ceiling_interval,
    interval_over_records,
    label_ceiling,
    median_offset,
    number_records,
    pick_classically,
    score_in_sigma,
    split_error,
)
from keras_usmae.evaluation.label_scores import FAR_SIGMAS, SHARP_SIGMA
from keras_usmae.evaluation.snr_scores import MEDIAN_OF_NORMAL
from keras_usmae.files import write_csv, write_text

DATASET = "ultrasound_measured/paper"
BIN_WIDTH = 16
FEATURES = ("signal", "onset", "onset_sigma", "source", "interface", "position", "hole_echo", "clipped", "snr_db")
PRESETS = ("tiny_patch64", "tiny", "nano_mcu", "nano")
NEAR = 32  # samples: what lies farther is another echo
# As datasets/ultrasound_measured/README.md states them, in samples of 100 MHz: sigma of the label, and by how much
# tables that were derived apart differ from the labels of an echo, in common.
STATED = {
    ("plane_scan", "front"): (0.26 * 8, 0.0),
    ("plane_scan", "pmma_back"): (0.21 * 8, 0.0),
    ("copper_block", "front"): (0.58, 0.0),
    ("copper_block", "copper_back"): (3.2, -0.42),
    ("copper_array", "front"): (0.29 * 2, 0.14 * 2),
    ("steel_pins", "pin_1"): (2.2 * 2, 0.62 * 2),
    ("steel_pins", "pin_2"): (1.8 * 2, 0.40 * 2),
}


def parts_of(arrays):
    """Labels that are told apart: name to rows."""
    plain, sharp = ~arrays["hole_echo"], arrays["onset_sigma"] < SHARP_SIGMA
    fair = ~arrays["clipped"] & (arrays["snr_db"] >= 18) & (arrays["snr_db"] <= 38)
    names = ("all", "without a hole ahead", "unclipped, 18 to 38 dB", f"sigma below {SHARP_SIGMA:g} samples")
    return dict(zip(names, (np.ones(len(plain), bool), plain, fair, sharp), strict=True))


def ceilings(arrays, split):
    """A row for each part of a split."""
    for name, rows in parts_of(arrays).items():
        facts = {key: values[rows] for key, values in arrays.items()}
        label = number_records(facts["source"], facts["position"], facts["interface"])
        both = facts["onset"], facts["onset_sigma"], BIN_WIDTH
        row = {"split": split, "labels": name, "windows": int(rows.sum()), "records": len(np.unique(label))}
        row |= label_ceiling(*both)
        for key, (low, high) in ceiling_interval(*both, label=label).items():
            row |= {f"{key}_low": low, f"{key}_high": high}
        yield row


def echoes(splits, errors, stored):
    """A row for each labelled echo: what is stated of its sigma, and what windows of the same record show."""
    interfaces = stored.builder.info.features["interface"].names
    plain = {split: ~arrays["hole_echo"] for split, arrays in splits.items()}
    facts = {key: np.concatenate([part[key][plain[split]] for split, part in splits.items()]) for key in FEATURES[1:6]}
    record = number_records(facts["source"], facts["position"], facts["interface"])
    for (source, interface), (label_sigma, shared) in STATED.items():
        rows = (facts["source"] == stored.sources.index(source)) & (facts["interface"] == interfaces.index(interface))
        sigma = float(np.sqrt(np.mean(facts["onset_sigma"][rows] ** 2)))
        row = {"source": source, "interface": interface, "windows": int(rows.sum())}
        row |= {"records": len(np.unique(record[rows])), "sigma": sigma, "label_sigma": label_sigma}
        row |= {"shift_sigma": float(np.sqrt(max(sigma**2 - label_sigma**2, 0))), "stated_common": shared}
        for preset in PRESETS:
            error = np.concatenate([errors[preset][split][plain[split]] for split in splits])[rows]
            error = np.where(np.abs(error) <= NEAR, error, np.nan)
            found = split_error(error, np.zeros(len(error), int), record[rows])
            row |= {f"{preset}_{name}": found[name] for name in ("record", "window")}
            row[f"{preset}_common"] = float(np.nanmedian(error))
        yield row


def by_sure_labels(splits, errors):
    """A row for each estimator: its scores in sigma on the test split, and by the sure labels with their interval."""
    arrays = splits["test"]
    plain, record = ~arrays["hole_echo"], number_records(arrays["source"], arrays["position"])
    sharp = plain & (arrays["onset_sigma"] < SHARP_SIGMA)
    for name, parts in errors.items():
        row = {"estimator": name, **score_in_sigma(parts["test"][plain], arrays["onset_sigma"][plain])}
        low, high = interval_over_records(np.abs(parts["test"][sharp]), record[sharp])
        yield row | {"sharp_low": low, "sharp_high": high, "sharp_records": len(np.unique(record[sharp]))}


def bounded(splits, table, stored):
    """Ceilings of the test labels, had each echo the sigma that the records of the echo show at most."""
    arrays, interfaces = splits["test"], stored.builder.info.features["interface"].names
    sigma = arrays["onset_sigma"].astype("float64")
    for row in table:
        rows = (arrays["source"] == stored.sources.index(row["source"])) & (
            arrays["interface"] == interfaces.index(row["interface"])
        )
        most = min(row[f"{preset}_record"] for preset in PRESETS)
        sigma[rows] = np.clip(sigma[rows], 0.01, max(most, 0.01))
    return {"split": "test", "labels": "all, sigma as records bound it", "windows": len(sigma)} | label_ceiling(
        arrays["onset"], sigma, BIN_WIDTH
    )


def page(rows, table, scored):
    """Lines of the page."""
    form = {"accuracy": 100, "within_one_bin": 100, "mean_error_samples": 1, "median_error_samples": 1}
    digits = {"accuracy": 1, "within_one_bin": 2, "mean_error_samples": 2, "median_error_samples": 2}
    header = ["split", "labels", "windows", "of records", "top-1 (%)", "within 1 bin (%)", "mean error (samples)"]
    yield "| " + " | ".join([*header, "median (samples)"]) + " |"
    yield "| " + " | ".join(["---"] * (len(header) + 1)) + " |"
    for row in rows:
        cells = [row["split"], row["labels"], f"{int(row['windows']):,}", str(row.get("records") or "-")]
        for key, scale in form.items():
            ends = [row.get(f"{key}_{end}", "") for end in ("low", "high")]
            text = f"{scale * float(row[key]):.{digits[key]}f}"
            if "" not in ends:
                text += " ({:.{d}f} to {:.{d}f})".format(*(scale * float(end) for end in ends), d=digits[key])
            cells.append(text)
        yield "| " + " | ".join(cells) + " |"
    yield ""
    yield "What is stated of each echo, and what its records show (validation and test split, samples):"
    yield ""
    header = ["echo", "windows", "records", "sigma", "of it the label's", "of it the shift's", "common, as stated"]
    header += [f"`{preset}`: {what}" for preset in PRESETS for what in ("common", "between records", "within a record")]
    yield "| " + " | ".join(header) + " |"
    yield "| " + " | ".join(["---"] * len(header)) + " |"
    for row in table:
        cells = [f"{row['source']}, {row['interface']}", row["windows"], row["records"]]
        keys = ["sigma", "label_sigma", "shift_sigma", "stated_common"]
        keys += [f"{preset}_{name}" for preset in PRESETS for name in ("common", "record", "window")]
        signed = ("common",)
        cells += [f"{float(row[key]):+.2f}" if key.endswith(signed) else f"{float(row[key]):.2f}" for key in keys]
        yield "| " + " | ".join(map(str, cells)) + " |"
    first = scored[0]
    yield ""
    yield (
        f"The pickers that ship, and the classical ones, on the test split, and by its {first['sharp_signals']} labels "
        f"with a sigma below {SHARP_SIGMA:g} samples, of {first['sharp_records']} records; 95 % intervals over records:"
    )
    yield ""
    yield "| estimator | median error / sigma | beyond 3 sigma (%) | mean error by these labels (samples) | median |"
    yield "| --- | --- | --- | --- | --- |"
    for row in scored:
        cells = [row["estimator"], f"{row['median_error_sigma']:.2f}", f"{100 * row['beyond_three_sigma']:.2f}"]
        cells.append(f"{row['sharp_mean_error_samples']:.2f} ({row['sharp_low']:.2f} to {row['sharp_high']:.2f})")
        yield "| " + " | ".join([*cells, f"{row['sharp_median_error_samples']:.2f}"]) + " |"
    truth = next(row for row in rows if row["split"] == "test" and row["labels"].startswith("sigma below"))
    ends = f"{truth['mean_error_samples_low']:.2f} to {truth['mean_error_samples_high']:.2f}"
    yield (
        f"| ceiling of the labels | {MEDIAN_OF_NORMAL:.2f} | {200 * norm.sf(FAR_SIGMAS):.2f} | "
        f"{truth['mean_error_samples']:.2f} ({ends}) | {truth['median_error_samples']:.2f} |"
    )


def main(
    output: Annotated[Path, typer.Option(help="Folder of the page and the CSVs.")] = Path("docs/experiments"),
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
) -> Path:
    """Computes the ceilings, writes them, and returns the path of the page."""
    stored = load_dataset(DATASET, tfds_dir, raw_dir)
    splits = {split: stored.arrays(split, FEATURES) for split in ("validation", "test")}
    errors = {}
    for preset in PRESETS:
        picker = ku.EchoPicker.from_preset(preset)
        picks = {
            split: picker.pick(arrays["signal"], stored.sampling_rate, scale=1).first().of_each_trace("onset")
            for split, arrays in splits.items()
        }
        offset = median_offset(splits["validation"]["onset"], picks["validation"])
        errors[preset] = {split: picks[split] - arrays["onset"] - offset for split, arrays in splits.items()}
    table = list(echoes(splits, errors, stored))
    classical = {split: pick_classically(arrays["signal"], stored.sampling_rate) for split, arrays in splits.items()}
    for name in classical["test"]:
        offset = median_offset(splits["validation"]["onset"], classical["validation"][name])
        errors[name] = {split: classical[split][name] - arrays["onset"] - offset for split, arrays in splits.items()}
    scored = list(by_sure_labels(splits, errors))
    rows = [row for split, arrays in splits.items() for row in ceilings(arrays, split)]
    rows.append(bounded(splits, table, stored))
    output.mkdir(parents=True, exist_ok=True)
    columns = list(rows[0])
    write_csv(output / "label_ceiling.csv", [{key: row.get(key, "") for key in columns} for row in rows])
    write_csv(output / "label_echoes.csv", table)
    write_csv(output / "label_scores.csv", scored)
    write_page(rows, table, scored, output)
    return output / "label_ceiling.md"


def write_page(rows, table, scored, output):
    """Writes the page from the rows of the CSVs."""
    text = " ".join(__doc__.split("\n\n")[2].split()).partition(" Writes")[0]
    lines = ["# The ceiling of the labels", "", text, "", *page(rows, table, scored)]
    write_text(output / "label_ceiling.md", "\n".join([*lines, ""]))
    print("\n".join(lines))


if __name__ == "__main__":
    options.run(main)
