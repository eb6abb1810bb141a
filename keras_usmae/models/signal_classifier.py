"""Classification of whole signals: flaw or none, one material or another."""

import keras
import numpy as np
from keras import ops

from keras_usmae.layers import check_sizes
from keras_usmae.models.checked_model import CheckedModel
from keras_usmae.models.heads import PooledHead
from keras_usmae.registration import register


@register
class SignalClassifier(CheckedModel):
    """Encoder and head that give a signal one of several classes, for tasks beside time of flight.

    The head sees mean and maximum of the tokens: what fills a signal, such as the noise of a material, and what occurs
    in it once, such as the echo of a flaw.

    Args:
        encoder: a model with `signal_length`, `num_patches` and tokens `(batch, num_patches, dim)` as its output:
            `MAEEncoder` or `CNNEncoder`.
        num_classes: int.
        dropout: float, dropout before the head's linear layer. Defaults to `0.0`.
        **kwargs: `name` and `dtype`.

    Call arguments:
        signals: Tensor of shape `(batch, signal_length)`, standardised.

    Output shape:
        `(batch, num_classes)`, float32 logits.

    Raises:
        ValueError: for fewer than two classes; from `fit`, for a label that is none of them.

    Example:

    ```python
    classifier = SignalClassifier(MAEEncoder.from_preset("nano", weights="synthetic"), num_classes=2)
    classifier.compile("adamw", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    classifier.fit(standardize(signals), has_flaw.astype("int32"), epochs=1)
    ```

    Reference:
        - [Rossteutscher et al., 2025](https://arxiv.org/abs/2508.20622), its open question of other tasks
    """

    def __init__(self, encoder, num_classes, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        check_sizes(num_classes=num_classes, hidden_dim=encoder.hidden_dim)
        if num_classes < 2:
            raise ValueError(f"There must be two classes or more to tell apart. Received: num_classes={num_classes}")
        self.encoder = encoder
        self.num_classes = num_classes
        self.dropout = dropout
        self.head_layer = PooledHead(num_classes, dropout, pooling="mean_max", dtype=self.dtype_policy, name="head")
        self.head_layer.build((None, encoder.num_patches, encoder.hidden_dim))
        self.built = True

    def call(self, signals, training=None):
        return ops.cast(self.head_layer(self.encoder(signals, training=training), training=training), "float32")

    def check_labels(self, labels):
        """Checks classes `(batch,)`, or distributions over them `(batch, num_classes)`.

        Raises:
            ValueError: if a label is no class from 0 to `num_classes - 1`, or is not finite; it names the first.
        """
        if labels.size == labels.shape[0]:
            labels = labels.reshape(-1)
            bad = ~((labels >= 0) & (labels < self.num_classes) & (labels == np.floor(labels)))
        else:
            bad = ~np.isfinite(labels).all(axis=tuple(range(1, labels.ndim)))
        if bad.any():
            index = int(bad.argmax())
            raise ValueError(
                f"The label at index {index} is {labels[index]}, which is none of the {self.num_classes} classes from "
                f"0 to {self.num_classes - 1} ({int(bad.sum())} of {len(bad)} labels are wrong). Leave them out."
            )

    def get_config(self):
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "num_classes": self.num_classes,
            "dropout": self.dropout,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "encoder": keras.saving.deserialize_keras_object(config["encoder"])})
