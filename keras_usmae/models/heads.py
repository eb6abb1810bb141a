"""Task heads on the tokens of an encoder."""

import keras
from keras import ops

from keras_usmae.layers import check_dropout, check_sizes
from keras_usmae.registration import register


@register
class PooledHead(keras.layers.Layer):
    """Mean over all tokens, then one linear layer.

    Args:
        num_classes: int, logits to give.
        dropout: float, dropout on the pooled token. Defaults to `0.0`.
        pooling: str, `"mean"` as in the paper, or `"mean_max"`, which joins the maximum of each channel: whether
            something occurs once in a signal, such as the echo of a flaw, a mean dilutes. Defaults to `"mean"`.

    Call arguments:
        tokens: Tensor of shape `(batch, num_tokens, hidden_dim)`.

    Output shape:
        `(batch, num_classes)`.

    Raises:
        ValueError: for an unknown pooling.

    Example:

    ```python
    PooledHead(128)(np.zeros((2, 64, 32), "float32"))  # (2, 128)
    ```

    Reference:
        - [Rossteutscher et al., 2025](https://arxiv.org/abs/2508.20622)
    """

    def __init__(self, num_classes, dropout=0.0, pooling="mean", **kwargs):
        super().__init__(**kwargs)
        if pooling not in ("mean", "mean_max"):
            raise ValueError(f"`pooling` must be 'mean' or 'mean_max'. Received: pooling={pooling!r}")
        check_sizes(num_classes=num_classes)
        check_dropout(dropout)
        self.num_classes = num_classes
        self.pooling = pooling
        self.dropout = dropout
        self.dropout_layer = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="dropout")
        self.logits = keras.layers.Dense(num_classes, dtype=self.dtype_policy, name="logits")

    def build(self, input_shape):
        self.logits.build((None, input_shape[-1] * (1 + (self.pooling == "mean_max"))))

    def call(self, tokens, training=None):
        pooled = ops.mean(tokens, axis=1)
        if self.pooling == "mean_max":
            pooled = ops.concatenate([pooled, ops.max(tokens, axis=1)], axis=1)
        return self.logits(self.dropout_layer(pooled, training=training))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_classes)

    def get_config(self):
        config = {"num_classes": self.num_classes, "dropout": self.dropout, "pooling": self.pooling}
        return {**super().get_config(), **config}


@register
class PerPatchHead(keras.layers.Layer):
    """Each patch token gives the logits of the ToF bins that lie inside its patch.

    One small linear layer shared by all patches: the head knows where it is by construction, and has hardly a weight to
    learn. Where a bin spans several patches, their tokens are joined first.

    Args:
        num_classes: int, bins over the whole signal; a multiple or a whole fraction of the number of patches.
        dropout: float, dropout on the tokens. Defaults to `0.0`.

    Call arguments:
        tokens: Tensor of shape `(batch, num_patches, hidden_dim)`.

    Output shape:
        `(batch, num_classes)`.

    Raises:
        ValueError: if bins and patches do not nest.

    Example:

    ```python
    PerPatchHead(128)(np.zeros((2, 64, 32), "float32"))  # 2 bins in each of 64 patches: (2, 128)
    ```
    """

    def __init__(self, num_classes, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        check_sizes(num_classes=num_classes)
        check_dropout(dropout)
        self.num_classes = num_classes
        self.dropout = dropout
        self.dropout_layer = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="dropout")

    def build(self, input_shape):
        num_patches, hidden_dim = input_shape[1:]
        if self.num_classes % num_patches and num_patches % self.num_classes:
            raise ValueError(
                f"The per-patch head needs bins that nest with patches: num_classes={self.num_classes} is neither a "
                f"multiple nor a whole fraction of num_patches={num_patches}. Choose a `bin_width` that divides the "
                "patch size or is a multiple of it, or the head 'pooled'."
            )
        self.num_groups = min(num_patches, self.num_classes)
        self.group_dim = num_patches // self.num_groups * hidden_dim
        self.logits = keras.layers.Dense(self.num_classes // self.num_groups, dtype=self.dtype_policy, name="logits")
        self.logits.build((None, self.num_groups, self.group_dim))

    def call(self, tokens, training=None):
        groups = ops.reshape(tokens, (-1, self.num_groups, self.group_dim))
        logits = self.logits(self.dropout_layer(groups, training=training))  # (B, groups, bins of a group)
        return ops.reshape(logits, (-1, self.num_classes))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_classes)

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes, "dropout": self.dropout}


HEADS = {"per_patch": PerPatchHead, "pooled": PooledHead}
