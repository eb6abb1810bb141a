"""Patch size and masking ratio: does a better reconstruction make a better start?"""

from keras_usmae.files import save_figure
from recipes.experiments.grid import summarize
from recipes.experiments.plots import plot_scatter
from recipes.experiments.reports import SHOWN_UNCLIPPED, paired_notes, score_table
from recipes.experiments.starts import reconstruction_loss
from recipes.experiments.sweep import Experiment
from recipes.experiments.trials import run_tof

PATCH_SIZES = (32, 16, 64, 8)
MASK_RATIOS = (0.5, 0.875, 0.625)
USUAL = {"patch_size": 32, "mask_ratio": 0.75}  # pre-trained for other experiments too


def trials(sweep):
    """Patch sizes at 75 % and ratios at 32 samples, and from scratch with each patch size."""
    pairs = [(patch_size, 0.75) for patch_size in PATCH_SIZES] + [(32, ratio) for ratio in MASK_RATIOS]
    result = []
    for patch_size, mask_ratio in pairs:
        changes = {"patch_size": patch_size, "mask_ratio": mask_ratio}
        pretraining = sweep.pretrained(**({} if changes == USUAL else changes))
        name = f"patch {patch_size}, {100 * mask_ratio:g} % removed"
        for seed in range(sweep.seeds):
            result.append(sweep.trial(name, seed, pretraining=pretraining, patch_size=patch_size))
            if mask_ratio == 0.75:
                result.append(sweep.trial(f"patch {patch_size}, from scratch", seed, patch_size=patch_size))
    return result


def run(trial, place):
    """Fine-tunes and scores, and gives the reconstruction loss of its pre-training."""
    loss = reconstruction_loss(trial.pretraining, place) if trial.pretraining else float("nan")
    return {"reconstruction_loss": loss, **run_tof(trial, place)}


def _compared(rows):
    """Paired tests: pre-trained against from scratch with each patch size, and each pre-training against the usual."""
    error = ("test_mean_error_samples", 1.0, "samples of mean error")
    pretrained = [row for row in rows if row["pretraining"]]
    usual = f"patch {USUAL['patch_size']}, {100 * USUAL['mask_ratio']:g} % removed"
    others = {row["method"] for row in pretrained} - {usual}
    notes = []
    for name in sorted(others | {usual}):
        patch_size = next(row["patch_size"] for row in pretrained if row["method"] == name)
        notes += paired_notes(rows, name, (f"patch {patch_size}, from scratch",), "labels", *error)
    for name in sorted(others):
        notes += paired_notes(rows, name, (usual,), "labels", *error)
    return notes


def report(rows, sweep, folder):
    """Table, and reconstruction error against what comes of it."""
    shown = {"reconstruction_loss": ("reconstruction", 1.0, "{:.3f}"), **SHOWN_UNCLIPPED}
    title = (
        f"Patch size and masking ratio: {sweep.preset}, {rows[0]['labels']} labels, {sweep.dataset}, test split, "
        f"{sweep.schedule}"
    )
    notes = [
        "Reconstruction: mean square of masked patches of synthetic validation signals; 1.0 is predicting nothing.",
        "",
    ]
    notes += _compared(rows)
    files = [score_table(folder / "masking.md", title, rows, ("method",), notes, shown, sweep.ceilings)]
    pretrained = [row for row in rows if row["pretraining"]]
    groups = summarize(pretrained, ("method",), ("reconstruction_loss", "test_accuracy", "test_mean_error_samples"))
    figure = plot_scatter(
        groups,
        ("reconstruction_loss", "Reconstruction error (1.0 is predicting nothing)", 1.0),
        [("test_accuracy", "Top-1 accuracy (%)", 100.0), ("test_mean_error_samples", "Mean error (samples)", 1.0)],
    )
    return [*files, save_figure(figure, folder / "masking.png")]


EXPERIMENT = Experiment(trials, run, report)
