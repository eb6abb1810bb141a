"""The masked autoencoder."""

import keras
from keras import ops

from keras_usmae.layers import RandomMasking, check_batch, check_noise, gather_patches, patchify, unpatchify
from keras_usmae.models.checked_model import CheckedModel
from keras_usmae.models.cross_decoder import CrossAttentionDecoder
from keras_usmae.models.decoder import MAEDecoder
from keras_usmae.models.encoder import MAEEncoder
from keras_usmae.models.presets import load_preset
from keras_usmae.registration import register

DECODERS = {"full": MAEDecoder, "cross": CrossAttentionDecoder}


@register
class MaskedAutoencoder(CheckedModel):
    """Learns to fill in the masked patches of a signal.

    The encoder sees only the visible patches, the decoder predicts the others, and only these count in the loss.
    `fit` takes signals alone: `mae.compile(optimizer="adamw"); mae.fit(signals)`.

    Args:
        encoder: `MAEEncoder`.
        decoder: `MAEDecoder`, or the faster `CrossAttentionDecoder`, which in training predicts a share of the masked
            patches; for the encoder's number, size and width of patches.
        mask_ratio: float in (0, 1), share of the patches that is masked. Defaults to `0.75`.
        normalize_targets: bool, whether each target patch is scaled to mean 0 and variance 1, as in the MAE paper's
            variant. Defaults to `False`: a patch without a burst holds only noise, and this would make it as loud.
        seed: int or `None`, seed of the masks. Defaults to `None`.
        **kwargs: `name` and `dtype`.

    Call arguments:
        signals: Tensor of shape `(batch, signal_length)`, standardised; or, for `fit`, a dict of `"signals"` and
            `"noise"`.
        noise: optional Tensor of shape `(batch, num_patches)`, float or int: the patches with the smallest noise stay
            visible. Defaults to a random draw.

    Returns:
        A dict of `"patches"`, the prediction `(batch, num_patches, patch_size)` in float32, and `"mask"`
        `(batch, num_patches)`, 1 where a patch was masked. In training with a `CrossAttentionDecoder`, `"patches"` are
        only those at `"positions"`, `(batch, num_decoded)`.

    Raises:
        ValueError: if decoder and encoder do not fit together, the ratio leaves 0 or all patches, the seed is no
            integer from 0 to 2**31 - 1, or signals or noise have another shape.

    Example:

    ```python
    mae = MaskedAutoencoder.from_preset("tiny", seed=0)
    mae.compile(optimizer="adamw")
    mae.fit(signals, batch_size=64, epochs=1)
    filled_in = mae.reconstruct(signals[:4])["reconstruction"]
    ```

    Reference:
        - [He et al., 2021](https://arxiv.org/abs/2111.06377)
        - [Rossteutscher et al., 2025](https://arxiv.org/abs/2508.20622)
    """

    def __init__(self, encoder, decoder, mask_ratio=0.75, normalize_targets=False, seed=None, **kwargs):
        super().__init__(autocast=False, **kwargs)  # noise that is rounded to bfloat16 would be another mask
        for name, encoder_has in (
            ("num_patches", encoder.num_patches),
            ("patch_size", encoder.patch_size),
            ("encoder_dim", encoder.hidden_dim),
        ):
            if getattr(decoder, name) != encoder_has:
                raise ValueError(
                    f"The decoder's {name}={getattr(decoder, name)} does not fit the encoder, which has {encoder_has}."
                )
        self.encoder = encoder
        self.decoder = decoder
        self.mask_ratio = mask_ratio
        self.normalize_targets = normalize_targets
        self.seed = seed
        self.masking = RandomMasking(mask_ratio, seed, dtype=self.dtype_policy, name="masking")
        self.masking.build((None, encoder.num_patches, encoder.hidden_dim))
        self.built = True

    @classmethod
    def from_preset(
        cls,
        name,
        mask_ratio=0.75,
        normalize_targets=False,
        seed=None,
        dtype=None,
        decoder="cross",
        prediction_ratio=None,
        remat=False,
        **encoder_overrides,
    ):
        """Builds encoder and decoder of a named size, with fresh weights.

        Args:
            name: str, `"nano"`, `"tiny"`, `"small"` or `"base"`.
            mask_ratio: float, see the class. Defaults to `0.75`.
            normalize_targets: bool, see the class. Defaults to `False`.
            seed: int or `None`, see the class. Defaults to `None`.
            dtype: dtype or policy of all parts. Defaults to Keras's global policy.
            decoder: str, `"cross"` for `CrossAttentionDecoder`, or `"full"` for `MAEDecoder`, the paper's, which takes
                almost twice the time and gave no better start. Defaults to `"cross"`.
            prediction_ratio: float or `None`, see `CrossAttentionDecoder`, whose default `None` stands for.
            remat: bool, see `MAEEncoder`; for both parts. Defaults to `False`.
            **encoder_overrides: arguments of `MAEEncoder` that differ from the preset's, such as `patch_size`.

        Raises:
            ValueError: if there is no preset or decoder of that name, or a share is given to the full decoder.
        """
        if decoder not in DECODERS:
            raise ValueError(f"`decoder` must be one of {tuple(DECODERS)}. Received: decoder={decoder!r}")
        sizes = load_preset(name)["decoder"]
        if prediction_ratio is not None:
            if decoder != "cross":
                raise ValueError(
                    f'`prediction_ratio` is for decoder="cross"; the {decoder} decoder predicts every patch. '
                    f"Received: prediction_ratio={prediction_ratio}"
                )
            sizes["prediction_ratio"] = prediction_ratio
        encoder = MAEEncoder.from_preset(name, dtype=dtype, remat=remat, **encoder_overrides)
        decoder = DECODERS[decoder](
            encoder.num_patches,
            encoder.patch_size,
            encoder.hidden_dim,
            activation=encoder.activation,
            remat=remat,
            dtype=dtype,
            **sizes,
        )
        return cls(encoder, decoder, mask_ratio, normalize_targets, seed, dtype=dtype)

    def call(self, signals, noise=None, training=None):
        if isinstance(signals, dict):
            signals, noise = signals["signals"], signals["noise"]
        check_batch(signals.shape, self.encoder.signal_length)
        batch_size, num_patches = ops.shape(signals)[0], self.encoder.num_patches
        visible, masked, mask, restore_indices = self.masking.draw(batch_size, num_patches, noise)
        tokens = self.encoder.transform(self.encoder.embed(signals, visible), training=training)  # (B, visible, D)
        if not isinstance(self.decoder, CrossAttentionDecoder):
            patches = self.decoder(tokens, restore_indices, training=training)
            return {"patches": ops.cast(patches, "float32"), "mask": mask}
        if not training:
            positions = ops.broadcast_to(ops.arange(num_patches, dtype="int32"), (batch_size, num_patches))
            return {"patches": ops.cast(self.decoder(tokens, positions), "float32"), "mask": mask}
        # Their order is random already, so the first ones are a fair draw.
        positions = masked[:, : self.decoder.num_decoded(masked.shape[1])]
        patches = self.decoder(tokens, positions, training=training)
        return {"patches": ops.cast(patches, "float32"), "mask": mask, "positions": positions}

    def check_inputs(self, inputs):
        """Checks a batch of signals, an array or a dict of `"signals"` and `"noise"`."""
        super().check_inputs(inputs)
        if isinstance(inputs, dict):
            check_noise(inputs["noise"].shape, len(inputs["signals"]), self.encoder.num_patches)

    def _targets(self, signals):
        patches = ops.cast(patchify(signals, self.encoder.patch_size), "float32")
        if not self.normalize_targets:
            return patches
        mean, scale = self._patch_statistics(patches)
        return (patches - mean) / scale

    def _patch_statistics(self, patches):
        mean, variance = ops.moments(patches, axes=-1, keepdims=True)
        return mean, ops.sqrt(variance + 1e-6)

    def compile(self, optimizer="adamw", loss=None, **kwargs):
        """Configures training.

        Args:
            optimizer: Keras optimiser or its name. Defaults to `"adamw"`.
            loss: Keras loss between patches, weighted by the mask. Defaults to `None`, the mean squared error over the
                masked patches.
            **kwargs: further arguments of `keras.Model.compile`.
        """
        # Reducing by the weights, rather than by hand, is what stays right under distribution strategies.
        loss = loss or keras.losses.MeanSquaredError(reduction="mean_with_sample_weight")
        super().compile(optimizer=optimizer, loss=loss, **kwargs)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Loss over those masked patches of `x` that were predicted, averaged over their number."""
        targets, weights = self._targets(x["signals"] if isinstance(x, dict) else x), y_pred["mask"]
        if "positions" in y_pred:
            targets = gather_patches(targets, y_pred["positions"])
            weights = ops.ones_like(y_pred["positions"], dtype="float32")
        return super().compute_loss(x=x, y=targets, y_pred=y_pred["patches"], sample_weight=weights, training=training)

    def reconstruct(self, signals, noise=None):
        """Fills in the masked patches of signals.

        Args:
            signals: array of shape `(batch, signal_length)`, standardised.
            noise: optional array of shape `(batch, num_patches)`; see the class.

        Returns:
            A dict of NumPy arrays: `"reconstruction"` `(batch, signal_length)`, the signals with predictions in the
            masked patches; `"prediction"` `(batch, signal_length)`, the prediction everywhere; and `"mask"`
            `(batch, signal_length)`, 1 on the samples that were masked.
        """
        self.check_inputs(signals)
        signals = ops.convert_to_tensor(signals, dtype="float32")
        outputs = self(signals, noise=noise, training=False)
        patches = patchify(signals, self.encoder.patch_size)
        predicted = outputs["patches"]
        if self.normalize_targets:
            mean, scale = self._patch_statistics(patches)
            predicted = predicted * scale + mean
        mask = outputs["mask"][:, :, None]
        result = {
            "reconstruction": unpatchify(patches * (1 - mask) + predicted * mask),
            "prediction": unpatchify(predicted),
            "mask": unpatchify(ops.broadcast_to(mask, ops.shape(patches))),
        }
        return {name: ops.convert_to_numpy(value) for name, value in result.items()}

    def get_config(self):
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "mask_ratio": self.mask_ratio,
            "normalize_targets": self.normalize_targets,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        parts = {name: keras.saving.deserialize_keras_object(config[name]) for name in ("encoder", "decoder")}
        return cls(**{**config, **parts})
