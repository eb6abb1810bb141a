"""What a number of labels is worth, where all of them count: no other label chooses an epoch or takes out an offset.

Fine-tuned networks take the weights after the last step. Pickers that need no label have their constant offset, which
an engineer takes from a calibration block, from the same labels.
"""

import dataclasses

from keras_usmae.files import save_figure
from keras_usmae.models import preset_weights
from recipes.experiments.grid import summarize
from recipes.experiments.plots import plot_curves
from recipes.experiments.reports import paired_notes, score_table
from recipes.experiments.sweep import Experiment
from recipes.experiments.taught import CNN_TAUGHT, TAUGHT, run_taught, taught_trials
from recipes.experiments.trial import Trial
from recipes.experiments.trials import CLASSICAL, READY, run_budget, run_offset

LABELS = (8, 16, 32, 64, 128, 320, 1600, 6400)
MASKED_SIGNALS = 1_638_400  # that the CNN sees, as many as the weights of `nano` that ship have seen
MASKED_CNN = "CNN, masked autoencoder"
FINETUNED = "ready picker, fine-tuned"
RIVALS = (READY, "CNN", MASKED_CNN, CNN_TAUGHT)
MEDIAN = "test_bias_free_without_hole_median_error_samples"
SHOWN = {
    "test_bias_free_without_hole_mean_error_samples": ("mean error (samples)", 1.0, "{:.2f}"),
    "test_bias_free_without_hole_median_error_samples": ("median error (samples)", 1.0, "{:.2f}"),
    "test_bias_free_without_hole_within_one_bin": ("within 1 bin (%)", 100.0, "{:.2f}"),
    "test_bias_free_without_hole_far": ("far or missed (%)", 100.0, "{:.2f}"),
    "test_bias_free_mean_error_samples": ("mean error, holes too (samples)", 1.0, "{:.1f}"),
    "test_accuracy": ("top-1 (%)", 100.0, "{:.1f}"),
}


def starts(sweep):
    """What networks start from: name to the changes of a trial."""
    found = {"from scratch": {}, "CNN": {"architecture": "cnn"}, MASKED_CNN: masked_cnn(sweep)}
    if "synthetic" in preset_weights(sweep.preset):
        found["masked autoencoder"] = {"pretraining": "synthetic"}
    if "picker" in preset_weights(sweep.preset):
        found[FINETUNED] = {"pretraining": "picker"}
    return found


def masked_cnn(sweep):
    """The changes of a trial whose CNN starts from a masked pre-training of its own kind."""
    masked = dataclasses.replace(sweep, run=None).pretrained(
        architecture="cnn", signals=sweep.signals or MASKED_SIGNALS
    )
    return {"architecture": "cnn", "pretraining": masked}


def trials(sweep):
    """Pickers without training first, then the starts at each number of labels, all starts of a seed together."""
    ready = {READY: sweep.preset} if "picker" in preset_weights(sweep.preset) else {}
    pickers = ready | dict.fromkeys(CLASSICAL)
    result = [
        Trial(name, seed, sweep.dataset, preset=preset, picker=name, labels=labels)
        for labels in (0, *LABELS)
        for seed in range(sweep.seeds if labels else 1)
        for name, preset in pickers.items()
    ]
    for labels in sorted(LABELS, key=lambda labels: labels not in (64, 320)):
        for seed in range(sweep.seeds):
            result += taught_trials(sweep, seed, labels)
            result += [sweep.trial(name, seed, labels, **changes) for name, changes in starts(sweep).items()]
    return result


def run(trial, place):
    """Fine-tunes, teaches or picks, and scores."""
    return (run_offset if trial.picker else run_taught if trial.mode == "taught" else run_budget)(trial, place)


def report(rows, sweep, folder):
    """Table and curves over the number of labels."""
    rows = sorted(rows, key=lambda row: row["labels"])
    value = "test_bias_free_without_hole_mean_error_samples"
    notes = [
        "The scores but for the last two are of the windows without a hole ahead of the labelled echo, with the median "
        "error on the training labels taken out. Weights are those of the last step: no validation label takes part.",
        *paired_notes(
            rows, FINETUNED, ("masked autoencoder", "CNN", READY), "labels", value, 1.0, "samples of mean error"
        ),
        *paired_notes(rows, MASKED_CNN, ("CNN", "masked autoencoder"), "labels", value, 1.0, "samples of mean error"),
        *paired_notes(rows, MASKED_CNN, ("CNN", "masked autoencoder"), "labels"),
        *paired_notes(rows, TAUGHT, RIVALS, "labels", value, 1.0, "samples of mean error"),
        *paired_notes(rows, TAUGHT, RIVALS, "labels", MEDIAN, 1.0, "samples of median error"),
    ]
    title = f"What labels are worth: {sweep.preset}, {sweep.dataset}, test split, {sweep.schedule}"
    files = [score_table(folder / "budget.md", title, rows, ("labels", "method"), notes, SHOWN)]
    groups = summarize(rows, ("method", "labels"), (value,))
    figure = plot_curves(groups, "labels", value, "Mean error (samples)")
    figure.axes[0].set_yscale("log")
    return [*files, save_figure(figure, folder / "budget.png")]


EXPERIMENT = Experiment(trials, run, report)
