"""What the experiments share: the sweep of the command line, and how trials are made from it."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from recipes.experiments.trial import FinishedRun, Pretraining, Trial

# Signals of a pre-training that an experiment needs many of, where --signals does not say otherwise. 196,608 were
# too few to start better than from scratch (docs/experiments).
SHORT = 655_360
FEW_LABELS = 320  # 5 % of the measured ones


@dataclasses.dataclass(frozen=True)
class Sweep:
    """What the command line says, see `run.py`; for reports the rows of `ceilings.py`, and where the recordings lie."""

    preset: str
    dataset: str
    pretraining: str
    signals: int | None
    steps: int
    batch_size: int
    seeds: int
    run: str | None = None
    cnn_picker: str | None = None
    learning_rate: float | None = None
    ceilings: tuple = ()
    raw_dir: Path | None = None

    def shipped(self, preset=None):
        """The weights that come with the package, or where there are none, or --signals asks, a pre-training."""
        from keras_usmae.models import preset_weights  # here: `run.py --help` does without Keras

        preset = preset or self.preset
        if self.signals is None and self.run is None and "synthetic" in preset_weights(preset):
            return "synthetic"
        return self.pretrained(**({} if preset == self.preset else {"preset": preset}))

    def pretrained(self, **changes):
        """The `Pretraining` of this sweep, or one that differs in something; `--run` stands for the former.

        In batches of 64: the loss stays near 1.0 for some 500 to 800 steps, and in batches of
        256 most of a short training would be spent there.
        """
        if self.run and not changes:
            return FinishedRun(self.run)
        base = {"preset": self.preset, "dataset": self.pretraining, "signals": self.signals or SHORT}
        return Pretraining(**{**base, **changes})

    def trial(self, method, seed, labels=FEW_LABELS, **changes):
        """A `Trial` that fine-tunes."""
        base = {
            "method": method,
            "architecture": "transformer",
            "preset": self.preset,
            "dataset": self.dataset,
            "pretraining": None,
            "labels": labels,
            "steps": self.steps,
            "batch_size": self.batch_size,
            "seed": seed,
        }
        trial = Trial(**{**base, **changes})
        if self.learning_rate and trial.architecture == "transformer":
            trial = dataclasses.replace(trial, learning_rate=self.learning_rate)
        return trial

    @property
    def schedule(self):
        """How long a fine-tuning is, for titles."""
        rate = f", learning rate {self.learning_rate:g}" if self.learning_rate else ""
        return f"{self.steps:,} steps of {self.batch_size} signals{rate}"

    def starts(self):
        """The three starts that every comparison has: name to the changes of a trial."""
        return {
            "from scratch": {},
            "CNN": {"architecture": "cnn"},
            "pre-trained": {"pretraining": self.shipped()},
        }


@dataclasses.dataclass(frozen=True)
class Experiment:
    """An entry of `EXPERIMENTS`.

    Args:
        trials: function from a `Sweep` to a list of `Trial`, those first that tell most.
        run: function from a `Trial` and a `Place` to a dict of results.
        report: function from rows, sweep and folder to a list of files that it wrote.
        held_out: tuple of str, what is scored apart and has a ceiling of its own. Defaults to `()`.
    """

    trials: Callable
    run: Callable
    report: Callable
    held_out: tuple = ()
