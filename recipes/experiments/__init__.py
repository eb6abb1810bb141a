"""The experiments of `ablate.py`, a file each: which cells it has, how one is run, and what is shown of them."""

from experiments import baselines, decoders, diversity, labels, masking, physics, sizes, tasks

EXPERIMENTS = {
    "baselines": baselines.EXPERIMENT,
    "masking": masking.EXPERIMENT,
    "sizes": sizes.EXPERIMENT,
    "labels": labels.EXPERIMENT,
    "tasks": tasks.EXPERIMENT,
    "diversity": diversity.EXPERIMENT,
    "decoders": decoders.EXPERIMENT,
    "physics": physics.EXPERIMENT,
}
