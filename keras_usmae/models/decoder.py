"""The decoder: a shallow transformer that predicts patches."""

from keras_usmae.layers import (
    IntegerSafeLayerNormalization,
    MaskTokenRestore,
    PositionEmbedding,
    Projection,
    TransformerBlock,
    run_block,
)
from keras_usmae.models.decoder_sizes import SizedDecoder
from keras_usmae.registration import register


@register
class MAEDecoder(SizedDecoder):
    """Predicts every patch of a signal from the encoded visible ones.

    Mask tokens restore the order, positions are added, a few blocks mix them, and a linear layer gives the samples.

    Args:
        num_patches: int, patches in a signal.
        patch_size: int, samples in a patch.
        encoder_dim: int, width of the encoder's tokens.
        hidden_dim: int, width of a token in the decoder. Defaults to `128`.
        num_heads: int, attention heads of a block. Defaults to `4`.
        head_dim: int, width of a head. Defaults to `64`.
        num_layers: int, transformer blocks. Defaults to `2`.
        mlp_dim: int, hidden width of a block's MLP. Defaults to `256`.
        activation: str, see `TransformerBlock`. Defaults to `"tanh_gelu"`.
        remat: bool, see `MAEEncoder`. Defaults to `False`.
        **kwargs: `name` and `dtype`.

    Call arguments:
        visible: Tensor of shape `(batch, num_visible, encoder_dim)`.
        restore_indices: int Tensor of shape `(batch, num_patches)` from `RandomMasking`.

    Output shape:
        `(batch, num_patches, patch_size)`.

    Example:

    ```python
    decoder = MAEDecoder(num_patches=64, patch_size=32, encoder_dim=64)
    visible, mask, restore = RandomMasking(0.75)(np.zeros((2, 64, 64), "float32"))
    patches = decoder(visible, restore)  # (2, 64, 32)
    ```

    Reference:
        - [He et al., 2021](https://arxiv.org/abs/2111.06377), section 3
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
        remat=False,
        **kwargs,
    ):
        sizes = (num_patches, patch_size, encoder_dim, hidden_dim, num_heads, head_dim, num_layers, mlp_dim)
        super().__init__(*sizes, activation, remat, **kwargs)
        policy = self.dtype_policy
        self.projection = Projection(hidden_dim, dtype=policy, name="projection")
        self.restore = MaskTokenRestore(dtype=policy, name="restore")
        self.position_embedding = PositionEmbedding("sincos", dtype=policy, name="position_embedding")
        self.blocks = [
            TransformerBlock(num_heads, head_dim, mlp_dim, activation, dtype=policy, name=f"block_{i}")
            for i in range(num_layers)
        ]
        self.norm = IntegerSafeLayerNormalization(dtype=policy, name="norm")
        self.prediction = Projection(patch_size, dtype=policy, name="prediction")
        self.build((None, None, encoder_dim))

    def build(self, visible_shape, restore_indices_shape=None):
        tokens = (None, self.num_patches, self.hidden_dim)
        self.projection.build((None, None, self.encoder_dim))
        for layer in (self.restore, self.position_embedding, *self.blocks, self.norm, self.prediction):
            layer.build(tokens)
        self.built = True

    def call(self, visible, restore_indices, training=None):
        tokens = self.restore(self.projection(visible), restore_indices)  # (B, N, hidden_dim)
        tokens = self.position_embedding(tokens)
        for block in self.blocks:
            tokens = run_block(block, tokens, remat=self.remat and bool(training), training=training)
        return self.prediction(self.norm(tokens))
