"""What an evaluation leaves in a folder: tables, figures, and the scores as JSON."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.evaluation.evaluate import OUTLIER_BINS
from keras_usmae.evaluation.label_scores import FAR_SIGMAS, SHARP_SIGMA
from keras_usmae.evaluation.plots import plot_error_over_snr, plot_reliability, plot_tof_errors, plot_tof_examples
from keras_usmae.evaluation.snr import error_over_snr, snr_table
from keras_usmae.evaluation.snr_scores import MEDIAN_OF_NORMAL
from keras_usmae.files import save_figure, write_csv, write_json, write_markdown
from keras_usmae.signals import samples_to_mm

CEILING_NOTE = (
    "The ceiling of the labels is what the truth would score by them, were all of their stated sigma random. Who "
    "scores better has learnt what the labels' errors have in common, or sigma is stated too large: above the ceiling, "
    "scores do not tell who is nearer to the truth."
)

if TYPE_CHECKING:
    from keras_usmae.evaluation.evaluate import Evaluation

NUM_WORST = 8
SNR_COLUMNS = (
    "Errors in samples, their bias included, and as a multiple of the bound. Sigma is the median of the absolute error "
    "/ 0.6745, which outliers do not move; its multiple is that of the errors each divided by the bound of its signal. "
    "The last line is all of these signals together."
)


def write_evaluation(
    found: "Evaluation",
    arrays: dict,
    folder: str | Path,
    network: str,
    dataset: str,
    split: str,
    rate: float,
    bin_width: int,
    speed_of_sound: float = 1480.0,
) -> tuple:
    """Writes `signals.csv`, `evaluation.md`, figures, and last `metrics.json`: a folder that has it is whole.

    Args:
        found: `Evaluation`, what `evaluate` gave.
        arrays: dict of arrays of the scored signals: `"signal"`, `"onset"`, and what else the dataset knows of them.
        folder: path of a folder, which must not exist.
        rate: float, sampling rate in Hz.
        speed_of_sound: float, m/s. Defaults to `1480.0`, water.

    Returns:
        A tuple of the table as text, and a list of the paths of all other files.

    Raises:
        FileExistsError: where the folder exists.
    """
    signals, onset, folder = arrays["signal"], arrays["onset"], Path(folder)
    folder.mkdir(parents=True)
    estimate = found.estimates[network]
    error = estimate - onset
    rows = {"index": np.arange(len(onset)), "onset_samples": onset, "estimate_samples": estimate}
    rows |= {"error_ns": error * 1e9 / rate, "confidence": found.confidence}
    rows |= {"low_samples": found.interval[:, 0], "high_samples": found.interval[:, 1]}
    rows |= {name: arrays[name] for name in ("snr_db", "clipped", "source", "hole_echo") if name in arrays}
    write_csv(
        folder / "signals.csv", [{key: values[i].item() for key, values in rows.items()} for i in range(len(onset))]
    )
    worst = np.argsort(-np.nan_to_num(np.abs(error), nan=np.inf))[:NUM_WORST]
    titles = [f"signal {i}: {error[i] * 1e9 / rate:+.0f} ns, confidence {found.confidence[i]:.0%}" for i in worst]
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
        *_fair_notes(found),
        "",
        _calibration(found, rate),
        *(["", "## Error over SNR", "", *snr_notes] if snr_notes else []),
    ]
    header = ["estimator", "top-1", "within 1 bin", "outliers", "missed", "bias", "median error", "mean error"]
    title = f"{network} on {len(onset):,} signals: {dataset}, {split}"
    lines = [*_table(found.scores), *_ceiling_line(found, rate, speed_of_sound)]
    summary = write_markdown(folder / "evaluation.md", title, [*header, "95th percentile", "RMSE"], lines, notes)
    write_json(
        folder / "metrics.json",
        {
            "dataset": dataset,
            "split": split,
            "signals": len(onset),
            "speed_of_sound": speed_of_sound,
            "scores": found.scores,
            "ceiling_of_the_labels": found.ceiling,
            "recall": found.recall,
            "calibration": found.calibration,
            "over_snr": over_snr,
            "over_all_snr": together,
        },
    )
    return summary.read_text(), [folder / "metrics.json", folder / "signals.csv", *plots]


def _table(estimators):
    """Lines of the Markdown table: an estimator as it stands, and with its offset taken out."""
    for name, scores in estimators.items():
        line = [name, *(f"{scores[key]:.1%}" for key in ("accuracy", "within_one_bin", "outliers", "missed"))]
        for key in ("bias", "median_error", "mean_error", "p95_error", "rmse"):
            samples, nanoseconds, mm = (scores[f"{key}_{unit}"] for unit in ("samples", "ns", "mm"))
            line.append(f"{samples:.2f} = {nanoseconds:.0f} ns = {mm:.3f} mm")
        yield line


def _ceiling_line(found, rate, speed_of_sound):
    """A line of that table for what the truth would score by these labels, where they state how sure they are."""
    if not found.ceiling:
        return
    scores = found.ceiling["all"]
    line = ["ceiling of the labels", *(f"{scores[key]:.1%}" for key in ("accuracy", "within_one_bin")), "-", "-", "-"]
    for key in ("median_error", "mean_error", "p95_error", "rmse"):
        value = scores[f"{key}_samples"]
        mm = samples_to_mm(value, rate, speed_of_sound)
        line.append(f"{value:.2f} = {value * 1e9 / rate:.0f} ns = {mm:.3f} mm")
    yield line


def _bias_free_table(found, kind, part):
    """Lines of the Markdown table with the offsets taken out."""
    header = ["estimator", "offset", "top-1", "within 1 bin", "far or missed", "median error", "mean error", "RMSE"]
    sure = f"mean error, sigma < {SHARP_SIGMA:g}"
    truth = found.ceiling.get(part)
    header += ["median error / sigma", f"beyond {FAR_SIGMAS:g} sigma", sure] if truth else []
    yield "| " + " | ".join(header) + " |"
    yield "| " + " | ".join(["---"] * len(header)) + " |"
    for name, scores in found.scores.items():
        free = scores[kind]
        line = [name, f"{scores['offset_samples']:+.2f}", *_shares_and_errors(free)]
        if truth:
            line += [f"{free['median_error_sigma']:.2f}", f"{free['beyond_three_sigma']:.2%}"]
            line += [f"{free['sharp_mean_error_samples']:.2f}"]
        yield "| " + " | ".join(line) + " |"
    if truth:
        last = f"{truth['sharp_mean_error_samples']:.2f}"
        line = ["ceiling of the labels", "-", *_shares_and_errors(truth), f"{MEDIAN_OF_NORMAL:.2f}", "0.27%", last]
        yield "| " + " | ".join(line) + " |"


def _shares_and_errors(scores):
    """Cells that both tables of bias-free scores have of an estimator and of the truth."""
    cells = [f"{scores['accuracy']:.1%}", f"{scores['within_one_bin']:.2%}", f"{scores['far']:.2%}"]
    return cells + [f"{scores[f'{key}_samples']:.2f}" for key in ("median_error", "mean_error", "rmse")]


def _fair_notes(found):
    """Lines of Markdown: bias-free scores of all signals, of those without a hole, and the recall of a picker."""
    lines = [
        "",
        "## With the constant offset taken out",
        "",
        "The offset is the median error on the validation split, in samples. Far is off by more than two bins.",
        "",
        *_bias_free_table(found, "bias_free", "all"),
    ]
    first = next(iter(found.scores.values()))
    if "bias_free_without_hole" in first:
        count = first["bias_free_without_hole"]["signals"]
        lines += ["", f"The same for the {count:,} signals without a drilled hole ahead of the labelled echo:", ""]
        lines += _bias_free_table(found, "bias_free_without_hole", "without_hole")
    if found.ceiling:
        sharp = first["bias_free"]["sharp_signals"]
        lines += ["", CEILING_NOTE, "", f"{sharp:,} of all labels have a sigma below {SHARP_SIGMA:g} samples."]
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


def _calibration(found, rate):
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
