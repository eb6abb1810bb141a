"""The convolutional baseline."""

import inspect
import itertools
import math

import keras
from keras import ops

from keras_usmae.layers import check_batch, check_patching, check_sizes
from keras_usmae.models.checked_model import CheckedModel
from keras_usmae.registration import register


def _widths(hidden_dim, patch_size):
    """Channels of the stages."""
    num_stages = patch_size.bit_length() - 3  # the stem strides by 4, each later stage by 2
    return [max(8, hidden_dim >> (num_stages - i)) for i in range(num_stages)] + [hidden_dim]


def _num_weights(widths, num_layers, kernel_size):
    """Trainable weights: convolutions without bias, each with a scale and an offset for each channel."""
    layers = [*itertools.pairwise([1, *widths]), *[(widths[-1], widths[-1])] * num_layers]
    return sum(kernel_size * ahead * behind + 2 * behind for ahead, behind in layers)


def _seen(visible, num_tokens):
    """Which of the tokens of a layer lie in visible patches, bool `(batch, num_tokens)`; `None` where all do."""
    return None if visible is None else ops.cast(ops.repeat(visible, num_tokens // visible.shape[1], axis=1), "bool")


def _keep(x, seen):
    """Tokens with zeros where a patch is masked."""
    return x if seen is None else x * ops.cast(seen[:, :, None], x.dtype)


@register
class CNNEncoder(CheckedModel):
    """A residual 1D convolutional network in the place of the transformer encoder.

    A strided stem and stages that each halve the resolution bring the signal down to one token for each `patch_size`
    samples, so that the same heads, labels and recipe serve both. Dilated residual blocks on the last stage widen the
    receptive field beyond a burst. The defaults have about the parameters of the `tiny` transformer; `from_encoder`
    chooses the width for any other.

    Args:
        signal_length: int, samples in a signal. Defaults to `2048`.
        patch_size: int, samples for each token, a power of 2 and at least 4. Defaults to `32`.
        hidden_dim: int, channels of the last stage, halved for each earlier one but at least 8. Defaults to `64`.
        num_layers: int, dilated residual blocks on the last stage. Defaults to `6`.
        kernel_size: int, taps of each convolution. Defaults to `7`.
        **kwargs: `name` and `dtype`.

    Call arguments:
        signals: Tensor of shape `(batch, signal_length)`, standardised.
        visible: optional Tensor of shape `(batch, num_patches)`, 1 for the patches that are seen and 0 for those that
            are masked, see `ConvMaskedAutoencoder`. Defaults to `None`, all are seen.

    Output shape:
        `(batch, signal_length // patch_size, hidden_dim)`, zeros where a patch is masked.

    Raises:
        ValueError: if `patch_size` is not a power of 2, or does not divide `signal_length`.

    Example:

    ```python
    classifier = ToFClassifier(CNNEncoder(hidden_dim=64))
    ```

    Reference:
        - [Ross et al., 2018](https://doi.org/10.1029/2017JB015251), convolutional picking of seismic onsets
    """

    def __init__(self, signal_length=2048, patch_size=32, hidden_dim=64, num_layers=6, kernel_size=7, **kwargs):
        super().__init__(**kwargs)
        self.num_patches = check_patching(signal_length, patch_size)
        check_sizes(num_layers, hidden_dim=hidden_dim, taps_by_channel=kernel_size * hidden_dim)
        if patch_size < 4 or patch_size & (patch_size - 1):
            raise ValueError(f"`patch_size` of the CNN must be a power of 2, at least 4. Received: {patch_size}")
        self.signal_length = signal_length
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.kernel_size = kernel_size
        widths = _widths(hidden_dim, patch_size)
        self.stages = [self._convolution(width, 4 if i == 0 else 2, 1, f"stage_{i}") for i, width in enumerate(widths)]
        self.stage_norms = [self._normalization(f"stage_norm_{i}") for i in range(len(widths))]
        self.blocks = [self._convolution(hidden_dim, 1, 2 ** (i % 4), f"block_{i}") for i in range(num_layers)]
        self.block_norms = [self._normalization(f"block_norm_{i}") for i in range(num_layers)]
        self.build((None, signal_length))

    @classmethod
    def from_encoder(cls, encoder, **kwargs):
        """Builds the CNN whose number of parameters comes nearest to that of another encoder.

        Args:
            encoder: `MAEEncoder` to match in signal length, patch size and number of trainable parameters.
            **kwargs: further constructor arguments.
        """
        target = sum(math.prod(weight.shape) for weight in encoder.trainable_weights)
        sizes = {"signal_length": encoder.signal_length, "patch_size": encoder.patch_size, **kwargs}
        defaults = {name: parameter.default for name, parameter in inspect.signature(cls).parameters.items()}
        num_layers, kernel_size = ({**defaults, **sizes}[name] for name in ("num_layers", "kernel_size"))

        def distance(width):
            return abs(_num_weights(_widths(width, encoder.patch_size), num_layers, kernel_size) - target)

        # The last stage alone has half as many weights as pairs of channels, or more: the best width is below this.
        return cls(hidden_dim=min(range(8, max(9, math.isqrt(2 * target))), key=distance), **sizes)

    def _convolution(self, filters, strides, dilation, name):
        return keras.layers.Conv1D(
            filters,
            self.kernel_size,
            strides,
            padding="same",
            dilation_rate=dilation,
            use_bias=False,
            dtype=self.dtype_policy,
            name=name,
        )

    def _normalization(self, name):
        return keras.layers.BatchNormalization(momentum=0.9, dtype=self.dtype_policy, name=name)

    def build(self, input_shape):
        shape = (None, self.signal_length, 1)
        layers = zip([*self.stages, *self.blocks], [*self.stage_norms, *self.block_norms], strict=True)
        for convolution, normalization in layers:
            convolution.build(shape)
            shape = convolution.compute_output_shape(shape)
            normalization.build(shape)
        self.built = True

    def call(self, signals, training=None, visible=None):
        check_batch(signals.shape, self.signal_length)
        x = _keep(ops.expand_dims(signals, -1), _seen(visible, self.signal_length))  # (B, L, 1)
        for convolution, normalization in zip(self.stages, self.stage_norms, strict=True):
            x = convolution(x)
            seen = _seen(visible, x.shape[1])
            x = _keep(ops.relu(normalization(x, training=training, mask=seen)), seen)
        seen = _seen(visible, self.num_patches)
        for convolution, normalization in zip(self.blocks, self.block_norms, strict=True):
            x = x + _keep(ops.relu(normalization(convolution(x), training=training, mask=seen)), seen)
        return x

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_patches, self.hidden_dim)

    def get_config(self):
        names = ("signal_length", "patch_size", "hidden_dim", "num_layers", "kernel_size")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
