"""Time-of-flight classification."""

import inspect

import keras
import numpy as np
from keras import ops

from keras_usmae.layers import check_positive, check_sizes
from keras_usmae.models.checked_model import CheckedModel
from keras_usmae.models.heads import HEADS
from keras_usmae.models.tof_decoding import decode_interval, decode_onset, decode_spread
from keras_usmae.registration import register
from keras_usmae.signals import check_signals, onset_to_class, samples_to_seconds, standardize


@register
class ToFClassifier(CheckedModel):
    """Encoder and head that tell in which bin of samples an echo begins.

    The label given to `fit` is the onset in samples (a float), not the class: loss, metrics and decoding derive the
    class from it, and errors below a bin still count.

    Args:
        encoder: a model with `signal_length`, `num_patches` and tokens `(batch, num_patches, dim)` as its output:
            `MAEEncoder` or `CNNEncoder`.
        bin_width: int, samples in a class; divides `signal_length`. Defaults to `16`.
        head: str, `"per_patch"` (each token gives the bins inside its patch) or `"pooled"` (mean of the tokens, as in
            the paper). Defaults to `"per_patch"`.
        dropout: float, dropout before the head's linear layer. Defaults to `0.0`.
        sampling_rate: float, Hz, of the signals the model was trained on. Defaults to `100e6`.
        **kwargs: `name` and `dtype`.

    Call arguments:
        signals: Tensor of shape `(batch, signal_length)`, standardised.

    Output shape:
        `(batch, signal_length // bin_width)`, float32 logits.

    Raises:
        ValueError: for an unknown head, or bins that do not divide the signal; from `fit`, for an onset outside of it.

    Example:

    ```python
    classifier = ToFClassifier(MAEEncoder.from_preset("nano"))
    classifier.compile(optimizer="adamw", loss=ToFCrossentropy(bin_width=16))
    classifier.fit(standardize(signals), onsets, epochs=1)
    classifier.predict_tof(raw_signals)["tof"]  # seconds
    ```

    Reference:
        - [Rossteutscher et al., 2025](https://arxiv.org/abs/2508.20622)
    """

    def __init__(self, encoder, bin_width=16, head="per_patch", dropout=0.0, sampling_rate=100e6, **kwargs):
        super().__init__(**kwargs)
        if head not in HEADS:
            raise ValueError(f"`head` must be one of {tuple(HEADS)}. Received: head={head!r}")
        check_sizes(bin_width=bin_width)
        check_positive(sampling_rate=sampling_rate)
        if encoder.signal_length % bin_width:
            raise ValueError(
                f"`bin_width` must divide the signal length {encoder.signal_length}. Received: bin_width={bin_width}"
            )
        self.encoder = encoder
        self.bin_width = bin_width
        self.head = head
        self.dropout = dropout
        self.sampling_rate = sampling_rate
        self.num_classes = encoder.signal_length // bin_width
        check_sizes(num_classes=self.num_classes, hidden_dim=encoder.hidden_dim)
        self.head_layer = HEADS[head](self.num_classes, dropout, dtype=self.dtype_policy, name="head")
        self.head_layer.build((None, encoder.num_patches, encoder.hidden_dim))
        self.built = True

    def call(self, signals, training=None):
        tokens = self.encoder(signals, training=training)
        return ops.cast(self.head_layer(tokens, training=training), "float32")

    def check_labels(self, labels):
        """Checks onsets `(batch,)` or `(batch, 1)`; for another loss, distributions over the classes.

        Raises:
            ValueError: if an onset is NaN or lies outside of the signal; it names the first.
        """
        if labels.size == labels.shape[0]:
            onset_to_class(labels.reshape(-1), self.bin_width, self.num_classes)
        elif labels.shape[1:] != (self.num_classes,):
            raise ValueError(f"Labels are onsets of shape (batch,). Received: shape {labels.shape}")
        elif not np.isfinite(labels).all():
            raise ValueError(f"The label at index {int(np.argwhere(~np.isfinite(labels))[0][0])} is not finite.")

    def compile(self, *args, **kwargs):
        """Configures training; see `keras.Model.compile`.

        Raises:
            ValueError: if the loss or a metric counts in bins of another width.
        """
        given = inspect.signature(super().compile).bind(*args, **kwargs).arguments
        for part in keras.tree.flatten([given.get(name) for name in ("loss", "metrics", "weighted_metrics")]):
            if getattr(part, "bin_width", self.bin_width) != self.bin_width:
                raise ValueError(
                    f"{type(part).__name__} has bin_width={part.bin_width}, but this classifier gives the logits of "
                    f"bins of {self.bin_width} samples. Give both the same."
                )
        super().compile(*args, **kwargs)

    def predict_tof(self, signals, method="expectation", batch_size=256, temperature=1.0):
        """Measures raw signals: standardises, classifies and decodes.

        Args:
            signals: array of shape `(batch, signal_length)`, at the model's `sampling_rate`, in any unit of amplitude.
            method: str, `"expectation"` or `"argmax"`; see `decode_onset`. Defaults to `"expectation"`.
            batch_size: int. Defaults to `256`.
            temperature: float, what the logits are divided by for spread, interval and confidence, fitted on the
                validation split. Defaults to `1.0`.

        Returns:
            A dict of NumPy arrays of shape `(batch,)`: `"onset"` in samples, `"tof"` in seconds from the first sample,
            `"confidence"`, the probability of the most likely bin, `"spread"`, the standard deviation of the onset in
            samples, and `"interval"` of shape `(batch, 2)`, which holds the onset with 95 % probability, in samples.

        Raises:
            ValueError: if the signals have another length, or samples that are not finite.
        """
        signals = standardize(check_signals(signals, self.encoder.signal_length))
        return self.decode(self.predict(signals, batch_size=batch_size, verbose=0), method, temperature)

    def decode(self, logits, method="expectation", temperature=1.0):
        """Decodes logits as `predict_tof` does.

        Args:
            logits: array of shape `(batch, num_classes)`.
            method: str, see `predict_tof`. Defaults to `"expectation"`.
            temperature: float, see `predict_tof`. Defaults to `1.0`.

        Raises:
            ValueError: if the logits are those of another number of classes, or the temperature is not positive.
        """
        check_positive(temperature=temperature)
        if len(logits.shape) != 2 or logits.shape[1] != self.num_classes or not logits.shape[0]:
            raise ValueError(
                f"This classifier has {self.num_classes} classes: logits have shape (batch, {self.num_classes}). "
                f"Received: shape {tuple(logits.shape)}"
            )
        logits = ops.convert_to_tensor(logits)
        onset = ops.convert_to_numpy(decode_onset(logits, self.bin_width, method))
        logits = logits / float(temperature)
        decoded = {
            "confidence": ops.max(ops.softmax(logits, axis=-1), axis=-1),
            "spread": decode_spread(logits, self.bin_width),
            "interval": decode_interval(logits, self.bin_width),
        }
        return {
            "onset": onset,
            "tof": samples_to_seconds(onset, self.sampling_rate),
            **{name: ops.convert_to_numpy(value) for name, value in decoded.items()},
        }

    def get_config(self):
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "bin_width": self.bin_width,
            "head": self.head,
            "dropout": self.dropout,
            "sampling_rate": self.sampling_rate,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "encoder": keras.saving.deserialize_keras_object(config["encoder"])})
