"""Random masking of patches, and the way back to the full sequence."""

import keras
import numpy as np
from keras import ops

from keras_usmae.layers.checks import check_noise, check_seed
from keras_usmae.layers.patching import gather_patches
from keras_usmae.registration import register


def num_visible_patches(num_patches, mask_ratio):
    """Number of patches that stay visible.

    Args:
        num_patches: int, patches in a signal.
        mask_ratio: float in (0, 1), share of the patches that is masked.

    Returns:
        int, `round(num_patches * (1 - mask_ratio))`.

    Raises:
        ValueError: if no patch or every patch would be masked.

    Example:

    ```python
    num_visible_patches(64, 0.75)  # 16
    ```
    """
    if not isinstance(mask_ratio, int | float) or not 0.0 < mask_ratio < 1.0:
        raise ValueError(f"`mask_ratio` must lie strictly between 0 and 1. Received: mask_ratio={mask_ratio!r}")
    num_visible = round(num_patches * (1.0 - mask_ratio))
    if not 0 < num_visible < num_patches:
        state = "no patch" if num_visible == 0 else "every patch"
        raise ValueError(
            f"mask_ratio={mask_ratio} leaves {state} of {num_patches} visible; at least one must be visible and one "
            f"masked. Use a ratio from {0.5 / num_patches:.4f} to {1 - 0.5 / num_patches:.4f}, or more patches."
        )
    return num_visible


@register
class RandomMasking(keras.layers.Layer):
    """Masks the same number of patches of each signal, chosen at random for each.

    A random number is drawn for each patch, and those with the smallest stay. Draws come from one
    `keras.random.SeedGenerator`, whose state is saved with the weights: a resumed run goes on with the masks it would
    have drawn. The same seed repeats on one backend, not across backends; pass `noise` where a mask must be the same
    everywhere.

    Args:
        mask_ratio: float in (0, 1), share of the patches to mask. Defaults to `0.75`.
        seed: int or `None`, seed of the draws. Defaults to `None`, a random seed.

    Call arguments:
        tokens: Tensor of shape `(batch, num_patches, dim)`.
        noise: optional Tensor of shape `(batch, num_patches)`, float or int, to sort by in place of a draw.

    Returns:
        A tuple `(visible, mask, restore_indices)`: the visible tokens `(batch, num_visible, dim)` in the order of their
        noise; float32 `mask` `(batch, num_patches)`, 1 where a patch was masked; and int32 `(batch, num_patches)`
        indices that put `concat([visible, masked])` back in order.

    Raises:
        ValueError: if the ratio would mask no patch or every patch, the noise has another shape, or the seed is no
            integer from 0 to 2**31 - 1.

    Example:

    ```python
    visible, mask, restore = RandomMasking(0.75, seed=1)(np.zeros((4, 64, 128), "float32"))
    visible.shape  # (4, 16, 128)
    ```

    Reference:
        - [He et al., 2021](https://arxiv.org/abs/2111.06377), section 3
    """

    def __init__(self, mask_ratio=0.75, seed=None, **kwargs):
        super().__init__(autocast=False, **kwargs)  # noise that is rounded to bfloat16 would be another mask
        num_visible_patches(2**20, mask_ratio)
        check_seed(seed)
        self.mask_ratio = mask_ratio
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, tokens_shape, noise_shape=None):
        """Checks that the ratio suits the number of patches in `tokens_shape`."""
        num_visible_patches(tokens_shape[1], self.mask_ratio)

    def call(self, tokens, noise=None):
        visible, _, mask, restore_indices = self.draw(*ops.shape(tokens)[:2], noise)
        return gather_patches(ops.cast(tokens, self.compute_dtype), visible), mask, restore_indices

    def draw(self, batch_size, num_patches, noise=None):
        """Draws masks, for callers that pick the patches themselves.

        Args:
            batch_size: int or int Tensor, number of signals.
            num_patches: int, patches in a signal.
            noise: optional Tensor of shape `(batch, num_patches)` to sort by in place of a draw.

        Returns:
            A tuple `(visible, masked, mask, restore_indices)`: int32 positions of the visible patches
            `(batch, num_visible)` and of the masked ones `(batch, num_masked)`, each in the order of their noise, and
            `mask` and `restore_indices` as the class returns them.
        """
        num_visible = num_visible_patches(num_patches, self.mask_ratio)
        if noise is not None:
            check_noise(noise.shape, batch_size, num_patches)
        else:
            noise = keras.random.uniform((batch_size, num_patches), seed=self.seed_generator, dtype="float32")
        shuffle = ops.cast(ops.argsort(noise, axis=1), "int32")  # (B, N): positions, the visible first
        restore_indices = ops.cast(ops.argsort(shuffle, axis=1), "int32")  # (B, N): rank of each position
        mask = ops.cast(restore_indices >= num_visible, "float32")
        return shuffle[:, :num_visible], shuffle[:, num_visible:], mask, restore_indices

    def compute_output_spec(self, tokens, noise=None):
        batch, num_patches, dim = tokens.shape
        visible = (batch, num_visible_patches(num_patches, self.mask_ratio), dim)
        return (
            keras.KerasTensor(visible, dtype=self.compute_dtype),
            keras.KerasTensor((batch, num_patches), dtype="float32"),
            keras.KerasTensor((batch, num_patches), dtype="int32"),
        )

    def save_own_variables(self, store):
        """Saves the state of the draws too, so that a resumed run goes on with them."""
        super().save_own_variables(store)
        store["seed_generator_state"] = np.asarray(keras.ops.convert_to_numpy(self.seed_generator.state))

    def load_own_variables(self, store):
        self.seed_generator.state.assign(store["seed_generator_state"][...])

    def get_config(self):
        return {**super().get_config(), "mask_ratio": self.mask_ratio, "seed": self.seed}


@register
class MaskTokenRestore(keras.layers.Layer):
    """Puts visible tokens back in their places and a learned mask token everywhere else.

    Call arguments:
        visible: Tensor of shape `(batch, num_visible, dim)`.
        restore_indices: int Tensor of shape `(batch, num_patches)` from `RandomMasking`.

    Output shape:
        `(batch, num_patches, dim)`.

    Example:

    ```python
    tokens = np.zeros((4, 64, 128), "float32")
    visible, mask, restore = RandomMasking(0.75)(tokens)
    full = MaskTokenRestore()(visible, restore)  # the shape of `tokens`
    ```

    Reference:
        - [He et al., 2021](https://arxiv.org/abs/2111.06377), section 3
    """

    def build(self, visible_shape, restore_indices_shape=None):
        initializer = keras.initializers.RandomNormal(stddev=0.02)
        self.mask_token = self.add_weight(shape=(1, 1, visible_shape[-1]), initializer=initializer, name="mask_token")

    def call(self, visible, restore_indices):
        num_visible, dim = visible.shape[1:]
        mask_tokens = ops.broadcast_to(ops.cast(self.mask_token, visible.dtype), (ops.shape(visible)[0], 1, dim))
        # All masked positions share the one mask token behind the visible ones.
        picked = ops.minimum(ops.cast(restore_indices, "int32"), num_visible)
        return gather_patches(ops.concatenate([visible, mask_tokens], axis=1), picked)

    def compute_output_spec(self, visible, restore_indices):
        return keras.KerasTensor((visible.shape[0], restore_indices.shape[1], visible.shape[2]), dtype=visible.dtype)
