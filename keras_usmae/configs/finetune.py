"""What decides a fine-tuning."""

import dataclasses
from typing import Literal

from keras_usmae.configs.fields import check_settings, resolve_warmup, setting

# Best of 0.0003, 0.001 and 0.003 for the transformer and of 0.001, 0.003 and 0.01 for the CNN on the validation split
# of ultrasound_measured/paper (`nano` size, 500 labels, one seed): the largest tried in both cases, so larger ones may
# be better.
LEARNING_RATES = {"transformer": 3e-3, "cnn": 1e-2}


@dataclasses.dataclass(frozen=True)
class FinetuneConfig:
    """Everything that decides the result of a fine-tuning; each field says what it is in `setting`.

    Raises:
        ValueError: where a value is out of range, or two contradict each other.

    Example:

    ```python
    config = FinetuneConfig(preset="nano", dataset="ultrasound_measured/paper", labels=320)
    ```
    """

    pretrained: str | None = setting(
        None,
        "Run folder of pretrain.py; synthetic or picker, weights of --preset that come with the package; or none, from "
        "scratch. Defaults to synthetic where the preset has such weights.",
    )
    preset: str = setting("tiny", "Size of the model, where --pretrained is no run folder.")
    architecture: Literal["transformer", "cnn"] = setting(
        "transformer", "The transformer, or a CNN with its parameters."
    )
    dataset: str = setting("ultrasound_measured/paper", "Dataset and configuration, as NAME/CONFIG.")
    labels: int = setting(0, "Labelled training signals to use, drawn with the seed; 0 uses all.", min=0)
    head: Literal["per_patch", "pooled"] = setting("per_patch", "Classification head; see ToFClassifier.")
    bin_width: int = setting(16, "Samples in a ToF class.", min=1)
    label_sigma: float = setting(12.0, "Spread of the target distribution in samples; 0 for one hard class.", min=0.0)
    augment: bool = setting(
        True, "Show each epoch other versions of the labelled signals: moved in time, flipped, noisier."
    )
    augment_noise: float = setting(
        0.06, "Largest RMS of the noise that augmentation adds, relative to the signal's.", min=0.0
    )
    freeze: int = setting(0, "Encoder blocks held fixed, from the input on; -1 holds the whole encoder.", min=-1)
    epochs: int = setting(40, "Passes over the training signals.", min=1)
    batch_size: int = setting(64, "Signals in an optimiser step.", min=1)
    learning_rate: float | None = setting(
        None, "Peak of the learning rate. Defaults to 0.003, or 0.01 for the CNN.", min=0.0
    )
    warmup_epochs: float | None = setting(
        None, "Epochs of linear rise of the learning rate. Defaults to a twentieth of --epochs.", min=0.0
    )
    weight_decay: float = setting(0.05, "AdamW's weight decay.", min=0.0)
    layer_decay: float = setting(
        1.0, "Factor of the learning rate from a layer to the one before it; 1 has one for all.", min=0.01, max=1.0
    )
    dtype: Literal["float32", "mixed_bfloat16"] = setting("float32", "Keras dtype policy of the model.")
    seed: int = setting(0, "Seed of weights, order, masks and synthetic signals.")
    speed_of_sound: float = setting(
        1480.0, "Speed of sound in m/s, for errors in mm (pulse-echo, half of the path).", min=1.0
    )

    def __post_init__(self):
        check_settings(self)
        resolve_warmup(self.warmup_epochs, self.epochs)
        if self.pretrained in ("synthetic", "picker") and self.architecture != "transformer":
            raise ValueError(
                f"No weights of a CNN come with the package, but --pretrained is {self.pretrained} and --architecture "
                "cnn. Give none, or a run folder of pretrain.py --architecture cnn."
            )

    def resolved(self) -> "FinetuneConfig":
        """The same configuration, without defaults that depend on other values."""
        return dataclasses.replace(
            self,
            learning_rate=LEARNING_RATES[self.architecture] if self.learning_rate is None else self.learning_rate,
            warmup_epochs=resolve_warmup(self.warmup_epochs, self.epochs),
        )
