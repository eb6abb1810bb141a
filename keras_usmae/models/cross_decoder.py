"""The fast decoder: masked patches look at the visible ones, and not at each other."""

import keras
from keras import ops

from keras_usmae.layers import (
    CrossAttentionBlock,
    IntegerSafeLayerNormalization,
    PositionEmbedding,
    Projection,
    run_block,
)
from keras_usmae.models.decoder_sizes import SizedDecoder
from keras_usmae.registration import register


@register
class CrossAttentionDecoder(SizedDecoder):
    """Predicts patches, each on its own, from the encoded visible ones.

    A query is the mask token with the position of the patch that is asked for. It attends to the visible tokens alone,
    so that in training a share of the masked patches is enough, and the cost grows with the number of queries times
    that of the visible tokens.

    Args:
        num_patches: int, patches in a signal.
        patch_size: int, samples in a patch.
        encoder_dim: int, width of the encoder's tokens.
        hidden_dim: int, width of a token in the decoder. Defaults to `128`.
        num_heads: int, attention heads of a block. Defaults to `4`.
        head_dim: int, width of a head. Defaults to `64`.
        num_layers: int, cross-attention blocks. Defaults to `2`.
        mlp_dim: int, hidden width of a block's MLP. Defaults to `256`.
        activation: str, see `TransformerBlock`. Defaults to `"tanh_gelu"`.
        prediction_ratio: float in (0, 1], share of the masked patches that a training step predicts, drawn anew for
            each signal and step. Defaults to `0.5`.
        remat: bool, see `MAEEncoder`. Defaults to `False`.
        **kwargs: `name` and `dtype`.

    Call arguments:
        visible: Tensor of shape `(batch, num_visible, encoder_dim)`.
        positions: int Tensor of shape `(batch, num_decoded)`, the patches to predict.

    Output shape:
        `(batch, num_decoded, patch_size)`.

    Raises:
        ValueError: if `prediction_ratio` is not in (0, 1].

    Example:

    ```python
    decoder = CrossAttentionDecoder(num_patches=64, patch_size=32, encoder_dim=64)
    patches = decoder(np.zeros((2, 16, 64), "float32"), np.array([[3, 9], [0, 63]]))  # (2, 2, 32)
    ```

    Reference:
        - [Fu et al., 2024](https://arxiv.org/abs/2401.14391), CrossMAE, without its weighting of the encoder's layers
    """

    def __init__(
        self,
        num_patches,
        patch_size,
        encoder_dim,
        hidden_dim=128,
        num_heads=4,
        head_dim=64,
        num_layers=2,
        mlp_dim=256,
        activation="tanh_gelu",
        prediction_ratio=0.5,
        remat=False,
        **kwargs,
    ):
        sizes = (num_patches, patch_size, encoder_dim, hidden_dim, num_heads, head_dim, num_layers, mlp_dim)
        super().__init__(*sizes, activation, remat, **kwargs)
        if not 0.0 < prediction_ratio <= 1.0:
            raise ValueError(
                "`prediction_ratio`, the share of the masked patches that training predicts, must lie above 0 and not "
                f"above 1. Received: prediction_ratio={prediction_ratio!r}"
            )
        self.prediction_ratio = prediction_ratio
        policy = self.dtype_policy
        self.projection = Projection(hidden_dim, dtype=policy, name="projection")
        self.position_embedding = PositionEmbedding("sincos", dtype=policy, name="position_embedding")
        self.blocks = [
            CrossAttentionBlock(num_heads, head_dim, mlp_dim, activation, dtype=policy, name=f"block_{i}")
            for i in range(num_layers)
        ]
        self.norm = IntegerSafeLayerNormalization(dtype=policy, name="norm")
        self.prediction = Projection(patch_size, dtype=policy, name="prediction")
        self.build((None, None, encoder_dim))

    def build(self, visible_shape, positions_shape=None):
        tokens = (None, self.num_patches, self.hidden_dim)
        self.mask_token = self.add_weight(
            shape=(1, 1, self.hidden_dim), initializer=keras.initializers.RandomNormal(stddev=0.02), name="mask_token"
        )
        self.projection.build((None, None, self.encoder_dim))
        for block in self.blocks:
            block.build(tokens, (None, None, self.hidden_dim))
        for layer in (self.position_embedding, self.norm, self.prediction):
            layer.build(tokens)
        self.built = True

    def num_decoded(self, num_masked):
        """Number of patches that a training step predicts, at least one.

        Args:
            num_masked: int, patches that were masked.
        """
        return max(1, round(self.prediction_ratio * num_masked))

    def call(self, visible, positions, training=None):
        context = self.projection(visible)
        tokens = self.position_embedding(ops.convert_to_tensor(self.mask_token), positions)  # (B, decoded, hidden_dim)
        for block in self.blocks:
            tokens = run_block(block, tokens, context, remat=self.remat and bool(training))
        return self.prediction(self.norm(tokens))
