"""Activations that survive the way to a microcontroller."""

import keras
from keras import ops

from keras_usmae.registration import register


@register
def tanh_gelu(x):
    """Tanh-approximated GELU, written so that TFLite keeps it as plain integer operators.

    `0.5 x (1 + tanh(u)) = x sigmoid(2u)`, hence the same numbers as `keras.activations.gelu(x, approximate=True)`.
    The converter recognises the textbook form and fuses it into the builtin `GELU`, which TensorFlow Lite for
    Microcontrollers does not have; this form becomes `LOGISTIC`, `MUL` and `ADD`, and has no cube whose wide range
    would leave few steps of int8 for small `x`.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of the shape and dtype of `x`.

    Example:

    ```python
    y = tanh_gelu(np.linspace(-3, 3, 7, dtype="float32"))
    ```

    Reference:
        - [Hendrycks and Gimpel, 2016](https://arxiv.org/abs/1606.08415)
    """
    if keras.backend.backend() == "torch":
        return ops.gelu(x, approximate=True)  # one fused kernel; TFLite files are made by TensorFlow
    return x * ops.sigmoid(x * (1.5957691216057308 + 0.07135481627362 * (x * x)))


def _exact_gelu(x):
    return keras.activations.gelu(x, approximate=False)


_ACTIVATIONS = {
    "tanh_gelu": tanh_gelu,
    "gelu": _exact_gelu,
    "relu": keras.activations.relu,
    "silu": keras.activations.silu,
}


def get_activation(name):
    """Returns the activation function of a transformer block.

    Args:
        name: str, one of `"tanh_gelu"`, `"gelu"` (exact, through `erf`), `"relu"`, `"silu"`.

    Raises:
        ValueError: if the name is unknown.
    """
    if name not in _ACTIVATIONS:
        raise ValueError(f"`activation` must be one of {tuple(_ACTIVATIONS)}. Received: activation={name!r}")
    return _ACTIVATIONS[name]
