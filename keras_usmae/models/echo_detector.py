"""Detection of echoes."""

import json
from importlib import resources

import keras
import numpy as np
from keras import ops

from keras_usmae.layers import check_positive, check_sizes
from keras_usmae.models.checked_model import CheckedModel
from keras_usmae.models.encoder import MAEEncoder
from keras_usmae.models.heads import HEADS
from keras_usmae.models.presets import PICKER, WEIGHTS_SUFFIX, load_preset, picker_names
from keras_usmae.registration import register


@register
class EchoDetector(CheckedModel):
    """Encoder and head that tell for each bin of samples whether an echo begins in it.

    Unlike the classes of `ToFClassifier`, the bins do not exclude each other: a signal may hold no echo, one or
    several.

    Args:
        encoder: a model with `signal_length`, `num_patches` and tokens `(batch, num_patches, dim)` as its output:
            `MAEEncoder` or `CNNEncoder`.
        bin_width: int, samples in a bin; divides `signal_length`. Defaults to `16`.
        dropout: float, dropout before the head's linear layer. Defaults to `0.0`.
        sampling_rate: float, Hz, of the signals the model was trained on. Defaults to `100e6`.
        settings: optional dict of what the picker needs beside the weights, such as `"min_confidence"`; it is saved
            with the model. Defaults to `None`, an empty one.
        **kwargs: `name` and `dtype`.

    Call arguments:
        signals: Tensor of shape `(batch, signal_length)`, standardised.

    Output shape:
        `(batch, signal_length // bin_width)`, float32 logits of independent probabilities.

    Raises:
        ValueError: for bins that do not divide the signal.

    Example:

    ```python
    detector = EchoDetector(MAEEncoder.from_preset("nano"))
    detector.compile(optimizer="adamw", loss=EchoCrossentropy())
    detector.fit(standardize(signals), echo_targets(onsets, visibility, 128, 16, sigma=8.0), epochs=1)
    ```

    Reference:
        - [Rossteutscher et al., 2025](https://arxiv.org/abs/2508.20622)
        - [Ross et al., 2018](https://doi.org/10.1785/0120180080), phase detection in seismic records
    """

    def __init__(self, encoder, bin_width=16, dropout=0.0, sampling_rate=100e6, settings=None, **kwargs):
        super().__init__(**kwargs)
        check_sizes(bin_width=bin_width)
        check_positive(sampling_rate=sampling_rate)
        if encoder.signal_length % bin_width:
            raise ValueError(
                f"`bin_width` must divide the signal length {encoder.signal_length}. Received: bin_width={bin_width}"
            )
        self.encoder = encoder
        self.bin_width = bin_width
        self.dropout = dropout
        self.sampling_rate = sampling_rate
        self.settings = dict(settings or {})
        self.num_bins = encoder.signal_length // bin_width
        self.head_layer = HEADS["per_patch"](self.num_bins, dropout, dtype=self.dtype_policy, name="head")
        self.head_layer.build((None, encoder.num_patches, encoder.hidden_dim))
        self.built = True

    @classmethod
    def from_preset(cls, name):
        """Builds a trained detector that comes with the package.

        Args:
            name: str, `"nano"`, `"nano_mcu"`, `"tiny"` or `"tiny_patch64"`, see `picker_names`.

        Returns:
            `EchoDetector`, with its settings.

        Raises:
            ValueError: where the package has no trained detector of this name.
        """
        if name not in picker_names():
            raise ValueError(
                f"No trained picker of {name!r} comes with the package; there are {', '.join(picker_names())}. Train "
                "one with recipes/train_picker.py."
            )
        folder = resources.files("keras_usmae.presets")
        arguments = json.loads((folder / f"{name}_{PICKER}.json").read_text())
        detector = cls(MAEEncoder(**load_preset(name)["encoder"]), **arguments)
        with resources.as_file(folder / f"{name}_{PICKER}{WEIGHTS_SUFFIX}") as path:
            detector.load_weights(path)
        return detector

    def check_labels(self, labels):
        """Checks the probabilities of echoes `(batch, num_bins)`; NaN is a bin in which nobody could tell.

        Raises:
            ValueError: if they have another shape, or one is none; it names the first.
        """
        if labels.shape[1:] != (self.num_bins,):
            raise ValueError(f"Labels have shape (batch, {self.num_bins}), a bin each. Received: {labels.shape}")
        bad = (labels < 0) | (labels > 1)
        if bad.any():
            signal, bin_ = (int(index) for index in np.argwhere(bad)[0])
            raise ValueError(
                f"The label of bin {bin_} of the signal at index {signal} is {labels[signal, bin_]}, which is no "
                f"probability ({int(bad.sum())} of {bad.size} are none)."
            )

    def call(self, signals, training=None):
        tokens = self.encoder(signals, training=training)
        return ops.cast(self.head_layer(tokens, training=training), "float32")

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_bins)

    def get_config(self):
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "bin_width": self.bin_width,
            "dropout": self.dropout,
            "sampling_rate": self.sampling_rate,
            "settings": self.settings,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "encoder": keras.saving.deserialize_keras_object(config["encoder"])})
