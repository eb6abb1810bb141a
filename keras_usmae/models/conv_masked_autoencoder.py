"""Masked pre-training of the convolutional baseline, so that the transformer has a rival with the same start."""

import keras
from keras import ops

from keras_usmae.layers import ArgumentsInConfig, Projection, check_batch, check_sizes
from keras_usmae.models.baselines import CNNEncoder
from keras_usmae.models.encoder import MAEEncoder
from keras_usmae.models.masked_autoencoder import MaskedAutoencoder
from keras_usmae.models.presets import load_preset
from keras_usmae.registration import register


@register
class ConvDecoder(ArgumentsInConfig, keras.Model):
    """Predicts the masked patches of a signal from the tokens of a `CNNEncoder`, by dilated convolutions.

    A learned mask token takes the place of what the encoder left empty.

    Args:
        num_patches: int, patches of a signal.
        patch_size: int, samples in a patch.
        encoder_dim: int, width of the encoder's tokens.
        hidden_dim: int, width of the tokens here. Defaults to `64`.
        num_layers: int, residual blocks, whose dilation doubles from 1 to 8 and begins again. Defaults to `4`, which
            see 45 tokens to either side.
        kernel_size: int, taps of each convolution. Defaults to `7`.
        **kwargs: `name` and `dtype`.

    Call arguments:
        tokens: Tensor of shape `(batch, num_patches, encoder_dim)`.
        mask: Tensor of shape `(batch, num_patches)`, 1 where a patch was masked.

    Output shape:
        `(batch, num_patches, patch_size)`.

    Raises:
        ValueError: if a size is not positive.

    Example:

    ```python
    decoder = ConvDecoder(num_patches=64, patch_size=32, encoder_dim=64)
    patches = decoder(np.zeros((2, 64, 64), "float32"), np.ones((2, 64), "float32"))  # (2, 64, 32)
    ```

    Reference:
        - [Woo et al., 2023](https://arxiv.org/abs/2301.00808), whose decoder is one block
    """

    def __init__(self, num_patches, patch_size, encoder_dim, hidden_dim=64, num_layers=4, kernel_size=7, **kwargs):
        super().__init__(**kwargs)
        check_sizes(num_patches=num_patches, hidden_dim=hidden_dim)
        check_sizes(num_layers, patch_size=patch_size, encoder_dim=encoder_dim, taps=kernel_size * hidden_dim)
        self.num_patches = num_patches
        self.patch_size = patch_size
        self.encoder_dim = encoder_dim
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.kernel_size = kernel_size
        policy = self.dtype_policy
        self.projection = Projection(hidden_dim, dtype=policy, name="projection")
        self.mask_token = self.add_weight(
            shape=(hidden_dim,), initializer=keras.initializers.RandomNormal(stddev=0.02), name="mask_token"
        )
        self.blocks = [
            keras.layers.Conv1D(
                hidden_dim,
                kernel_size,
                padding="same",
                dilation_rate=2 ** (i % 4),
                use_bias=False,
                dtype=policy,
                name=f"block_{i}",
            )
            for i in range(num_layers)
        ]
        self.norms = [keras.layers.LayerNormalization(dtype=policy, name=f"norm_{i}") for i in range(num_layers)]
        self.prediction = Projection(patch_size, dtype=policy, name="prediction")
        self.build((None, num_patches, encoder_dim))

    def build(self, tokens_shape, mask_shape=None):
        tokens = (None, self.num_patches, self.hidden_dim)
        self.projection.build((None, self.num_patches, self.encoder_dim))
        for layer in (*self.blocks, *self.norms, self.prediction):
            layer.build(tokens)
        self.built = True

    def call(self, tokens, mask, training=None):
        masked = ops.expand_dims(ops.cast(mask, self.compute_dtype), -1)  # (B, N, 1)
        token = ops.cast(self.mask_token, self.compute_dtype)
        x = self.projection(tokens) * (1 - masked) + token * masked  # (B, N, hidden_dim)
        for convolution, norm in zip(self.blocks, self.norms, strict=True):
            x = x + ops.relu(convolution(norm(x)))
        return self.prediction(x)

    def compute_output_shape(self, tokens_shape, mask_shape=None):
        return (tokens_shape[0], self.num_patches, self.patch_size)


@register
class ConvMaskedAutoencoder(MaskedAutoencoder):
    """A `MaskedAutoencoder` whose encoder is a `CNNEncoder`.

    Convolutions would carry what they know of the visible patches into the masked ones, layer by layer, and sums over a
    patch that is partly empty look unlike any that the encoder meets later. So it computes as sparse convolutions do:
    masked samples are zero, and so is every layer's output at masked places, which count in no normalisation either.

    Args:
        encoder: `CNNEncoder`.
        decoder: `ConvDecoder` for the encoder's number, size and width of patches.
        mask_ratio: see `MaskedAutoencoder`. Defaults to `0.75`.
        normalize_targets: see `MaskedAutoencoder`. Defaults to `False`.
        seed: see `MaskedAutoencoder`. Defaults to `None`.
        **kwargs: `name` and `dtype`.

    Call arguments:
        signals: see `MaskedAutoencoder`.
        noise: see `MaskedAutoencoder`.

    Returns:
        A dict of `"patches"` `(batch, num_patches, patch_size)` in float32 and `"mask"` `(batch, num_patches)`.

    Raises:
        ValueError: as `MaskedAutoencoder`.

    Example:

    ```python
    mae = ConvMaskedAutoencoder.from_preset("tiny", seed=0)
    mae.compile(optimizer="adamw")
    mae.fit(signals, batch_size=64, epochs=1)
    classifier = ToFClassifier(mae.encoder)
    ```

    Reference:
        - [Tian et al., 2023](https://arxiv.org/abs/2301.03580), sparse masked modelling for convolutions
        - [Woo et al., 2023](https://arxiv.org/abs/2301.00808), fully convolutional masked autoencoder
    """

    @classmethod
    def from_preset(cls, name, mask_ratio=0.75, normalize_targets=False, seed=None, dtype=None, **encoder_overrides):
        """Builds the encoder with about the parameters of a preset's transformer, and a decoder of the preset's width.

        Args:
            name: str, see `MaskedAutoencoder.from_preset`.
            mask_ratio: float, see the class. Defaults to `0.75`.
            normalize_targets: bool, see the class. Defaults to `False`.
            seed: int or `None`, see the class. Defaults to `None`.
            dtype: dtype or policy of all parts. Defaults to Keras's global policy.
            **encoder_overrides: arguments of `MAEEncoder` that differ from the preset's, such as `patch_size`.

        Raises:
            ValueError: if there is no preset of that name.
        """
        encoder = CNNEncoder.from_encoder(MAEEncoder.from_preset(name, **encoder_overrides), dtype=dtype)
        width = load_preset(name)["decoder"]["hidden_dim"]
        sizes = encoder.num_patches, encoder.patch_size, encoder.hidden_dim
        return cls(encoder, ConvDecoder(*sizes, width, dtype=dtype), mask_ratio, normalize_targets, seed, dtype=dtype)

    def call(self, signals, noise=None, training=None):
        if isinstance(signals, dict):
            signals, noise = signals["signals"], signals["noise"]
        check_batch(signals.shape, self.encoder.signal_length)
        _, _, mask, _ = self.masking.draw(ops.shape(signals)[0], self.encoder.num_patches, noise)
        tokens = self.encoder(signals, training=training, visible=1 - mask)  # (B, N, D)
        return {"patches": ops.cast(self.decoder(tokens, mask, training=training), "float32"), "mask": mask}
