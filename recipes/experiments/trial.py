"""What is run in an experiment: a trial, and the pre-training that it starts from, as plain values that decide it."""

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Pretraining:
    """A pre-training of an experiment.

    Args:
        preset: str, sizes of the model.
        dataset: str, what it sees; several datasets of a mixture are joined by `+`.
        signals: int, signals seen.
        learning_rate: float, its peak.
        decoder: str, `"full"` or `"cross"`.
        batch_size: int.
        seed: int.
        patch_size: int or `None`, the preset's. Defaults to `None`.
        mask_ratio: float or `None`, the default one. Defaults to `None`.
        mixture: bool, whether it is trained by `pretrain_mixture`. Defaults to `False`.
        held_out: str or `None`, transducer whose measured signals a mixture leaves out. Defaults to `None`.
        architecture: str or `None`, `"cnn"` for the CNN. Defaults to `None`, the transformer.
    """

    preset: str
    dataset: str
    signals: int
    learning_rate: float = 2e-3
    decoder: str = "cross"
    batch_size: int = 64
    seed: int = 0
    patch_size: int | None = None
    mask_ratio: float | None = None
    mixture: bool = False
    held_out: str | None = None
    architecture: str | None = None

    def values(self):
        """Plain values, for files."""
        values = dataclasses.asdict(self)
        mixture, held_out = values.pop("mixture"), values.pop("held_out")
        values = {name: value for name, value in values.items() if value is not None}
        return {**values, "held_out": held_out} if mixture else values

    @property
    def name(self):
        """Name of its folder."""
        return "_".join(str(value).replace("/", "-") for value in self.values().values())


@dataclasses.dataclass(frozen=True)
class FinishedRun:
    """A finished run folder of `pretrain.py` in place of a pre-training.

    Args:
        run: str, its path.
    """

    run: str

    def values(self):
        """Plain values, for files."""
        return {"run": self.run}

    @property
    def name(self):
        """As in the name of a file."""
        return self.run.replace("/", "-")


@dataclasses.dataclass(frozen=True)
class Trial:
    """One row of an experiment, and everything that decides its scores; what a trial does not need is `None`.

    Args:
        method: str, what it is called in tables.
        seed: int.
        dataset: str, labelled dataset and configuration.
        architecture: str, `"transformer"` or `"cnn"`.
        preset: str, sizes of the encoder.
        pretraining: `Pretraining`, `FinishedRun`, `"synthetic"` or `"picker"` for the weights that ship (the latter
            with their head), or `None` for fresh ones.
        labels: int, labelled signals to train on.
        steps: int, optimiser steps of the fine-tuning.
        batch_size: int.
        learning_rate: float, peak of the fine-tuning's. By default that of the architecture.
        patch_size: int, where it is not the preset's.
        synthetic_labels: int, labelled synthetic signals to train on first.
        synthetic_config: str, the `SignalConfig` that they are drawn from.
        picker: str, a classical picker to score.
        probe: str, a probe of the frozen encoder.
        task: str, a task of two classes.
        mode: str, how that task is learnt: `"fine-tuned"` or a probe; `"taught"` for a picker that learns from labels.
        held_out: str, transducer that is scored, and that no label comes from but `shots`.
        shots: int.
        test_signals: int, signals of each kind in the question of physics.
    """

    method: str
    seed: int
    dataset: str | None = None
    architecture: str | None = None
    preset: str | None = None
    pretraining: Pretraining | FinishedRun | str | None = None
    labels: int | None = None
    steps: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    patch_size: int | None = None
    synthetic_labels: int | None = None
    synthetic_config: str | None = None
    picker: str | None = None
    probe: str | None = None
    task: str | None = None
    mode: str | None = None
    held_out: str | None = None
    shots: int | None = None
    test_signals: int | None = None

    def values(self):
        """Plain values, for files: what is not `None`, and what an encoder starts from."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        start = self.pretraining
        values["pretraining"] = start.values() if isinstance(start, Pretraining | FinishedRun) else start
        kept = ("pretraining",) if self.architecture else ()
        return {name: value for name, value in values.items() if value is not None or name in kept}

    def with_seed(self, seed):
        """The same trial with another seed."""
        return dataclasses.replace(self, seed=seed)

    @classmethod
    def of(cls, values):
        """The trial that `values` gave the plain values of."""
        start = values.get("pretraining")
        if isinstance(start, dict):
            mixture = {"mixture": True} if "held_out" in start else {}
            start = FinishedRun(**start) if "run" in start else Pretraining(**start, **mixture)
        return cls(**{**values, "pretraining": start})


@dataclasses.dataclass(frozen=True)
class Place:
    """Where an experiment works.

    Args:
        folder: `pathlib.Path`, where trials and pre-trained encoders are kept.
        data_dir: path or `None`, see `load_dataset`. Defaults to `None`.
        raw_dir: path or `None`, see `load_dataset`. Defaults to `None`.
        speed_of_sound: float, m/s. Defaults to `1480.0`.
    """

    folder: Path
    data_dir: Path | None = None
    raw_dir: Path | None = None
    speed_of_sound: float = 1480.0
