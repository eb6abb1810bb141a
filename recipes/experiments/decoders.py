"""Decoder: is what the cheaper cross-attention decoder teaches worth less than what the paper's does?"""

from recipes.experiments.reports import paired_notes, score_table
from recipes.experiments.sweep import Experiment
from recipes.experiments.trials import run_tof


def trials(sweep):
    """Both decoders, and from scratch beside them."""
    starts = {
        "from scratch": None,
        "decoder full": sweep.pretrained(decoder="full"),
        "decoder cross": sweep.pretrained(decoder="cross"),
    }
    return [
        sweep.trial(name, seed, pretraining=pretraining)
        for seed in range(sweep.seeds)
        for name, pretraining in starts.items()
    ]


def report(rows, sweep, folder):
    """A table with paired tests."""
    title = f"Decoder: {sweep.preset}, {rows[0]['labels']} labels, {sweep.dataset}, {sweep.schedule}"
    notes = paired_notes(rows, "decoder cross", ("decoder full", "from scratch"), "labels")
    notes += paired_notes(
        rows, "decoder cross", ("decoder full", "from scratch"), "labels", "test_mean_error_samples", 1.0, "samples"
    )
    return [score_table(folder / "decoders.md", title, rows, ("labels", "method"), notes, ceilings=sweep.ceilings)]


EXPERIMENT = Experiment(trials, run_tof, report)
