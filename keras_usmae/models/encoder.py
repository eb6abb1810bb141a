"""The encoder: a small Vision Transformer on patches of a signal."""

import keras
from keras import ops

from keras_usmae.layers import (
    ArgumentsInConfig,
    PatchEmbedding,
    PositionEmbedding,
    TransformerBlock,
    build_normalization,
    check_batch,
    check_dropout,
    check_patching,
    check_sizes,
    check_transformer,
    run_block,
)
from keras_usmae.models.checked_model import CheckedModel
from keras_usmae.models.presets import load_preset, load_preset_weights
from keras_usmae.registration import register


@register
class MAEEncoder(ArgumentsInConfig, CheckedModel):
    """Vision Transformer encoder of 1D signals, without a class token.

    In pre-training `MaskedAutoencoder` runs `embed` and `transform` on the visible patches only; everywhere else the
    encoder is called on whole signals.

    Args:
        signal_length: int, samples in a signal. Defaults to `2048`.
        patch_size: int, samples in a patch; divides `signal_length`. Defaults to `32`.
        hidden_dim: int, width of a token. Defaults to `128`.
        num_heads: int, attention heads of a block. Defaults to `4`.
        head_dim: int, width of a head; `num_heads * head_dim` is free of `hidden_dim`. Defaults to `64`.
        num_layers: int, transformer blocks. Defaults to `6`.
        mlp_dim: int, hidden width of a block's MLP. Defaults to `256`.
        activation: str, see `TransformerBlock`. Defaults to `"tanh_gelu"`.
        dropout: float, dropout in the blocks. Defaults to `0.0`.
        position: str, `"sincos"` or `"learned"`. Defaults to `"sincos"`.
        remat: bool, rematerialisation: whether training keeps only what enters each block and computes the rest again
            going backward: less memory, more time. Defaults to `False`.
        normalization: str, normalisation of the tokens, `"layer"`, or `"tanh"`, see `TanhNormalization`. Defaults to
            `"layer"`.
        stem_dim: optional int, hidden units of the patch embedding, see `PatchEmbedding`. Defaults to `None`.
        **kwargs: `name` and `dtype` (a dtype or a policy such as `"mixed_bfloat16"`).

    Call arguments:
        signals: Tensor of shape `(batch, signal_length)`, each signal standardised to mean 0 and variance 1 (see
            `keras_usmae.signals.standardize`).

    Output shape:
        `(batch, signal_length // patch_size, hidden_dim)`.

    Raises:
        ValueError: if `patch_size` does not divide `signal_length`, an option is unknown, or `remat` meets dropout.

    Example:

    ```python
    encoder = MAEEncoder.from_preset("tiny")
    tokens = encoder(np.zeros((2, 2048), "float32"))  # (2, 64, 64)
    ```

    Reference:
        - [Rossteutscher et al., 2025](https://arxiv.org/abs/2508.20622)
        - [He et al., 2021](https://arxiv.org/abs/2111.06377)
    """

    def __init__(
        self,
        signal_length=2048,
        patch_size=32,
        hidden_dim=128,
        num_heads=4,
        head_dim=64,
        num_layers=6,
        mlp_dim=256,
        activation="tanh_gelu",
        dropout=0.0,
        position="sincos",
        remat=False,
        normalization="layer",
        stem_dim=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_dropout(dropout)
        if remat and dropout:
            raise ValueError(
                f"`remat` would draw another dropout in the second computation. Received: dropout={dropout}; use "
                "dropout=0.0, or remat=False."
            )
        self.num_patches = check_patching(signal_length, patch_size)
        check_transformer(hidden_dim, num_heads, head_dim, num_layers, mlp_dim)
        check_sizes(num_patches=self.num_patches, hidden_dim=hidden_dim)
        self.signal_length = signal_length
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.num_layers = num_layers
        self.mlp_dim = mlp_dim
        self.activation = activation
        self.dropout = dropout
        self.position = position
        self.remat = remat
        self.normalization = normalization
        self.stem_dim = stem_dim
        policy = self.dtype_policy
        self.patch_embedding = PatchEmbedding(patch_size, hidden_dim, stem_dim, dtype=policy, name="patch_embedding")
        self.position_embedding = PositionEmbedding(position, dtype=policy, name="position_embedding")
        self.blocks = [
            TransformerBlock(
                num_heads, head_dim, mlp_dim, activation, dropout, normalization, dtype=policy, name=f"block_{i}"
            )
            for i in range(num_layers)
        ]
        self.norm = build_normalization(normalization, dtype=policy, name="norm")
        self.build((None, signal_length))

    @classmethod
    def from_preset(cls, name, weights=None, **overrides):
        """Builds an encoder of a named size.

        Args:
            name: str, `"nano"`, `"tiny"`, `"small"` or `"base"`; or a file of sizes, see `load_preset`.
            weights: optional str, trained weights that come with the package, see `preset_weights`: `"synthetic"`, of
                a masked autoencoder on synthetic A-scans sampled at 100 MHz; or `"picker"`, of the `EchoDetector`
                trained from it. Defaults to `None`, fresh weights.
            **overrides: constructor arguments that differ from the preset's, such as `signal_length` or `dtype`.

        Raises:
            ValueError: if there is no preset of that name, or it has no such weights.
        """
        encoder = cls(**{**load_preset(name)["encoder"], **overrides})
        if weights is not None:
            load_preset_weights(encoder, name, weights)
        return encoder

    def build(self, input_shape):
        check_batch(input_shape, self.signal_length)
        tokens = (None, self.num_patches, self.hidden_dim)
        self.patch_embedding.build((None, self.signal_length))
        for layer in (self.position_embedding, *self.blocks, self.norm):
            layer.build(tokens)
        self.built = True

    def embed(self, signals, positions=None):
        """Cuts, projects and marks with position.

        Args:
            signals: Tensor of shape `(batch, signal_length)`.
            positions: optional int Tensor of shape `(batch, num_picked)`, the patches to embed. Defaults to all.

        Returns:
            Tensor of shape `(batch, num_patches, hidden_dim)`, or `(batch, num_picked, hidden_dim)`.
        """
        check_batch(signals.shape, self.signal_length)
        if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(signals.dtype)):
            signals = ops.cast(signals, "float32")  # torch multiplies no integers with weights
        return self.position_embedding(self.patch_embedding(signals, positions), positions)

    def transform(self, tokens, training=None):
        """Runs the transformer blocks on any number of tokens.

        Args:
            tokens: Tensor of shape `(batch, num_tokens, hidden_dim)`.
            training: bool, whether dropout acts.

        Returns:
            Tensor of the shape of `tokens`.
        """
        for block in self.blocks:
            tokens = run_block(block, tokens, remat=self.remat and bool(training), training=training)
        return self.norm(tokens)

    def call(self, signals, training=None):
        return self.transform(self.embed(signals), training=training)

    def freeze(self, num_layers=None):
        """Holds the embedding and the first blocks fixed in later training; compile again afterwards.

        Args:
            num_layers: int, number of blocks to hold, from the input on; `0` frees everything. Defaults to `None`,
                the whole encoder with its last normalisation.

        Raises:
            ValueError: if the encoder has fewer blocks.
        """
        if num_layers is not None and not 0 <= num_layers <= self.num_layers:
            raise ValueError(
                f"`num_layers` must lie in 0..{self.num_layers}, the blocks of this encoder. Received: {num_layers}"
            )
        held = self.num_layers if num_layers is None else num_layers
        self.patch_embedding.trainable = self.position_embedding.trainable = held == 0
        for i, block in enumerate(self.blocks):
            block.trainable = i >= held
        self.norm.trainable = num_layers is not None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_patches, self.hidden_dim)
