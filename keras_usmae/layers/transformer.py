"""The pre-norm transformer blocks: self-attention, and cross-attention."""

import functools

import keras

from keras_usmae.layers.activations import get_activation
from keras_usmae.layers.attention import CrossAttention, NonSquareMultiHeadAttention
from keras_usmae.layers.normalization import build_normalization
from keras_usmae.layers.projection import Projection
from keras_usmae.layers.saving import ArgumentsInConfig
from keras_usmae.registration import register


def run_block(block, *inputs, remat=False, **kwargs):
    """Calls a block, by choice without keeping what it computes for the backward pass, which computes it again.

    `keras.RematScope` does the same to layers that are made inside it, but a saved model forgets it.

    Args:
        block: layer.
        *inputs: Tensors, its inputs.
        remat: bool. Defaults to `False`.
        **kwargs: further call arguments.

    Reference:
        - [Chen et al., 2016](https://arxiv.org/abs/1604.06174)
    """
    if not remat:
        return block(*inputs, **kwargs)
    return keras.remat(lambda *tensors: block(*tensors, **kwargs))(*inputs)


class _PreNormBlock(ArgumentsInConfig, keras.layers.Layer):
    """What both blocks share: attention that a subclass chooses, and an MLP."""

    def __init__(self, num_heads, head_dim, mlp_dim, activation, attention, normalization="layer", **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.mlp_dim = mlp_dim
        self.activation = activation
        self.normalization = normalization
        policy = self.dtype_policy
        self.attention_norm = build_normalization(normalization, dtype=policy, name="attention_norm")
        self.attention = attention(dtype=policy, name="attention")
        self.mlp_norm = build_normalization(normalization, dtype=policy, name="mlp_norm")
        self.mlp_hidden = Projection(mlp_dim, get_activation(activation), dtype=policy, name="mlp_hidden")

    def build(self, tokens_shape, *context_shape):
        self.attention.build(tokens_shape, *context_shape)
        for layer in (self.attention_norm, self.mlp_norm, self.mlp_hidden):
            layer.build(tokens_shape)
        self.mlp_output = Projection(tokens_shape[-1], dtype=self.dtype_policy, name="mlp_output")
        self.mlp_output.build((*tokens_shape[:-1], self.mlp_dim))

    def mlp(self, tokens):
        """What the MLP adds to the tokens."""
        return self.mlp_output(self.mlp_hidden(self.mlp_norm(tokens)))


@register
class TransformerBlock(_PreNormBlock):
    """Attention, then a two-layer MLP, each normalised before and added to its input.

    Args:
        num_heads: int, number of attention heads.
        head_dim: int, width of a head.
        mlp_dim: int, width of the MLP's hidden layer.
        activation: str, `"tanh_gelu"`, `"gelu"`, `"relu"` or `"silu"`. Defaults to `"tanh_gelu"`, which
            microcontrollers can run.
        dropout: float, dropout after attention and MLP. Defaults to `0.0`.
        normalization: str, `"layer"`, or `"tanh"`, see `TanhNormalization`. Defaults to `"layer"`.

    Call arguments:
        tokens: Tensor of shape `(batch, num_tokens, hidden_dim)`.

    Output shape:
        That of `tokens`.

    Example:

    ```python
    TransformerBlock(num_heads=4, head_dim=64, mlp_dim=256)(np.zeros((2, 64, 128), "float32"))
    ```

    Reference:
        - [Dosovitskiy et al., 2020](https://arxiv.org/abs/2010.11929), equations 2 and 3
    """

    def __init__(
        self, num_heads, head_dim, mlp_dim, activation="tanh_gelu", dropout=0.0, normalization="layer", **kwargs
    ):
        attention = functools.partial(NonSquareMultiHeadAttention, num_heads, head_dim, dropout)
        super().__init__(num_heads, head_dim, mlp_dim, activation, attention, normalization, **kwargs)
        self.dropout = dropout
        self.mlp_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="mlp_dropout")

    def build(self, input_shape):
        super().build(input_shape)

    def call(self, tokens, training=None):
        tokens = tokens + self.attention(self.attention_norm(tokens), training=training)
        return tokens + self.mlp_dropout(self.mlp(tokens), training=training)

    def compute_output_shape(self, input_shape):
        return input_shape


@register
class CrossAttentionBlock(_PreNormBlock):
    """Attention to another sequence, then a two-layer MLP, each normalised before and added to its input.

    The tokens do not see each other, and the context is taken as it is: normalise it once, outside.

    Args:
        num_heads: int, number of attention heads.
        head_dim: int, width of a head.
        mlp_dim: int, width of the MLP's hidden layer.
        activation: str, see `TransformerBlock`. Defaults to `"tanh_gelu"`.

    Call arguments:
        tokens: Tensor of shape `(batch, num_tokens, hidden_dim)`.
        context: Tensor of shape `(batch, num_context, context_dim)`.

    Output shape:
        That of `tokens`.

    Example:

    ```python
    block = CrossAttentionBlock(num_heads=4, head_dim=64, mlp_dim=256)
    block(np.zeros((2, 24, 128), "float32"), np.zeros((2, 16, 128), "float32"))  # (2, 24, 128)
    ```

    Reference:
        - [Fu et al., 2024](https://arxiv.org/abs/2401.14391), section 3
    """

    def __init__(self, num_heads, head_dim, mlp_dim, activation="tanh_gelu", **kwargs):
        attention = functools.partial(CrossAttention, num_heads, head_dim)
        super().__init__(num_heads, head_dim, mlp_dim, activation, attention, **kwargs)

    def build(self, tokens_shape, context_shape):
        super().build(tokens_shape, context_shape)

    def call(self, tokens, context):
        tokens = tokens + self.attention(self.attention_norm(tokens), context)
        return tokens + self.mlp(tokens)

    def compute_output_shape(self, tokens_shape, context_shape):
        return tokens_shape
