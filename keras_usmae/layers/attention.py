"""Multi-head attention whose heads need not add up to the width of the model."""

import keras
from keras import ops

from keras_usmae.layers.kernels import dot_product_attention
from keras_usmae.layers.projection import Projection
from keras_usmae.registration import register


def _check_heads(num_heads, head_dim):
    if num_heads < 1 or head_dim < 1:
        raise ValueError(
            f"`num_heads` and `head_dim` must be positive. Received: num_heads={num_heads}, head_dim={head_dim}"
        )


def _glorot(fan_in, fan_out):
    """Glorot by the shape of one projection, for several of them side by side."""
    limit = (6 / (fan_in + fan_out)) ** 0.5
    return keras.initializers.RandomUniform(-limit, limit)


@register
class NonSquareMultiHeadAttention(keras.layers.Layer):
    """Multi-head self-attention with `num_heads * head_dim` free of `hidden_dim`.

    Query, key and value project `hidden_dim -> num_heads * head_dim` in one fused matrix product, and the output
    projects back. The attention itself is `dot_product_attention`: fused where the backend can, and in memory
    that grows linearly with the number of tokens.

    Args:
        num_heads: int, number of heads.
        head_dim: int, width of a head.
        dropout: float, dropout of the output projection. Defaults to `0.0`.

    Call arguments:
        tokens: Tensor of shape `(batch, num_tokens, hidden_dim)`.

    Output shape:
        That of `tokens`.

    Raises:
        ValueError: if `num_heads` or `head_dim` is not positive.

    Example:

    ```python
    layer = NonSquareMultiHeadAttention(num_heads=4, head_dim=64)
    y = layer(np.zeros((2, 64, 128), "float32"))  # 4 * 64 = 256 inside, 128 outside
    ```

    Reference:
        - [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762)
        - [Bhojanapalli et al., 2020](https://arxiv.org/abs/2002.07028), on head width apart from model width
    """

    def __init__(self, num_heads, head_dim, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        _check_heads(num_heads, head_dim)
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.dropout = dropout
        self.query_key_value = Projection(3 * num_heads * head_dim, dtype=self.dtype_policy, name="query_key_value")
        self.dropout_layer = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="dropout")

    def build(self, input_shape):
        self.query_key_value.kernel_initializer = _glorot(input_shape[-1], self.num_heads * self.head_dim)
        self.query_key_value.build(input_shape)
        self.output_projection = Projection(input_shape[-1], dtype=self.dtype_policy, name="output_projection")
        self.output_projection.build((*input_shape[:-1], self.num_heads * self.head_dim))

    def call(self, tokens, training=None):
        num_tokens, inner = tokens.shape[1], self.num_heads * self.head_dim
        qkv = self.query_key_value(tokens)  # (B, T, 3 H K)
        # The gradient of a split is one concatenation, that of three slices three padded sums. Exported models keep
        # the slices, which microcontrollers run as they are.
        parts = ops.split(qkv, 3, axis=-1) if training else [qkv[:, :, i * inner : (i + 1) * inner] for i in range(3)]
        query, key, value = (ops.reshape(x, (-1, num_tokens, self.num_heads, self.head_dim)) for x in parts)
        attended = dot_product_attention(query, key, value)  # (B, T, H, K)
        attended = ops.reshape(attended, (-1, num_tokens, inner))
        return self.dropout_layer(self.output_projection(attended), training=training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "head_dim": self.head_dim,
            "dropout": self.dropout,
        }


@register
class CrossAttention(keras.layers.Layer):
    """Multi-head attention from one sequence to another, with `num_heads * head_dim` free of either width.

    Args:
        num_heads: int, number of heads.
        head_dim: int, width of a head.

    Call arguments:
        tokens: Tensor of shape `(batch, num_tokens, hidden_dim)`, the sequence that asks.
        context: Tensor of shape `(batch, num_context, context_dim)`, the sequence that is attended to.

    Output shape:
        That of `tokens`.

    Raises:
        ValueError: if `num_heads` or `head_dim` is not positive.

    Example:

    ```python
    layer = CrossAttention(num_heads=4, head_dim=64)
    y = layer(np.zeros((2, 24, 128), "float32"), np.zeros((2, 16, 128), "float32"))  # (2, 24, 128)
    ```

    Reference:
        - [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762)
    """

    def __init__(self, num_heads, head_dim, **kwargs):
        super().__init__(**kwargs)
        _check_heads(num_heads, head_dim)
        self.num_heads = num_heads
        self.head_dim = head_dim
        inner = num_heads * head_dim
        self.query = Projection(inner, dtype=self.dtype_policy, name="query")
        self.key_value = Projection(2 * inner, dtype=self.dtype_policy, name="key_value")

    def build(self, tokens_shape, context_shape):
        inner = self.num_heads * self.head_dim
        self.query.build(tokens_shape)
        self.key_value.kernel_initializer = _glorot(context_shape[-1], inner)
        self.key_value.build(context_shape)
        self.output_projection = Projection(tokens_shape[-1], dtype=self.dtype_policy, name="output_projection")
        self.output_projection.build((*tokens_shape[:-1], inner))

    def call(self, tokens, context):
        inner = self.num_heads * self.head_dim
        key_value = self.key_value(context)  # (B, S, 2 H K)
        query, key, value = (
            ops.reshape(x, (-1, x.shape[1], self.num_heads, self.head_dim))
            for x in (self.query(tokens), *ops.split(key_value, 2, axis=-1))
        )
        attended = dot_product_attention(query, key, value)  # (B, T, H, K)
        return self.output_projection(ops.reshape(attended, (-1, tokens.shape[1], inner)))

    def compute_output_shape(self, tokens_shape, context_shape):
        return tokens_shape

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "head_dim": self.head_dim}
