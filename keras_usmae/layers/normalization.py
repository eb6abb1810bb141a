"""Normalisations of tokens that stay integer in a quantised model."""

import keras
from keras import ops

from keras_usmae.registration import register


@register
class IntegerSafeLayerNormalization(keras.layers.Layer):
    """Layer normalisation over the last axis, with the numbers of `keras.layers.LayerNormalization`.

    Keras's own form converts to TFLite with a `NEG`, which has no integer kernel in TFLM: it leaves float islands in an
    int8 model and makes int16x8 fail. Written as `d = x - mean(x)`, `d * rsqrt(mean(d * d) + epsilon)`, every operator
    is integer throughout.

    Args:
        epsilon: float, added to the variance. Defaults to `1e-5`.

    Call arguments:
        x: Tensor of shape `(..., hidden_dim)`.

    Output shape:
        That of `x`.

    Example:

    ```python
    y = IntegerSafeLayerNormalization()(np.random.default_rng(0).normal(size=(4, 64, 128)).astype("float32"))
    ```

    Reference:
        - [Ba et al., 2016](https://arxiv.org/abs/1607.06450)
    """

    def __init__(self, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        self.gamma = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="beta")

    def call(self, x):
        """Normalises `x`; the moments are taken in float32 at least, whatever the compute dtype."""
        if keras.backend.backend() == "torch":  # one fused kernel for ten; TFLite files are made by TensorFlow
            return ops.layer_normalization(x, self.gamma, self.beta, axis=-1, epsilon=self.epsilon)
        wide = ops.cast(x, "float32") if keras.backend.standardize_dtype(x.dtype) in ("float16", "bfloat16") else x
        d = wide - ops.mean(wide, axis=-1, keepdims=True)
        # Multiplied out: `ops.square` becomes an operator that the int16x8 quantiser refuses.
        y = d * ops.rsqrt(ops.mean(d * d, axis=-1, keepdims=True) + self.epsilon)
        return ops.cast(y, x.dtype) * ops.cast(self.gamma, x.dtype) + ops.cast(self.beta, x.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@register
class TanhNormalization(keras.layers.Layer):
    """A hyperbolic tangent of each channel in the place of a normalisation: nothing of a token is measured.

    `gamma * tanh(x / 2) + beta`. What it takes from layer normalisation is that no channel grows beyond its scale. A
    microcontroller looks the function up: `tanh(x / 2)` is `2 sigmoid(x) - 1`, whose factors go into the next weights,
    which leaves one `LOGISTIC`. The reference learns the slope; here the stream of tokens takes the scale that suits
    the slope of one half.

    Call arguments:
        x: Tensor of shape `(..., hidden_dim)`.

    Output shape:
        That of `x`.

    Example:

    ```python
    y = TanhNormalization()(np.random.default_rng(0).normal(size=(4, 32, 48)).astype("float32"))
    ```

    Reference:
        - [Zhu et al., 2025](https://arxiv.org/abs/2503.10622), Dynamic Tanh
    """

    def build(self, input_shape):
        self.gamma = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="beta")

    def call(self, x):
        return ops.tanh(0.5 * x) * ops.cast(self.gamma, x.dtype) + ops.cast(self.beta, x.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape


NORMALIZATIONS = {"layer": IntegerSafeLayerNormalization, "tanh": TanhNormalization}


def build_normalization(kind, **kwargs):
    """Builds a normalisation of tokens.

    Args:
        kind: str, `"layer"` or `"tanh"`.

    Returns:
        `IntegerSafeLayerNormalization` or `TanhNormalization`.

    Raises:
        ValueError: if the kind is unknown.
    """
    if kind not in NORMALIZATIONS:
        raise ValueError(f"`normalization` must be one of {tuple(NORMALIZATIONS)}. Received: normalization={kind!r}")
    return NORMALIZATIONS[kind](**kwargs)
