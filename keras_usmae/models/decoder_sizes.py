"""What both decoders have in common: their sizes."""

import keras

from keras_usmae.layers import ArgumentsInConfig, check_sizes, check_transformer


class SizedDecoder(ArgumentsInConfig, keras.Model):
    """A decoder that knows its sizes, and whether it computes its blocks again going backward.

    Args:
        num_patches: int, patches of a signal.
        patch_size: int, samples in a patch.
        encoder_dim: int, width of the encoder's tokens.
        hidden_dim: int, width of the tokens here.
        num_heads: int, attention heads of a block.
        head_dim: int, width of a head.
        num_layers: int, blocks.
        mlp_dim: int, width of the hidden layer of an MLP.
        activation: str, see `TransformerBlock`.
        remat: bool, see `MAEEncoder`.
    """

    def __init__(
        self,
        num_patches,
        patch_size,
        encoder_dim,
        hidden_dim,
        num_heads,
        head_dim,
        num_layers,
        mlp_dim,
        activation,
        remat,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_transformer(hidden_dim, num_heads, head_dim, num_layers, mlp_dim)
        check_sizes(num_patches=num_patches, hidden_dim=hidden_dim)
        check_sizes(patch_size=patch_size, encoder_dim=encoder_dim, hidden_dim=hidden_dim)
        self.num_patches = num_patches
        self.patch_size = patch_size
        self.encoder_dim = encoder_dim
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.num_layers = num_layers
        self.mlp_dim = mlp_dim
        self.activation = activation
        self.remat = remat
