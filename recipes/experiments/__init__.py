"""The experiments of `run.py`, a file each: which trials it has, how one is run, and what is shown of them."""

from recipes.experiments import baselines, budget, decoders, diversity, labels, masking, sizes, tasks
from recipes.experiments.physics import question

EXPERIMENTS = {
    "baselines": baselines.EXPERIMENT,
    "masking": masking.EXPERIMENT,
    "sizes": sizes.EXPERIMENT,
    "labels": labels.EXPERIMENT,
    "budget": budget.EXPERIMENT,
    "tasks": tasks.EXPERIMENT,
    "diversity": diversity.EXPERIMENT,
    "decoders": decoders.EXPERIMENT,
    "physics": question.EXPERIMENT,
}
