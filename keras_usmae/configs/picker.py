"""Configuration of the training of a picker."""

import dataclasses

EPOCH_SIGNALS = 4096
ARCHITECTURES = ("transformer", "cnn")


@dataclasses.dataclass(frozen=True)
class PickerTraining:
    """How a detector is trained.

    The rate rises over `warmup_signals`, stays, and falls linearly to zero over the last `decay_share` of the training.

    Args:
        preset: str, sizes of the encoder, see `load_preset`. Defaults to `"tiny_patch64"`.
        architecture: str, `"transformer"`, or `"cnn"` for a convolutional encoder of about as many parameters, which
            starts from fresh weights or from a run of its own. Defaults to `"transformer"`.
        start: str, what it starts from: `"synthetic"` or `"picker"`, weights that come with the package; `"none"`; or
            the path of a run folder with `detector.keras` or `encoder.keras`. Defaults to `"synthetic"`.
        world: str, name of the `SignalConfig` that signals are drawn from. Defaults to `"field"`.
        transducers: tuple of str, files or names of described transducers, see `read_transducer`, that give an equal
            share of the signals each, beside the world. Defaults to `()`.
        signals: int, signals to train on, drawn fresh, a multiple of 4,096. Defaults to `262_144`.
        batch_size: int, signals in an optimiser step; divides 4,096. Defaults to `64`.
        learning_rate: float, its peak. Defaults to `1e-3`.
        warmup_signals: int. Defaults to `12_800`.
        decay_share: float in [0, 1]. Defaults to `0.2`.
        weight_decay: float, AdamW's. Defaults to `0.05`.
        bin_width: int, samples in a bin. Defaults to `16`.
        label_sigma: float, spread of the targets in samples, see `echo_targets`. Defaults to `8.0`.
        seed: int, of weights and signals. Another seed draws other signals. Defaults to `0`.

    Raises:
        ValueError: where a value is out of range.

    Example:

    ```python
    config = PickerTraining(preset="nano", signals=65_536)
    ```
    """

    preset: str = "tiny_patch64"
    architecture: str = "transformer"
    start: str = "synthetic"
    world: str = "field"
    transducers: tuple[str, ...] = ()
    signals: int = 262_144
    batch_size: int = 64
    learning_rate: float = 1e-3
    warmup_signals: int = 12_800
    decay_share: float = 0.2
    weight_decay: float = 0.05
    bin_width: int = 16
    label_sigma: float = 8.0
    seed: int = 0

    def __post_init__(self):
        if self.architecture not in ARCHITECTURES:
            raise ValueError(
                f"`architecture` must be one of {', '.join(ARCHITECTURES)}. Received: "
                f"architecture={self.architecture!r}"
            )
        if self.architecture == "cnn" and self.start in ("synthetic", "picker"):
            raise ValueError(
                "No weights of a CNN come with the package: give start='none', or a run folder of train_picker.py. "
                f"Received: start={self.start!r}"
            )
        if self.signals < EPOCH_SIGNALS or self.signals % EPOCH_SIGNALS:
            raise ValueError(f"`signals` must be a multiple of {EPOCH_SIGNALS:,}. Received: signals={self.signals}")
        if self.batch_size < 1 or EPOCH_SIGNALS % self.batch_size:
            raise ValueError(f"`batch_size` must divide {EPOCH_SIGNALS:,}. Received: batch_size={self.batch_size}")
        if not 0 <= self.warmup_signals < self.signals:
            raise ValueError(
                f"`warmup_signals` must be fewer than the {self.signals:,} signals of the training. Received: "
                f"warmup_signals={self.warmup_signals}"
            )
        if not 0 <= self.decay_share <= 1:
            raise ValueError(f"`decay_share` must lie in [0, 1]. Received: decay_share={self.decay_share}")
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"`seed` must lie in 0..2**31 - 1. Received: seed={self.seed}")

    def values(self) -> dict:
        """Plain values, for `config.json`; runs of earlier versions name no architecture."""
        values = dataclasses.asdict(self)
        if self.architecture == "transformer":
            del values["architecture"]
        return values
