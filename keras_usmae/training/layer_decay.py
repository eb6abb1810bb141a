"""Layer-wise decay of the learning rate: what was pre-trained, and lies near the input, moves less."""

import re
from typing import Any

import keras

from keras_usmae.registration import register


def layer_depth(path: str, num_layers: int) -> int:
    """Depth at which a variable of an encoder with a head lies.

    Args:
        path: str, the variable's `path`.
        num_layers: int, blocks of the encoder.

    Returns:
        int: `0` for the embedding, the position, the mask token and the stages of a CNN; `i + 1` for block `i`;
        `num_layers + 1` for everything after the blocks.

    Reference:
        - [He et al., 2021](https://arxiv.org/abs/2111.06377), `get_layer_id_for_vit` of its released code
    """
    if block := re.search(r"(?:^|/)block_(?:norm_)?(\d+)(?:/|$)", path):
        return int(block.group(1)) + 1
    if re.search(r"(?:^|/)(patch_embedding|position_embedding|mask_token|stage_(?:norm_)?\d+)(?:/|$)", path):
        return 0
    return num_layers + 1


@register
class LayerDecayAdamW(keras.optimizers.AdamW):
    """AdamW whose learning rate falls by a factor with each layer away from the head.

    A variable at depth `d` (see `layer_depth`) learns at `learning_rate * layer_decay ** (num_layers + 1 - d)`, and is
    decayed with that rate too, as with one parameter group a layer in other frameworks. Scaling gradients instead would
    do nothing: Adam divides by their size.

    Args:
        learning_rate: float or schedule, the rate of the head. Defaults to `0.001`.
        layer_decay: float in (0, 1], the factor; `1.0` is plain AdamW. Defaults to `0.75`.
        num_layers: int, blocks of the encoder. Defaults to `0`.
        **kwargs: arguments of `keras.optimizers.AdamW`.

    Raises:
        ValueError: if the factor does not lie in (0, 1].

    Reference:
        - [Clark et al., 2020](https://arxiv.org/abs/2003.10555), the decay
        - [Bao et al., 2021](https://arxiv.org/abs/2106.08254), its use on a Vision Transformer
    """

    def __init__(
        self, learning_rate: float = 0.001, layer_decay: float = 0.75, num_layers: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        if not 0.0 < layer_decay <= 1.0:
            raise ValueError(
                "`layer_decay`, the factor of the learning rate from a layer to the one before it, must lie above 0 "
                f"and not above 1. Received: layer_decay={layer_decay}"
            )
        self.layer_decay = layer_decay
        self.num_layers = num_layers

    def build(self, variables: list[keras.Variable]) -> None:
        """Creates the moments, and notes each variable's factor."""
        self._factors = [
            self.layer_decay ** (self.num_layers + 1 - layer_depth(variable.path, self.num_layers))
            for variable in variables
        ]
        super().build(variables)

    def update_step(self, gradient, variable, learning_rate) -> None:
        """Decays and moves one variable at the rate of its layer."""
        learning_rate = learning_rate * self._factors[self._get_variable_index(variable)]
        if self._use_weight_decay(variable):
            rate = keras.ops.cast(learning_rate * self.weight_decay, variable.dtype)
            self.assign_sub(variable, variable * rate)
        super().update_step(gradient, variable, learning_rate)

    def _apply_weight_decay(self, variables):
        """Nothing: Keras decays all variables at one rate here, `update_step` each at its own."""

    def get_config(self):
        return {**super().get_config(), "layer_decay": self.layer_decay, "num_layers": self.num_layers}
