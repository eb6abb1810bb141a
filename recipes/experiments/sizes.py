"""Model size, from scratch and pre-trained: a model that is too large knows its labels and little else."""

from keras_usmae.files import save_figure
from keras_usmae.models import MAEEncoder
from recipes.experiments.grid import summarize
from recipes.experiments.plots import plot_curves
from recipes.experiments.reports import paired_notes, score_table
from recipes.experiments.sweep import Experiment
from recipes.experiments.trials import run_tof

PRESETS = ("nano", "tiny", "small", "base")
SHOWN = {
    "train_accuracy": ("top-1, training signals (%)", 100.0, "{:.1f}"),
    "validation_accuracy": ("top-1, validation (%)", 100.0, "{:.1f}"),
    "test_accuracy": ("top-1, test (%)", 100.0, "{:.1f}"),
    "validation_mean_error_samples": ("mean error, validation (samples)", 1.0, "{:.1f}"),
    "test_mean_error_samples": ("mean error, test (samples)", 1.0, "{:.1f}"),
}


def trials(sweep):
    """Every preset with both starts, the small ones first."""
    return [
        sweep.trial(method, seed, preset=preset, pretraining=pretraining)
        for preset in PRESETS
        for seed in range(sweep.seeds)
        for method, pretraining in (("from scratch", None), ("pre-trained", sweep.shipped(preset)))
    ]


def report(rows, sweep, folder):
    """Table, and accuracy on training and validation signals over the number of parameters."""
    title = f"Model size: {rows[0]['labels']} labels, {sweep.dataset}, {sweep.schedule}"
    notes = paired_notes(rows, "pre-trained", ("from scratch",), "preset")
    notes += paired_notes(
        rows, "pre-trained", ("from scratch",), "preset", "test_mean_error_samples", 1.0, "samples of mean error"
    )
    files = [score_table(folder / "sizes.md", title, rows, ("preset", "method"), notes, SHOWN, sweep.ceilings)]
    parameters = {preset: MAEEncoder.from_preset(preset).count_params() for preset in {row["preset"] for row in rows}}
    curves = [
        {
            "method": f"{row['method']}, {split}",
            "parameters": parameters[row["preset"]],
            "accuracy": row[f"{split}_accuracy"],
        }
        for split in ("train", "validation")
        for row in rows
    ]
    groups = summarize(curves, ("method", "parameters"), ("accuracy",))
    figure = plot_curves(groups, "parameters", "accuracy", "Top-1 accuracy (%)", 100.0)
    return [*files, save_figure(figure, folder / "sizes.png")]


EXPERIMENT = Experiment(trials, run_tof, report)
