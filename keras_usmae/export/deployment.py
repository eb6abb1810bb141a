"""A model's function, rearranged for small integer targets."""

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
from scipy.linalg import hadamard

from keras_usmae.layers import TanhNormalization, get_activation
from keras_usmae.models import MAEEncoder
from keras_usmae.models.heads import PerPatchHead

if TYPE_CHECKING:
    from keras_usmae.models.echo_detector import EchoDetector
    from keras_usmae.models.tof_classifier import ToFClassifier


@dataclasses.dataclass(frozen=True)
class DeploymentForm:
    """How a `DeploymentGraph` is written. All forms compute the same numbers in float; in integers they differ.

    `DEPLOYMENT_FORMS` holds the one that each format of TFLite gets, chosen on the validation split by
    recipes/maintenance/export_forms.py.

    Args:
        fused_norm: bool. `True` normalises by `L2_NORMALIZATION`, `False` by multiplications, `MEAN` and `RSQRT`, for
            int16, for which there is no `L2_NORMALIZATION`. Defaults to `True`.
        loudness_slope: float. A token is multiplied by the logistic function of minus this times the mean absolute
            sample of its patch, in standard deviations of the signal. `0.0` leaves tokens as they are. Defaults to
            `0.0`.
        rotated: bool. Turns the residual stream by a Hadamard matrix, which spreads large channels over all of them.
            Needs a `hidden_dim` that is a power of two. Defaults to `False`.
        centered_values: bool. Takes the mean that a block's values have over the calibration signals out of them, and
            puts it behind the projection. The weights of attention, which sum to one, have steps of 1/256 in int8: what
            they miss is then missing from deviations, not from the mean too. Defaults to `False`.

    Reference:
        - [Ashkboos et al., 2024](https://arxiv.org/abs/2404.00456), rotation of the residual stream
    """

    fused_norm: bool = True
    loudness_slope: float = 0.0
    rotated: bool = False
    centered_values: bool = False


# By the format of TFLite.
DEPLOYMENT_FORMS = {
    "float32": DeploymentForm(),
    "float16": DeploymentForm(),
    "dynamic": DeploymentForm(),
    "int8": DeploymentForm(loudness_slope=0.5),
    "int16x8": DeploymentForm(fused_norm=False),
}


