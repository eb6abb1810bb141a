"""Label budget: where does pre-training pay most, and where does it stop?"""

from keras_usmae.files import save_figure
from recipes.experiments.grid import summarize
from recipes.experiments.plots import plot_curves
from recipes.experiments.reports import SHOWN_UNCLIPPED, paired_notes, score_table
from recipes.experiments.sweep import Experiment
from recipes.experiments.trial import Trial
from recipes.experiments.trials import run_picker, run_tof

NUM_LABELS = {"ultrasound_measured/paper": 6400}
SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
SYNTHETIC_LABELS = 64_000
PICKER = "AIC picker"


def methods(sweep):
    """What is compared at each label budget: name to the changes of a trial."""
    synthetic = {"synthetic_labels": SYNTHETIC_LABELS, "synthetic_config": sweep.pretraining.partition("/")[2]}
    return {
        **sweep.starts(),
        "pre-trained on measured": {"pretraining": sweep.pretrained(dataset=sweep.dataset)},
        "pre-trained, synthetic labels": {"pretraining": sweep.shipped(), **synthetic},
        "CNN, synthetic labels": {"architecture": "cnn", **synthetic},
    }


def trials(sweep):
    """Every method at every share of the measured labels, most telling shares first, and a picker without any."""
    total = NUM_LABELS.get(sweep.dataset)
    if total is None:
        raise ValueError(f"The label budget is that of {', '.join(NUM_LABELS)}, not of {sweep.dataset!r}.")
    result = [Trial(PICKER, 0, sweep.dataset, picker=PICKER, labels=0)]
    for share in sorted(SHARES, key=lambda share: share not in (0.0, 0.01, 0.05, 1.0)):
        for seed in range(sweep.seeds if share else 1):
            for name, changes in methods(sweep).items():
                if share or "synthetic_labels" in changes:
                    result.append(sweep.trial(name, seed, round(share * total), **changes))
    return result


def run(trial, place):
    """Fine-tunes, or picks, and scores."""
    return (run_picker if trial.picker else run_tof)(trial, place)


def report(rows, sweep, folder):
    """Table and curves over the number of labels."""
    rivals = ("from scratch", "CNN", "pre-trained on measured")
    rows = sorted(rows, key=lambda row: row["labels"])
    notes = paired_notes(rows, "pre-trained", rivals, "labels")
    notes += paired_notes(
        rows, "pre-trained", rivals, "labels", "test_mean_error_samples", 1.0, "samples of mean error"
    )
    title = f"Label budget: {sweep.preset}, {sweep.dataset}, test split, {sweep.schedule}"
    files = [
        score_table(folder / "labels.md", title, rows, ("labels", "method"), notes, SHOWN_UNCLIPPED, sweep.ceilings)
    ]
    for value, label, scale in (
        ("test_accuracy", "Top-1 accuracy (%)", 100.0),
        ("test_mean_error_samples", "Mean error (samples)", 1.0),
    ):
        figure = plot_curves(summarize(rows, ("method", "labels"), (value,)), "labels", value, label, scale)
        files.append(save_figure(figure, folder / f"labels_{value.removeprefix('test_')}.png"))
    return files


EXPERIMENT = Experiment(trials, run, report)
