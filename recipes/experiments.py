"""The grids of `ablate.py`: which cells an experiment has, how one is run, and what is shown of them."""

import dataclasses

from physics import physics_cells, report_physics, run_physics
from reports import report_labels

NUM_LABELS = {"ultrasound_measured/paper": 6400}
SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the command line says; see `ablate.py`."""

    preset: str
    dataset: str
    pretraining: str
    signals: int
    steps: int
    seeds: int
    run: str | None = None

    def pretrained(self, **changes):
        """The pre-training of this plan, or one that differs in something; `--run` stands for the former."""
        if self.run and not changes:
            return {"run": self.run}
        base = {
            "preset": self.preset,
            "dataset": self.pretraining,
            "signals": self.signals,
            "learning_rate": 3e-3,
            "decoder": "cross",
            "seed": 0,
        }
        return {**base, **changes}

    def trial(self, contender, seed, labels, **changes):
        """A cell that fine-tunes; see `trials.Laboratory.tof`."""
        base = {
            "contender": contender,
            "architecture": "transformer",
            "preset": self.preset,
            "dataset": self.dataset,
            "pretraining": None,
            "synthetic_labels": 0,
            "synthetic_config": self.pretraining.partition("/")[2],
            "labels": labels,
            "steps": self.steps,
            "seed": seed,
        }
        return {**base, **changes}


@dataclasses.dataclass(frozen=True)
class Experiment:
    """An entry of `EXPERIMENTS`.

    Args:
        cells: function from a `Plan` to a list of cells.
        run: function from a `Laboratory` and a cell to a dict of results.
        report: function from rows, plan and folder to a list of files that it wrote.
    """

    cells: object
    run: object
    report: object


def run_tof(laboratory, cell):
    """Fine-tunes and scores."""
    return laboratory.tof(cell)


def contenders(plan):
    """What is compared at each label budget: name to the changes of a cell."""
    synthetic = plan.pretrained()
    measured = plan.pretrained(dataset=plan.dataset)
    labelled = {"synthetic_labels": 192_000}
    return {
        "from scratch": {},
        "CNN": {"architecture": "cnn"},
        "pre-trained": {"pretraining": synthetic},
        "pre-trained on measured": {"pretraining": measured},
        "pre-trained, synthetic labels": {"pretraining": synthetic, **labelled},
        "CNN, synthetic labels": {"architecture": "cnn", **labelled},
    }


def label_cells(plan):
    """Label budget: every contender at every share of the measured labels, most telling shares first."""
    total = NUM_LABELS.get(plan.dataset)
    if total is None:
        raise ValueError(f"The label budget is that of {', '.join(NUM_LABELS)}, not of {plan.dataset!r}.")
    cells = []
    for share in sorted(SHARES, key=lambda share: share not in (0.0, 0.01, 0.05, 1.0)):
        for seed in range(plan.seeds if share else 1):
            for name, changes in contenders(plan).items():
                if share or "synthetic_labels" in changes:
                    cells.append(plan.trial(name, seed, round(share * total), **changes))
    return cells


EXPERIMENTS = {
    "labels": Experiment(label_cells, run_tof, report_labels),
    "physics": Experiment(physics_cells, run_physics, report_physics),
}
