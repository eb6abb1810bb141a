"""Scores a fine-tuned classifier on any split of any labelled dataset.

    python recipes/evaluate.py --run runs/finetune_synthetic_tiny_ultrasound_measured_paper
    python recipes/evaluate.py --run RUN --dataset ultrasound_measured/clean --split "validation[:500]"

Tells accuracy and error beside those of classical pickers, and whether the stated uncertainty is true: the temperature
of the probabilities is fitted on the validation split of the dataset, and confidence and 95 % intervals of the chosen
split are compared with what is right. Where the SNR is known, errors of unclipped signals are set against the
Cramér-Rao bound of the envelope; `snr.py` tells what it assumes. Writes `metrics.json`, `signals.csv` with a row per
signal, `evaluation.md`, and pictures: errors, reliability, error over SNR with the bound, and the worst signals.
`KERAS_BACKEND` chooses the backend.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from keras_usmae import options
from keras_usmae.data import load_arrays, load_builder, prepare
from keras_usmae.evaluation import coverage, fit_temperature, reliability, score_onsets
from keras_usmae.evaluation.plots import plot_error_over_snr, plot_reliability
from keras_usmae.evaluation.snr import error_over_snr, snr_table
from keras_usmae.models import ToFClassifier, load_trained
from keras_usmae.plotting import plot_tof_errors, plot_tof_examples, save_figure
from keras_usmae.signals import check_signals, pick_aic, pick_threshold, standardize
from keras_usmae.training import check_writable, write_history, write_json
from recipes.experiments.reports import write_markdown

OUTLIER_BINS = 4
NUM_WORST = 8
SNR_COLUMNS = (
    "Errors in samples, their bias included, and as a multiple of the bound. Sigma is the median of the absolute error "
    "/ 0.6745, which outliers do not move; its multiple is that of the errors each divided by the bound of its signal. "
    "The last line is all of these signals together."
)


def load_run(run):
    """The classifier of a run folder, and the dataset that it was trained on."""
    path = run / "classifier.keras" if run.is_dir() else run
    if not path.is_file():
        raise FileNotFoundError(f"There is no fine-tuned classifier at {path}; make one with recipes/finetune.py.")
    config = options.read_json(path.with_name("config.json")) if run.is_dir() else {}
    return load_trained(path, ToFClassifier), config.get("dataset")


def load_labelled(builder, part, classifier):
    """Arrays of a split, checked against what the classifier takes."""
    arrays = load_arrays(builder, part, features=tuple(builder.info.features))
    check_signals(arrays["signal"], classifier.encoder.signal_length)
    return {**arrays, "onset": arrays["onset"].astype("float64")}


def score(onset, estimate, classifier, speed_of_sound, predicted_class=None):
    """Scores of an estimator; errors of more than four bins are outliers."""
    bin_width, rate = classifier.bin_width, classifier.sampling_rate
    scores = score_onsets(onset, estimate, bin_width, rate, speed_of_sound, predicted_class)
    error = np.abs(estimate - onset)
    return {**scores, "outliers": float(np.mean(error[np.isfinite(error)] > OUTLIER_BINS * bin_width))}


def table(estimators):
    """Lines of the Markdown table, an estimator each."""
    for name, scores in estimators.items():
        line = [name, *(f"{scores[key]:.1%}" for key in ("accuracy", "within_one_bin", "outliers", "missed"))]
        for key in ("bias", "median_error", "mean_error", "p95_error", "rmse"):
            samples, nanoseconds, mm = (scores[f"{key}_{unit}"] for unit in ("samples", "ns", "mm"))
            line.append(f"{samples:.2f} = {nanoseconds:.0f} ns = {mm:.3f} mm")
        yield line


def main(
    run: Annotated[Path, typer.Option(help="Run folder of finetune.py, or a classifier's .keras file.")],
    dataset: Annotated[
        str | None, typer.Option(help="Labelled dataset and configuration. Defaults to that of the run.")
    ] = None,
    split: Annotated[
        str, typer.Option(help="train, validation or test as finetune.py has them, or TFDS's such as train[:500].")
    ] = "test",
    speed_of_sound: options.SpeedOfSound = 1480.0,
    output: Annotated[
        Path | None, typer.Option(help="Folder to write. Defaults to one in the run folder, by dataset and split.")
    ] = None,
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
) -> Path:
    """Scores a classifier and returns the folder of its results."""
    classifier, trained_on = load_run(run)
    dataset = dataset or trained_on
    if dataset is None:
        raise ValueError(f"{run} does not tell what it was trained on: name a --dataset.")
    home = run if run.is_dir() else run.parent
    name = f"{dataset}_{split}".translate(str.maketrans("/[]:%", "_____")).strip("_")
    folder = output or home / "evaluation" / name
    check_writable(folder)
    if folder.exists():
        raise FileExistsError(f"{folder} exists already; name another --output, or delete it.")

    builder = prepare(load_builder(dataset, data_dir=tfds_dir, raw_dir=options.originals(dataset, raw_dir)))
    if (rate := options.sampling_rate(builder)) != classifier.sampling_rate:
        raise ValueError(
            f"{dataset} has {rate:g} Hz, the classifier was trained at {classifier.sampling_rate:g} Hz: resample the "
            "recordings (`sampling_rate` in their prepare.toml)."
        )
    splits = options.labelled_splits(builder)
    arrays = load_labelled(builder, splits.get(split, split), classifier)
    signals, onset = arrays["signal"], arrays["onset"]
    held_out = load_labelled(builder, splits["validation"], classifier)

    # The network, its temperature from the validation split, and pickers that need no training.
    bin_width = classifier.bin_width
    logits = classifier.predict(standardize(signals), batch_size=256, verbose=options.progress())
    temperature = fit_temperature(
        classifier.predict(standardize(held_out["signal"]), batch_size=256, verbose=0), held_out["onset"], bin_width
    )
    measured = classifier.decode(logits, temperature=temperature)
    network = run.name if run.is_dir() else run.stem
    estimates = {
        network: measured["onset"].astype("float64"),
        # Their bands at 100 MHz, moved with the sampling rate: they have to stay below half of it.
        "AIC picker": pick_aic(signals, rate, band=(0.003 * rate, 0.2 * rate)),
        "envelope threshold picker": pick_threshold(signals, rate, band=(0.003 * rate, 0.08 * rate)),
    }
    scores = {
        title: score(onset, estimate, classifier, speed_of_sound, logits.argmax(1) if title == network else None)
        for title, estimate in estimates.items()
    }
    curves = {
        "as trained": reliability(logits, onset, bin_width),
        f"temperature {temperature:.2f}": reliability(logits, onset, bin_width, temperature),
    }
    before, after = (curve["expected_calibration_error"] for curve in curves.values())
    inside = coverage(onset, measured["interval"])
    width = float(np.median(np.ptp(measured["interval"], axis=1)))

    # Results, the metrics last: a folder that has them is whole.
    folder.mkdir(parents=True)
    error = estimates[network] - onset
    rows = {"index": np.arange(len(onset)), "onset_samples": onset, "estimate_samples": estimates[network]}
    rows |= {"error_ns": error * 1e9 / rate, "confidence": measured["confidence"], "spread_samples": measured["spread"]}
    rows |= {"low_samples": measured["interval"][:, 0], "high_samples": measured["interval"][:, 1]}
    rows |= {name: arrays[name] for name in ("snr_db", "clipped", "source") if name in arrays}
    write_history(
        folder / "signals.csv", [{key: values[i].item() for key, values in rows.items()} for i in range(len(onset))]
    )
    worst = np.argsort(-np.abs(error))[:NUM_WORST]
    titles = [f"signal {i}: {error[i] * 1e9 / rate:+.0f} ns, confidence {measured['confidence'][i]:.0%}" for i in worst]
    figures = {
        "tof_errors": plot_tof_errors(onset, estimates, bin_width, rate),
        "reliability": plot_reliability(curves),
        "worst": plot_tof_examples(signals[worst], onset[worst], estimates[network][worst], rate, titles),
    }
    over_snr, together, snr_notes = [], [], []
    if "snr_db" in arrays:
        errors = {title: estimate - onset for title, estimate in estimates.items()}
        over_snr, together, snr_notes = error_over_snr(arrays, errors, rate)
    if over_snr:
        figures["error_over_snr"] = plot_error_over_snr(over_snr, rate)
        snr_notes += ["", SNR_COLUMNS, "", *snr_table(over_snr, together)]
    plots = [save_figure(figure, folder / f"{name}.png") for name, figure in figures.items()]
    notes = [
        f"Bins of {bin_width} samples at {rate / 1e6:g} MHz; mm are pulse-echo at {speed_of_sound:g} m/s. Outliers are "
        f"off by more than {OUTLIER_BINS} bins.",
        "",
        f"Calibration: expected calibration error {before:.1%} as trained, {after:.1%} with the temperature "
        f"{temperature:.2f} of the validation split. The 95 % interval holds {inside:.1%} of the labels; its median "
        f"width is {width:.1f} samples = {width * 1e9 / rate:.0f} ns.",
        *(["", "## Error over SNR", "", *snr_notes] if snr_notes else []),
    ]
    header = ["estimator", "top-1", "within 1 bin", "outliers", "missed", "bias", "median error", "mean error"]
    title = f"{network} on {len(onset):,} signals: {dataset}, {split}"
    lines = list(table(scores))
    summary = write_markdown(folder / "evaluation.md", title, [*header, "95th percentile", "RMSE"], lines, notes)
    write_json(
        folder / "metrics.json",
        {
            "dataset": dataset,
            "split": split,
            "signals": len(onset),
            "speed_of_sound": speed_of_sound,
            "scores": scores,
            "calibration": {
                "temperature": temperature,
                "expected_calibration_error": after,
                "expected_calibration_error_as_trained": before,
                "interval_coverage": inside,
                "interval_median_width_samples": width,
            },
            "over_snr": over_snr,
            "over_all_snr": together,
        },
    )
    print(summary.read_text())
    for path in (folder / "metrics.json", folder / "signals.csv", *plots):
        print(f"  {path}")
    return folder


if __name__ == "__main__":
    options.run(main)
