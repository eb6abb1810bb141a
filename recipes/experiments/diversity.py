"""Diversity: what must an encoder have seen to be of use for a transducer that none of the labels comes from?"""

from recipes.experiments.mixtures import TRANSDUCERS
from recipes.experiments.plan import Experiment
from recipes.experiments.reports import paired_notes, score_table

SHOTS = (0, 32)
BOTH = ("ultrasound_synthetic/paper", "ultrasound_synthetic/diverse")


def cells(plan):
    """Each transducer held out from labels and, where measured signals take part, from pre-training."""
    result = []
    for held_out in TRANSDUCERS:
        mixtures = {
            "from scratch": None,
            "paper": {"dataset": BOTH[0], "held_out": None},
            "diverse": {"dataset": BOTH[1], "held_out": None},
            "both and measured": {"dataset": "+".join((*BOTH, plan.dataset)), "held_out": held_out},
        }
        for seed in range(plan.seeds):
            for shots in SHOTS:
                for name, mixture in mixtures.items():
                    pretraining = mixture and plan.pretrained(**mixture)
                    cell = plan.trial(name, seed, pretraining=pretraining)
                    result.append({**cell, "held_out": held_out, "shots": shots})
    return result


def run(laboratory, cell):
    """Trains on the other transducers' labels, and a few of the held-out one, and scores on that."""
    return laboratory.unseen(cell)


def report(rows, plan, folder):
    """A table with paired tests."""
    rows = [{**row, "unseen": f"{row['held_out']}, {row['shots']} of its labels"} for row in rows]
    notes = []
    for value, unit in (("test_median_error_samples", "median"), ("test_mean_error_samples", "mean")):
        for contender in ("paper", "diverse", "both and measured"):
            rivals = ("from scratch",) if contender == "paper" else ("from scratch", "paper")
            notes += paired_notes(rows, contender, rivals, "unseen", value, 1.0, f"samples of {unit} error")
    title = f"Diversity of pre-training: {plan.preset}, unseen transducer of {plan.dataset}, {plan.schedule}"
    return [score_table(folder / "diversity.md", title, rows, ("unseen", "contender"), notes)]


EXPERIMENT = Experiment(cells, run, report)
