"""Scores the ready picker, or a fine-tuned classifier, on any split of any labelled dataset, beside classical pickers.

    python recipes/evaluate.py --preset tiny --dataset ultrasound_measured/paper
    python recipes/evaluate.py --run runs/finetune_synthetic_tiny_ultrasound_measured_paper
    python recipes/evaluate.py --run RUN --dataset ultrasound_measured/clean --split "validation[:500]"

Scores are told twice: as each estimator stands, and with its constant offset taken out, as a calibration block does it
(the median error on the validation split). Signals with a drilled hole ahead of the labelled echo are scored apart
where the dataset marks them, and of a picker of several echoes also whether the labelled one is among its picks. The
stated uncertainty is compared with what is right. Where the SNR is known, errors of unclipped signals are set against
the Cramér-Rao bound of the envelope. Writes `metrics.json`, `signals.csv` with a row per signal, `evaluation.md`, and
pictures: errors, reliability, error over SNR with the bound, and the worst signals. `KERAS_BACKEND` chooses the
backend.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from keras_usmae import options
from keras_usmae.data import load_dataset
from keras_usmae.evaluation import evaluate
from keras_usmae.evaluation.evaluate import OUTLIER_BINS
from keras_usmae.evaluation.plots import plot_error_over_snr, plot_reliability
from keras_usmae.evaluation.snr import error_over_snr, snr_table
from keras_usmae.models import ToFClassifier, load_trained
from keras_usmae.picker import EchoPicker
from keras_usmae.picker.picker import DETECTOR_FILE
from keras_usmae.plotting import plot_tof_errors, plot_tof_examples, save_figure
from keras_usmae.training import check_writable, write_history, write_json
from recipes.experiments.reports import write_markdown

NUM_WORST = 8
SNR_COLUMNS = (
    "Errors in samples, their bias included, and as a multiple of the bound. Sigma is the median of the absolute error "
    "/ 0.6745, which outliers do not move; its multiple is that of the errors each divided by the bound of its signal. "
    "The last line is all of these signals together."
)


def load_model(run, preset):
    """The classifier or picker, its name, the dataset that it was trained on, and the signals that it takes."""
    if (run is None) == (preset is None):
        raise ValueError("Give either --run, a run folder, or --preset, the name of a picker that comes with us.")
    if run is None:
        return EchoPicker.from_preset(preset), preset, None, {}
    if (run / DETECTOR_FILE).is_file():
        return EchoPicker.from_run(run), run.name, None, {}
    path = run / "classifier.keras" if run.is_dir() else run
    if not path.is_file():
        raise FileNotFoundError(f"There is no fine-tuned classifier at {path}; make one with recipes/finetune.py.")
    config = options.read_json(path.with_name("config.json")) if run.is_dir() else {}
    model = load_trained(path, ToFClassifier)
    needs = {"sampling_rate": model.sampling_rate, "signal_length": model.encoder.signal_length}
    return model, run.name if run.is_dir() else run.stem, config.get("dataset"), needs


def table(estimators):
    """Lines of the Markdown table: an estimator as it stands, and with its offset taken out."""
    for name, scores in estimators.items():
        line = [name, *(f"{scores[key]:.1%}" for key in ("accuracy", "within_one_bin", "outliers", "missed"))]
        for key in ("bias", "median_error", "mean_error", "p95_error", "rmse"):
            samples, nanoseconds, mm = (scores[f"{key}_{unit}"] for unit in ("samples", "ns", "mm"))
            line.append(f"{samples:.2f} = {nanoseconds:.0f} ns = {mm:.3f} mm")
        yield line


def bias_free_table(estimators, kind):
    """Lines of the Markdown table with the offsets taken out."""
    header = ["estimator", "offset", "within 1 bin", "far or missed", "median error", "mean error", "RMSE"]
    yield "| " + " | ".join(header) + " |"
    yield "| " + " | ".join(["---"] * len(header)) + " |"
    for name, scores in estimators.items():
        free = scores[kind]
        line = [name, f"{scores['offset_samples']:+.2f}", f"{free['within_one_bin']:.2%}", f"{free['far']:.2%}"]
        line += [f"{free[f'{key}_samples']:.2f}" for key in ("median_error", "mean_error", "rmse")]
        yield "| " + " | ".join(line) + " |"


def fair_notes(found):
    """Lines of Markdown: bias-free scores of all signals, of those without a hole, and the recall of a picker."""
    lines = [
        "",
        "## With the constant offset taken out",
        "",
        "The offset is the median error on the validation split, in samples. Far is off by more than two bins.",
        "",
        *bias_free_table(found.scores, "bias_free"),
    ]
    first = next(iter(found.scores.values()))
    if "bias_free_without_hole" in first:
        count = first["bias_free_without_hole"]["signals"]
        lines += ["", f"The same for the {count:,} signals without a drilled hole ahead of the labelled echo:", ""]
        lines += bias_free_table(found.scores, "bias_free_without_hole")
    if found.recall:
        recall = found.recall
        lines += [
            "",
            f"The labelled echo is among the picks of {recall['recall']:.2%} of the signals, and among the three "
            f"strongest of {recall['recall_of_three']:.2%}, at {recall['picks_a_signal']:.2f} picks a signal. "
            f"{recall['no_pick']:.2%} of the signals have no pick. The 95 % intervals of the picks that found it hold "
            f"{recall['coverage']:.1%} of the labels.",
        ]
    return lines


def honesty(found, rate):
    """A sentence on the stated uncertainty."""
    width = found.calibration["interval_median_width_samples"]
    text = (
        f"The 95 % interval holds {found.calibration['interval_coverage']:.1%} of the labels; its median width is "
        f"{width:.1f} samples = {width * 1e9 / rate:.0f} ns."
    )
    if "temperature" not in found.calibration:
        return text
    before, after = (found.calibration[f"expected_calibration_error{kind}"] for kind in ("_as_trained", ""))
    return (
        f"Calibration: expected calibration error {before:.1%} as trained, {after:.1%} with the temperature "
        f"{found.calibration['temperature']:.2f} of the validation split. {text}"
    )


def main(
    run: Annotated[
        Path | None, typer.Option(help="Run folder of finetune.py or train_picker.py, or a classifier's .keras file.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Picker that comes with the package: nano, tiny.")] = None,
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
    """Scores a model and returns the folder of its results."""
    model, network, trained_on, needs = load_model(run, preset)
    dataset = dataset or trained_on
    if dataset is None:
        raise ValueError(f"{network} does not tell what it was trained on: name a --dataset.")
    home = Path("runs") / f"picker_{preset}" if run is None else run if run.is_dir() else run.parent
    name = f"{dataset}_{split}".translate(str.maketrans("/[]:%", "_____")).strip("_")
    folder = output or home / "evaluation" / name
    check_writable(folder)
    if folder.exists():
        raise FileExistsError(f"{folder} exists already; name another --output, or delete it.")

    stored = load_dataset(dataset, tfds_dir, raw_dir)
    rate = stored.sampling_rate
    if rate != needs.get("sampling_rate", rate):
        raise ValueError(
            f"{dataset} has {rate:g} Hz, the classifier was trained at {needs['sampling_rate']:g} Hz: resample the "
            "recordings (`sampling_rate` in their prepare.toml)."
        )
    arrays, held_out = (stored.arrays(part, length=needs.get("signal_length")) for part in (split, "validation"))
    for part in (arrays, held_out):
        part["onset"] = part["onset"].astype("float64")
    signals, onset = arrays["signal"], arrays["onset"]
    found = evaluate(model, arrays, held_out, rate, speed_of_sound, network, verbose=options.progress())

    # Results, the metrics last: a folder that has them is whole.
    folder.mkdir(parents=True)
    estimate = found.estimates[network]
    error = estimate - onset
    rows = {"index": np.arange(len(onset)), "onset_samples": onset, "estimate_samples": estimate}
    rows |= {"error_ns": error * 1e9 / rate, "confidence": found.confidence}
    rows |= {"low_samples": found.interval[:, 0], "high_samples": found.interval[:, 1]}
    rows |= {name: arrays[name] for name in ("snr_db", "clipped", "source", "hole_echo") if name in arrays}
    write_history(
        folder / "signals.csv", [{key: values[i].item() for key, values in rows.items()} for i in range(len(onset))]
    )
    worst = np.argsort(-np.nan_to_num(np.abs(error), nan=np.inf))[:NUM_WORST]
    titles = [f"signal {i}: {error[i] * 1e9 / rate:+.0f} ns, confidence {found.confidence[i]:.0%}" for i in worst]
    bin_width = getattr(model, "detector", model).bin_width
    figures = {
        "tof_errors": plot_tof_errors(onset, found.estimates, bin_width, rate),
        "worst": plot_tof_examples(signals[worst], onset[worst], estimate[worst], rate, titles),
    }
    if found.curves:
        figures["reliability"] = plot_reliability(found.curves)
    over_snr, together, snr_notes = [], [], []
    if "snr_db" in arrays:
        # An echo of a drilled hole is no error of the noise.
        plain = ~arrays.get("hole_echo", np.zeros(len(onset), bool))
        errors = {title: (each - onset)[plain] for title, each in found.estimates.items()}
        over_snr, together, snr_notes = error_over_snr({k: v[plain] for k, v in arrays.items()}, errors, rate)
    if over_snr:
        figures["error_over_snr"] = plot_error_over_snr(over_snr, rate)
        snr_notes += ["", SNR_COLUMNS, "", *snr_table(over_snr, together)]
    plots = [save_figure(figure, folder / f"{name}.png") for name, figure in figures.items()]
    notes = [
        f"Bins of {bin_width} samples at {rate / 1e6:g} MHz; mm are pulse-echo at {speed_of_sound:g} m/s. Outliers are "
        f"off by more than {OUTLIER_BINS} bins.",
        *fair_notes(found),
        "",
        honesty(found, rate),
        *(["", "## Error over SNR", "", *snr_notes] if snr_notes else []),
    ]
    header = ["estimator", "top-1", "within 1 bin", "outliers", "missed", "bias", "median error", "mean error"]
    title = f"{network} on {len(onset):,} signals: {dataset}, {split}"
    lines = list(table(found.scores))
    summary = write_markdown(folder / "evaluation.md", title, [*header, "95th percentile", "RMSE"], lines, notes)
    write_json(
        folder / "metrics.json",
        {
            "dataset": dataset,
            "split": split,
            "signals": len(onset),
            "speed_of_sound": speed_of_sound,
            "scores": found.scores,
            "recall": found.recall,
            "calibration": found.calibration,
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
