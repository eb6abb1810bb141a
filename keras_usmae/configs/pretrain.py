"""What decides a pre-training."""

import dataclasses
from typing import Literal

from keras_usmae.configs.fields import check_settings, preset_patch_size, resolve_warmup, setting


@dataclasses.dataclass(frozen=True)
class PretrainConfig:
    """Everything that decides the result of a pre-training; each field says what it is in `setting`.

    Raises:
        ValueError: where a value is out of range, or two contradict each other.

    Example:

    ```python
    config = PretrainConfig(preset="nano", dataset="ultrasound_synthetic/quickstart", epochs=10)
    ```
    """

    preset: str = setting(
        "small", "Sizes of the model: nano, nano_patch16, nano_mcu, tiny, small (the paper's), base, or a .json file."
    )
    architecture: Literal["transformer", "cnn"] = setting(
        "transformer", "The transformer, or a CNN with its parameters that learns as sparse convolutions do."
    )
    dataset: str | None = setting(
        None, "Dataset and configuration, as NAME/CONFIG. Defaults to ultrasound_synthetic/paper."
    )
    transducer: str | None = setting(
        None,
        "In place of --dataset: draw new signals each epoch, of the transducer that this TOML file "
        "(or the name of an example) describes.",
    )
    epochs: int = setting(200, "Passes over the training signals.", min=1)
    fresh: int = setting(
        0,
        "Draw this many new synthetic signals each epoch from the dataset's configuration, in place of the stored "
        "training split; 0 reads the stored split, or with --transducer draws as many as it would have.",
        min=0,
        flag="--fresh-signals",
    )
    batch_size: int = setting(256, "Signals in an optimiser step.", min=1)
    gradient_accumulation_steps: int | None = setting(
        None,
        "Micro-batches of a batch, worked through one after the other, which takes less memory (most on torch) and "
        "gives the same weights; divides --batch-size. Defaults to whole batches.",
        min=1,
    )
    patch_size: int | None = setting(
        None, "Samples in a patch; divides the signal length. Defaults to the preset's.", min=1
    )
    mask_ratio: float = setting(0.75, "Share of the patches masked, between 0 and 1.")
    decoder: Literal["full", "cross"] = setting(
        "cross",
        "Of the transformer. cross: masked patches attend to the visible ones only; full, the paper's: all patches "
        "attend to all.",
    )
    prediction_ratio: float | None = setting(
        None, "With --decoder cross, share of the masked patches that a step predicts. Defaults to 0.5."
    )
    normalize_targets: bool = setting(False, "Scale each target patch to mean 0, variance 1.")
    learning_rate: float = setting(1.5e-3, "Peak of the learning rate.", min=0.0)
    warmup_epochs: float | None = setting(
        None, "Epochs of linear rise of the learning rate. Defaults to a twentieth of --epochs.", min=0.0
    )
    weight_decay: float = setting(0.05, "AdamW's weight decay.", min=0.0)
    dtype: Literal["float32", "mixed_bfloat16"] = setting("float32", "Keras dtype policy of the model.")
    seed: int = setting(0, "Seed of weights, order, masks and synthetic signals.")

    def __post_init__(self):
        check_settings(self)
        resolve_warmup(self.warmup_epochs, self.epochs)
        if self.architecture == "cnn":
            for name, given in (
                ("--decoder full", self.decoder == "full"),
                ("--prediction-ratio", self.prediction_ratio),
            ):
                if given:
                    raise ValueError(
                        f"{name} is for the transformer's decoders, but --architecture is cnn. Leave one of them out."
                    )
        ours = None if self.transducer is None else f"ultrasound_synthetic/{self.transducer}"
        if self.transducer and self.dataset not in (None, ours):
            raise ValueError(
                f"--dataset {self.dataset} and --transducer {self.transducer} both say what to train on. Give one of "
                "them."
            )
        if self.fresh and not (self.dataset or "ultrasound_synthetic").startswith("ultrasound_synthetic"):
            raise ValueError(
                f"--fresh-signals draws synthetic signals; --dataset must be ultrasound_synthetic/..., not "
                f"{self.dataset}."
            )

    def values(self) -> dict:
        """Plain values, for `config.json`; runs of earlier versions name no architecture."""
        values = dataclasses.asdict(self)
        if self.architecture == "transformer":
            del values["architecture"]
        return values

    def resolved(self) -> "PretrainConfig":
        """The same configuration, without defaults that depend on other values."""
        return dataclasses.replace(
            self,
            dataset=self.dataset or f"ultrasound_synthetic/{self.transducer or 'paper'}",
            patch_size=self.patch_size or preset_patch_size(self.preset),
            warmup_epochs=resolve_warmup(self.warmup_epochs, self.epochs),
        )
