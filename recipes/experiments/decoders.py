"""Decoder: is what the cheaper cross-attention decoder teaches worth less than what the paper's does?"""

from recipes.experiments.plan import Experiment
from recipes.experiments.reports import paired_notes, score_table
from recipes.experiments.trials import run_tof


def trials(plan):
    """Both decoders, and from scratch beside them."""
    starts = {
        "from scratch": None,
        "decoder full": plan.pretrained(decoder="full"),
        "decoder cross": plan.pretrained(decoder="cross"),
    }
    return [
        plan.trial(name, seed, pretraining=pretraining)
        for seed in range(plan.seeds)
        for name, pretraining in starts.items()
    ]


def report(rows, plan, folder):
    """A table with paired tests."""
    title = f"Decoder: {plan.preset}, {rows[0]['labels']} labels, {plan.dataset}, {plan.schedule}"
    notes = paired_notes(rows, "decoder cross", ("decoder full", "from scratch"), "labels")
    notes += paired_notes(
        rows, "decoder cross", ("decoder full", "from scratch"), "labels", "test_mean_error_samples", 1.0, "samples"
    )
    return [score_table(folder / "decoders.md", title, rows, ("labels", "contender"), notes)]


EXPERIMENT = Experiment(trials, run_tof, report)
