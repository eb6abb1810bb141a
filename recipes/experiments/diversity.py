"""Diversity: what must an encoder have seen to be of use for a transducer that none of the labels comes from?"""

from recipes.experiments.mixtures import TRANSDUCERS
from recipes.experiments.reports import paired_notes, score_table
from recipes.experiments.sweep import Experiment
from recipes.experiments.trials import run_unseen

SHOTS = (0, 32)
BOTH = ("ultrasound_synthetic/paper", "ultrasound_synthetic/diverse")


def trials(sweep):
    """Each transducer held out from labels and, where measured signals take part, from pre-training."""
    result = []
    for held_out in TRANSDUCERS:
        mixtures = {
            "from scratch": None,
            "paper": {"dataset": BOTH[0], "mixture": True},
            "diverse": {"dataset": BOTH[1], "mixture": True},
            "both and measured": {"dataset": "+".join((*BOTH, sweep.dataset)), "mixture": True, "held_out": held_out},
        }
        for seed in range(sweep.seeds):
            for shots in SHOTS:
                for name, mixture in mixtures.items():
                    pretraining = mixture and sweep.pretrained(**mixture)
                    scored = {"held_out": held_out, "shots": shots}
                    result.append(sweep.trial(name, seed, pretraining=pretraining, **scored))
    return result


def report(rows, sweep, folder):
    """A table with paired tests."""
    rows = [{**row, "unseen": f"{row['held_out']}, {row['shots']} of its labels"} for row in rows]
    notes = []
    for value, unit in (("test_median_error_samples", "median"), ("test_mean_error_samples", "mean")):
        for method in ("paper", "diverse", "both and measured"):
            rivals = ("from scratch",) if method == "paper" else ("from scratch", "paper")
            notes += paired_notes(rows, method, rivals, "unseen", value, 1.0, f"samples of {unit} error")
    title = f"Diversity of pre-training: {sweep.preset}, unseen transducer of {sweep.dataset}, {sweep.schedule}"
    ceilings = [{**row, "unseen": row["held_out"]} for row in sweep.ceilings]
    return [score_table(folder / "diversity.md", title, rows, ("unseen", "method"), notes, ceilings=ceilings)]


EXPERIMENT = Experiment(trials, run_unseen, report, tuple(TRANSDUCERS))
