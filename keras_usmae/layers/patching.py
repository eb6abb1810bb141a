"""Cutting a signal into patches, picking some, and back."""

import keras
from keras import ops

from keras_usmae.layers.checks import check_sizes
from keras_usmae.layers.projection import Projection
from keras_usmae.registration import register


def check_patching(signal_length, patch_size):
    """Checks that a signal is cut into whole patches, and returns their number.

    Args:
        signal_length: int, samples in a signal.
        patch_size: int, samples in a patch.

    Raises:
        ValueError: if either is not a positive integer, the signal is shorter than a patch, or a remainder is left.
    """
    for name, value in (("signal_length", signal_length), ("patch_size", patch_size)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a positive integer number of samples. Received: {name}={value!r}")
    if signal_length < patch_size:
        raise ValueError(
            f"A signal must hold at least one patch. Received: signal_length={signal_length} is shorter than "
            f"patch_size={patch_size}; use longer signals or smaller patches."
        )
    if signal_length % patch_size:
        below = signal_length - signal_length % patch_size
        raise ValueError(
            f"`signal_length` must be a multiple of `patch_size`. Received: signal_length={signal_length}, "
            f"patch_size={patch_size}, remainder {signal_length % patch_size}; crop to {below} samples, pad to "
            f"{below + patch_size}, or choose a patch size that divides {signal_length}."
        )
    return signal_length // patch_size


def patchify(signals, patch_size):
    """Cuts signals into patches that touch and do not overlap.

    Args:
        signals: Tensor of shape `(batch, signal_length)`.
        patch_size: int, samples in a patch.

    Returns:
        Tensor of shape `(batch, num_patches, patch_size)`.

    Raises:
        ValueError: if `signal_length` is not a multiple of `patch_size`.

    Example:

    ```python
    patchify(np.zeros((4, 2048), "float32"), 32).shape  # (4, 64, 32)
    ```
    """
    num_patches = check_patching(signals.shape[-1], patch_size)
    return ops.reshape(signals, (-1, num_patches, patch_size))


def unpatchify(patches):
    """Joins patches into signals: the inverse of `patchify`.

    Args:
        patches: Tensor of shape `(batch, num_patches, patch_size)`.

    Returns:
        Tensor of shape `(batch, num_patches * patch_size)`.
    """
    return ops.reshape(patches, (-1, patches.shape[1] * patches.shape[2]))


def gather_patches(tokens, indices):
    """Picks tokens by their position, for each signal its own.

    One flat gather: on every backend cheaper, forward and backward, than `take_along_axis` with indices broadcast over
    the width of the tokens.

    Args:
        tokens: Tensor of shape `(batch, num_patches, dim)`.
        indices: int Tensor of shape `(batch, num_picked)`.

    Returns:
        Tensor of shape `(batch, num_picked, dim)`.

    Example:

    ```python
    gather_patches(np.zeros((2, 64, 8), "float32"), np.array([[0, 5], [7, 3]]))  # (2, 2, 8)
    ```
    """
    num_patches, dim = tokens.shape[1:]
    batch_size = ops.shape(indices)[0]
    offsets = ops.expand_dims(ops.arange(batch_size, dtype="int32") * num_patches, 1)  # (B, 1)
    flat = ops.take(ops.reshape(tokens, (-1, dim)), ops.cast(indices, "int32") + offsets, axis=0)
    return ops.reshape(flat, (-1, indices.shape[1], dim))


@register
class PatchEmbedding(keras.layers.Layer):
    """Cuts signals into patches and projects each to the width of the transformer, by choice through a hidden layer.

    Args:
        patch_size: int, samples in a patch.
        hidden_dim: int, width of a token.
        stem_dim: optional int, hidden units between patch and token, whose activation is ReLU6. Loud patches are
            clipped, and leave steps to the quiet ones that share their scale where integers compute. Defaults to
            `None`, a linear embedding.
        **kwargs: arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        signals: Tensor of shape `(batch, signal_length)`.
        positions: optional int Tensor of shape `(batch, num_picked)`, the patches to embed. Defaults to all, in order.

    Output shape:
        `(batch, signal_length // patch_size, hidden_dim)`, or `(batch, num_picked, hidden_dim)`.

    Raises:
        ValueError: if `signal_length` is not a multiple of `patch_size`.

    Example:

    ```python
    tokens = PatchEmbedding(patch_size=32, hidden_dim=64)(np.zeros((4, 2048), "float32"))  # (4, 64, 64)
    ```

    Reference:
        - [Dosovitskiy et al., 2020](https://arxiv.org/abs/2010.11929)
    """

    def __init__(self, patch_size, hidden_dim, stem_dim=None, **kwargs):
        super().__init__(**kwargs)
        check_patching(patch_size, patch_size)
        check_sizes(patch_size=patch_size, hidden_dim=hidden_dim)
        if stem_dim is not None:
            check_sizes(stem_dim=stem_dim, patch_size=patch_size)
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.stem_dim = stem_dim
        self.stem = stem_dim and Projection(stem_dim, keras.activations.relu6, dtype=self.dtype_policy, name="stem")
        self.projection = Projection(hidden_dim, dtype=self.dtype_policy, name="projection")

    def build(self, signals_shape, positions_shape=None):
        check_patching(signals_shape[-1], self.patch_size)
        if self.stem:
            self.stem.build((None, None, self.patch_size))
        self.projection.build((None, None, self.stem_dim or self.patch_size))
        self.built = True

    def call(self, signals, positions=None):
        patches = patchify(signals, self.patch_size)
        if positions is not None:
            # Samples are picked, rather than tokens: they need no gradient, and what is not picked is not projected.
            patches = gather_patches(patches, positions)
        hidden = self.stem(patches) if self.stem else patches  # (B, N, P) -> (B, N, S)
        return self.projection(hidden)  # (B, N, D)

    def compute_output_shape(self, signals_shape, positions_shape=None):
        all_patches = signals_shape[-1] // self.patch_size
        return (signals_shape[0], all_patches if positions_shape is None else positions_shape[1], self.hidden_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "patch_size": self.patch_size,
            "hidden_dim": self.hidden_dim,
            "stem_dim": self.stem_dim,
        }