class DeploymentGraph(tf.Module):
    """One standardised signal in, logits out: the numbers of a model from fewer, more robust operators.

    Identities of pre-norm transformers are used, all exact but for the `epsilon` of the normalisation, which counts
    only in tokens of next to no variance (`L2_NORMALIZATION` has one of its own):

    - Whatever writes to the residual stream is centred over the channels, so that the stream has zero mean and layer
      normalisation becomes a division by the root mean square.
    - That division is `L2_NORMALIZATION` times a constant. Its integer kernel computes each token's norm in 32 bits, so
      quiet and loud patches keep the same precision; squares, means and reciprocal roots in int8 do not.
    - Scale and offset of a normalisation, and the `1 / sqrt(head_dim)` of attention, go into the next weights.
    - A `TanhNormalization` is a `LOGISTIC`, whose factors go into the next weights. With it the stream stays as it is:
      neither centred, nor turned, nor multiplied.
    - Query, key and value have projections, and hence scales, of their own.
    - A token may be multiplied by any positive factor, as long as everything that is added to it is multiplied too: the
      next normalisation divides it out. With a factor that falls with the loudness of its patch, the patches of the
      burst, twenty times louder than the others, no longer take nearly all steps of the one int8 scale they share.

    A model on another encoder is called as it is.

    Args:
        model: `ToFClassifier` or `EchoDetector` in float32.
        form: `DeploymentForm`. Defaults to that of int8.
        calibration: float32 array of shape `(n, signal_length)`, standardised; for a form with `centered_values`.
            Defaults to `None`.

    Raises:
        ValueError: for a rotated form of an encoder whose `hidden_dim` is not a power of two.

    Reference:
        - [Jiang et al., 2023](https://arxiv.org/abs/2305.14858), pre-norm transformers without the mean
    """

    def __init__(
        self,
        model: "ToFClassifier | EchoDetector",
        form: DeploymentForm = DEPLOYMENT_FORMS["int8"],
        calibration: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.form = form
        if isinstance(model.encoder, MAEEncoder):
            self._take_weights()
            if form.centered_values:
                self._center_values(calibration)

    def __call__(self, signals: tf.Tensor) -> tf.Tensor:
        """Gives the logits of `signals`, float32 of shape `(1, signal_length)`, standardised."""
        if not isinstance(self.model.encoder, MAEEncoder):
            return self.model(signals, training=False)
        encoder = self.model.encoder
        with tf.name_scope("patch_embedding"):
            tokens = tf.reshape(signals, (1, encoder.num_patches, encoder.patch_size))  # (1, N, P)
            if self._stem:
                tokens = tf.nn.relu6(self._dense(tokens, self._stem))  # (1, N, S)
            factor = self._quieting(tokens)  # (1, N, 1)
            kernel, bias = self._embedding
            tokens = tf.matmul(factor * tokens, _constant(kernel)) + factor * _constant(bias)  # (1, N, D)
        for i, weights in enumerate(self._blocks):
            with tf.name_scope(f"block_{i}/attention"):
                tokens = tokens + factor * self._attend(self._normalize(tokens), weights)
            with tf.name_scope(f"block_{i}/mlp_hidden"):
                hidden = self._activate(self._dense(self._normalize(tokens), weights["hidden"]))
            with tf.name_scope(f"block_{i}/mlp_output"):
                tokens = tokens + factor * self._dense(hidden, weights["output"])
        with tf.name_scope("head"):
            return self._read_out(self._normalize(tokens))

    def _take_weights(self):
        encoder, head = self.model.encoder, self.model.head_layer
        self._squashed = isinstance(encoder.norm, TanhNormalization)
        self._stem = encoder.patch_embedding.stem and _weights(encoder.patch_embedding.stem)
        kernel, bias = _weights(encoder.patch_embedding.projection)
        table = np.asarray(encoder.position_embedding.table, "float64")
        self._rotation = self._rotate(encoder.hidden_dim)
        self._embedding = self._to_stream(kernel), self._to_stream(table + bias)  # a bias for each position
        self._blocks = [self._take_block(block) for block in encoder.blocks]
        kernel, bias = _weights(head.logits)
        if isinstance(head, PerPatchHead):
            # A group of tokens shares one kernel; each of its tokens is normalised for itself.
            tokens = kernel.shape[0] // encoder.hidden_dim
            parts = np.split(kernel, tokens)
            folded = [self._after_norm(encoder.norm, part, 0.0) for part in parts]
            self._head = np.concatenate([k for k, _ in folded]), bias + sum(b for _, b in folded)
        else:
            self._head = self._after_norm(encoder.norm, kernel, bias)

    def _take_block(self, block):
        kernel, bias = _weights(block.attention.query_key_value)
        query, key, value = (
            self._after_norm(block.attention_norm, k, b)
            for k, b in zip(np.split(kernel, 3, axis=1), np.split(bias, 3), strict=True)
        )
        scale = 1.0 / math.sqrt(block.head_dim)
        return {
            "query": (query[0] * scale, query[1] * scale),
            "key": key,
            "value": value,
            "projection": tuple(map(self._to_stream, _weights(block.attention.output_projection))),
            "hidden": self._after_norm(block.mlp_norm, *_weights(block.mlp_hidden)),
            "output": tuple(map(self._to_stream, _weights(block.mlp_output))),
        }

    def _center_values(self, calibration):
        for weights in self._blocks:
            weights["seen"] = []
        for signal in calibration:
            self(signal[np.newaxis])
        for weights in self._blocks:
            mean = np.mean(weights.pop("seen"), axis=0)
            (kernel, bias), (out, out_bias) = weights["value"], weights["projection"]
            weights["value"], weights["projection"] = (kernel, bias - mean), (out, out_bias + mean @ out)

    def _after_norm(self, norm, kernel, bias):
        """Folds scale and offset of a normalisation into the dense layer that reads it."""
        gamma, beta = (np.asarray(weight, "float64") for weight in (norm.gamma, norm.beta))
        if self._squashed:  # gamma tanh(x / 2) + beta = 2 gamma sigmoid(x) + beta - gamma
            return 2 * gamma[:, None] * kernel, (beta - gamma) @ kernel + bias
        gain = math.sqrt(len(gamma)) if self.form.fused_norm else 1.0
        return gain * self._rotation.T @ (gamma[:, None] * kernel), beta @ kernel + bias

    def _to_stream(self, weight):
        """Centres what writes to the residual stream over the channels, and turns it; see the class."""
        if self._squashed:
            return weight
        return (weight - weight.mean(axis=-1, keepdims=True)) @ self._rotation

    def _rotate(self, hidden_dim):
        if not self.form.rotated:
            return np.eye(hidden_dim)
        if hidden_dim & (hidden_dim - 1):
            raise ValueError(f"A rotated form needs a `hidden_dim` that is a power of two. Received: {hidden_dim}")
        return hadamard(hidden_dim) / math.sqrt(hidden_dim)

    def _quieting(self, patches):
        if not self.form.loudness_slope or self._squashed or self._stem:
            return 1.0
        # As a matrix product, the mean keeps more digits in int8 than as MEAN.
        slope = np.full((patches.shape[-1], 1), -self.form.loudness_slope / patches.shape[-1])
        return tf.sigmoid(tf.matmul(tf.abs(patches), _constant(slope)))

    def _normalize(self, tokens):
        if self._squashed:
            return tf.sigmoid(tokens)
        epsilon = self.model.encoder.norm.epsilon
        if self.form.fused_norm:
            # The converter turns this form, and no other, into L2_NORMALIZATION.
            return tokens * tf.math.rsqrt(tf.reduce_sum(tf.square(tokens), axis=-1, keepdims=True) + 1e-6)
        if self.form.loudness_slope:
            epsilon /= 4  # it counts in silent patches, whose factor is 1/2
        return tokens * tf.math.rsqrt(tf.reduce_mean(tokens * tokens, axis=-1, keepdims=True) + epsilon)

    def _attend(self, tokens, weights):
        encoder = self.model.encoder
        num_tokens, heads, head_dim = encoder.num_patches, encoder.num_heads, encoder.head_dim
        projected = []
        # Values with their tokens last: TFLM would keep a transposed copy of them for the whole of its life.
        for name, axes in (("query", (1, 0, 2)), ("key", (1, 0, 2)), ("value", (1, 2, 0))):
            with tf.name_scope(name):
                projected_tokens = self._dense(tokens, weights[name])
                if name == "value" and "seen" in weights:
                    weights["seen"].append(np.mean(projected_tokens, axis=(0, 1)))
                split = tf.reshape(projected_tokens, (num_tokens, heads, head_dim))
                projected.append(tf.transpose(split, axes))  # (H, N, K), and (H, K, N) of the values
        query, key, value = projected
        attended = tf.matmul(tf.nn.softmax(tf.matmul(query, key, transpose_b=True)), value, transpose_b=True)
        attended = tf.reshape(tf.transpose(attended, (1, 0, 2)), (1, num_tokens, heads * head_dim))
        return self._dense(attended, weights["projection"])

    def _activate(self, x):
        return get_activation(self.model.encoder.activation)(x)

    def _dense(self, x, weights):
        kernel, bias = weights
        return tf.matmul(x, _constant(kernel)) + _constant(bias)

    def _read_out(self, tokens):
        head = self.model.head_layer
        if isinstance(head, PerPatchHead):
            tokens = tf.reshape(tokens, (1, head.num_groups, head.group_dim))
        else:
            tokens = tf.reduce_mean(tokens, axis=1)
        return tf.reshape(self._dense(tokens, self._head), (1, -1))


def _weights(dense):
    return np.asarray(dense.kernel, "float64"), np.asarray(dense.bias, "float64")


def _constant(weight):
    return tf.constant(weight, tf.float32)
