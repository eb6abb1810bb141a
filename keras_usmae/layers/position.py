"""Position embeddings: fixed sine-cosine, or learned."""

import keras
import numpy as np
from keras import ops

from keras_usmae.registration import register

POSITIONS = ("sincos", "learned")


def sincos_table(num_positions, hidden_dim):
    """Sine and cosine of the position at `hidden_dim // 2` geometrically spaced frequencies.

    Args:
        num_positions: int, number of patches.
        hidden_dim: int, even, width of a token.

    Returns:
        float32 array of shape `(num_positions, hidden_dim)`: sines in the first half, cosines in the second.

    Example:

    ```python
    sincos_table(64, 128).shape  # (64, 128)
    ```

    Reference:
        - [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), section 3.5
    """
    half = hidden_dim // 2
    angles = np.arange(num_positions)[:, None] / 10000.0 ** (np.arange(half) / half)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype("float32")


def _sincos_initializer(shape, dtype=None):
    return ops.convert_to_tensor(sincos_table(*shape), dtype=dtype)


@register
class PositionEmbedding(keras.layers.Layer):
    """Adds a vector for the position to each token.

    The table has the number of positions it was built with, and both kinds live in a weight, so that all backends trace
    and export it alike.

    Args:
        kind: str, `"sincos"` (fixed, as in the MAE paper) or `"learned"`. Defaults to `"sincos"`.

    Call arguments:
        tokens: Tensor of shape `(batch, num_patches, hidden_dim)`, or of any shape that the rows for `positions`
            broadcast with.
        positions: optional int Tensor of shape `(batch, num_tokens)`, the position of each token. Defaults to
            `0 ... num_patches - 1`.

    Output shape:
        That of `tokens`, or `(batch, num_tokens, hidden_dim)` with `positions`.

    Raises:
        ValueError: for an unknown kind, or an odd `hidden_dim` with `"sincos"`.

    Example:

    ```python
    PositionEmbedding("sincos")(np.zeros((4, 64, 128), "float32"))
    ```

    Reference:
        - [He et al., 2021](https://arxiv.org/abs/2111.06377), appendix A.1
    """

    def __init__(self, kind="sincos", **kwargs):
        super().__init__(**kwargs)
        if kind not in POSITIONS:
            raise ValueError(f"`kind` of position embedding must be one of {POSITIONS}. Received: kind={kind!r}")
        self.kind = kind

    def build(self, tokens_shape, positions_shape=None):
        num_positions, hidden_dim = tokens_shape[1:]
        learned = self.kind == "learned"
        if not learned and hidden_dim % 2:
            raise ValueError(f"Sine-cosine positions need an even `hidden_dim`. Received: hidden_dim={hidden_dim}")
        initializer = keras.initializers.RandomNormal(stddev=0.02) if learned else _sincos_initializer
        self.table = self.add_weight(
            shape=(num_positions, hidden_dim), initializer=initializer, trainable=learned, name="table"
        )

    def call(self, tokens, positions=None):
        """Adds the table, or its rows for `positions`, to `tokens`."""
        table = ops.cast(self.table, tokens.dtype)
        return tokens + (table if positions is None else ops.take(table, positions, axis=0))

    def compute_output_shape(self, tokens_shape, positions_shape=None):
        return tokens_shape if positions_shape is None else (*positions_shape, tokens_shape[-1])

    def get_config(self):
        return {**super().get_config(), "kind": self.kind}
