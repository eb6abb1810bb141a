"""What the experiments share: the plan of the command line, and how cells are made from it."""

import dataclasses

from keras_usmae.models import preset_weights

# Signals of a pre-training that an experiment needs many of, where --signals does not say otherwise. 196,608 were
# too few to start better than from scratch (docs/experiments).
SHORT = 655_360
FEW_LABELS = 320  # 5 % of the measured ones


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the command line says; see `run.py`."""

    preset: str
    dataset: str
    pretraining: str
    signals: int | None
    steps: int
    batch_size: int
    seeds: int
    run: str | None = None
    learning_rate: float | None = None

    def shipped(self, preset=None):
        """The weights that come with the package, or where there are none, or --signals asks, a pre-training."""
        preset = preset or self.preset
        if self.signals is None and self.run is None and "synthetic" in preset_weights(preset):
            return "synthetic"
        return self.pretrained(**({} if preset == self.preset else {"preset": preset}))

    def pretrained(self, **changes):
        """The pre-training of this plan, or one that differs in something; `--run` stands for the former.

        In batches of 64: the loss stays near 1.0 for some 500 to 800 steps, and in batches of
        256 most of a short training would be spent there.
        """
        if self.run and not changes:
            return {"run": self.run}
        base = {
            "preset": self.preset,
            "dataset": self.pretraining,
            "signals": self.signals or SHORT,
            "learning_rate": 2e-3,
            "decoder": "cross",
            "batch_size": 64,
            "seed": 0,
        }
        return {**base, **changes}

    def trial(self, contender, seed, labels=FEW_LABELS, **changes):
        """A cell that fine-tunes; see `trials.Laboratory.tof`."""
        base = {
            "contender": contender,
            "architecture": "transformer",
            "preset": self.preset,
            "dataset": self.dataset,
            "pretraining": None,
            "labels": labels,
            "steps": self.steps,
            "batch_size": self.batch_size,
            "seed": seed,
        }
        cell = {**base, **changes}
        if self.learning_rate and cell["architecture"] == "transformer":
            cell["learning_rate"] = self.learning_rate
        return cell

    @property
    def schedule(self):
        """How long a fine-tuning is, for titles."""
        rate = f", learning rate {self.learning_rate:g}" if self.learning_rate else ""
        return f"{self.steps:,} steps of {self.batch_size} signals{rate}"

    def starts(self):
        """The three starts that every comparison has: name to the changes of a cell."""
        return {
            "from scratch": {},
            "CNN": {"architecture": "cnn"},
            "pre-trained": {"pretraining": self.shipped()},
        }


@dataclasses.dataclass(frozen=True)
class Experiment:
    """An entry of `EXPERIMENTS`.

    Args:
        cells: function from a `Plan` to a list of cells, those first that tell most.
        run: function from a `Laboratory` and a cell to a dict of results.
        report: function from rows, plan and folder to a list of files that it wrote.
    """

    cells: object
    run: object
    report: object


def run_tof(laboratory, cell):
    """Fine-tunes and scores."""
    return laboratory.tof(cell)
