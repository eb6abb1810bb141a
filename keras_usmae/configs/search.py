"""Configuration of a search for settings."""

import dataclasses
from typing import Literal

from keras_usmae.configs.fields import check_settings, setting


@dataclasses.dataclass(frozen=True)
class SearchConfig:
    """What decides the result of a search, see `keras_usmae.tuning.search`. Each field says what it is.

    Raises:
        ValueError: where a value is out of range, or two do not fit each other.

    Example:

    ```python
    config = SearchConfig(task="finetune", labels=320, max_flash="64kB")
    ```
    """

    task: Literal["finetune", "pretrain"] = setting("finetune", "What to search settings for.")
    tuner: Literal["hyperband", "bayesian", "random"] = setting(
        "hyperband", "hyperband: many short trials, the best go on; bayesian: learns where to look; random."
    )
    dataset: str = setting(
        "ultrasound_measured/paper",
        "Labelled dataset and configuration, to fine-tune or to probe with, as NAME/CONFIG.",
    )
    labels: int = setting(0, "Labelled training signals to use, drawn with the seed; 0 uses all.", min=0)
    pretrained: str | None = setting(
        None, "finetune: run folder of pretrain.py, whose encoder every trial begins with."
    )
    pretraining: str | None = setting(
        None,
        "Dataset and configuration to pre-train on. pretrain: defaults to ultrasound_synthetic/quickstart; finetune: "
        "each architecture is pre-trained on it once; defaults to training from scratch.",
    )
    pretraining_epochs: int = setting(20, "finetune with --pretraining: epochs of a pre-training.", min=1)
    pretraining_signals: int = setting(
        16_384, "Fresh synthetic signals in an epoch of pre-training; 0 takes the stored split.", min=0
    )
    epochs: int = setting(27, "The most that a trial trains.", min=1)
    objective: str | None = setting(
        None,
        "Score to optimise. finetune: val_error_samples (default), val_within_one_bin, val_accuracy, val_loss; "
        "pretrain: probe_loss (default), probe_within_one_bin, probe_median_error_samples.",
    )
    space: str | None = setting(
        None, "What may be chosen: finetune, pretrain, chip, or a TOML file. Defaults to the task's."
    )
    max_flash: str | None = setting(None, "Largest int8 file, such as 128kB.")
    max_arena: str | None = setting(None, "Largest tensor arena in RAM, such as 64kB.")
    max_macs: str | None = setting(None, "Most multiply-accumulates of an inference, such as 5M.")
    bin_width: int = setting(16, "Samples in a ToF class.", min=1)
    seed: int = setting(0, "Seed of weights, order, masks and synthetic signals.")

    def __post_init__(self):
        check_settings(self)
        if self.task == "pretrain" and self.pretrained:
            raise ValueError("--pretrained is for --task finetune; a pre-training begins from scratch.")
        if self.pretrained and self.pretraining:
            raise ValueError("--pretrained and --pretraining both say where encoders come from. Give one of them.")
        if self.task == "pretrain" and not self.pretraining:
            object.__setattr__(self, "pretraining", "ultrasound_synthetic/quickstart")
