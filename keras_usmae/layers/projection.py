"""The dense layer of the transformer."""

import keras
from keras import ops

from keras_usmae.registration import register


@register
class Projection(keras.layers.Dense):
    """`keras.layers.Dense`, with product and bias in one kernel on torch.

    Keras adds the bias in a pass of its own, which on a CPU costs a tenth of a pre-training step.

    Args:
        units: int, width of the output.
        activation: activation function or its name. Defaults to `None`.
        **kwargs: further arguments of `keras.layers.Dense`.

    Call arguments:
        inputs: Tensor of shape `(..., input_dim)`.

    Output shape:
        `(..., units)`.

    Example:

    ```python
    y = Projection(128)(np.zeros((4, 64, 32), "float32"))  # (4, 64, 128)
    ```
    """

    def call(self, inputs, training=None):
        if keras.backend.backend() != "torch" or self.bias is None:
            return super().call(inputs, training=training)
        import torch

        kernel, bias = (ops.convert_to_tensor(variable) for variable in (self.kernel, self.bias))
        outputs = torch.nn.functional.linear(inputs, kernel.t(), bias)
        return outputs if self.activation is None else self.activation(outputs)
