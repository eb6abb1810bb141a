"""What an encoder attends to: the probabilities that its fused attention never forms."""

import keras
import numpy as np
from keras import ops


def attention_probabilities(layer, tokens):
    """Attention probabilities of one layer, computed anew from its weights.

    Args:
        layer: `NonSquareMultiHeadAttention`.
        tokens: Tensor of shape `(batch, num_tokens, hidden_dim)`, what the layer is called with.

    Returns:
        float32 Tensor of shape `(batch, num_heads, num_tokens, num_tokens)`; each row, a query, sums to 1.

    Example:

    ```python
    layer = NonSquareMultiHeadAttention(num_heads=4, head_dim=64)
    tokens = np.random.default_rng(0).normal(size=(2, 64, 128)).astype("float32")
    layer(tokens)
    attention_probabilities(layer, tokens).shape  # (2, 4, 64, 64)
    ```
    """
    num_tokens, inner = tokens.shape[1], layer.num_heads * layer.head_dim
    query, key = (
        ops.transpose(ops.reshape(x, (-1, num_tokens, layer.num_heads, layer.head_dim)), (0, 2, 1, 3))
        for x in ops.split(layer.query_key_value(tokens)[:, :, : 2 * inner], 2, axis=-1)
    )
    scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))  # (B, H, T, T)
    return ops.softmax(ops.cast(scores, "float32") * layer.head_dim**-0.5, axis=-1)


def attention_maps(encoder, signals, batch_size=32):
    """Attention probabilities of each layer and head of an encoder, for whole signals.

    The encoder itself is not changed: its layers keep their fused attention, and what is exported stays as it is.

    Args:
        encoder: `MAEEncoder`.
        signals: array of shape `(n, signal_length)`, standardised.
        batch_size: int, signals in a step. Defaults to `32`.

    Returns:
        A float32 array of shape `(num_layers, n, num_heads, num_patches, num_patches)`: of query patch `i`, the last
        but one axis, the share that goes to patch `j`, the last. It takes
        `num_layers * n * num_heads * num_patches ** 2 * 4` bytes.

    Example:

    ```python
    encoder = MAEEncoder.from_preset("nano", weights="synthetic")
    attention_maps(encoder, standardize(signals[:8])).shape  # (3, 8, 2, 64, 64)
    ```

    Reference:
        - [Dosovitskiy et al., 2020](https://arxiv.org/abs/2010.11929), appendix D.7
    """
    signals = np.asarray(signals, "float32")
    shape = (encoder.num_layers, len(signals), encoder.num_heads, encoder.num_patches, encoder.num_patches)
    maps = np.empty(shape, "float32")
    for start in range(0, len(signals), batch_size):
        part = slice(start, start + batch_size)
        tokens = encoder.embed(ops.convert_to_tensor(signals[part]))
        for i, block in enumerate(encoder.blocks):
            probabilities = attention_probabilities(block.attention, block.attention_norm(tokens))
            maps[i, part] = keras.ops.convert_to_numpy(probabilities)
            tokens = block(tokens, training=False)
    return maps


def attention_distance(maps, patch_size):
    """Mean distance between a query patch and what it attends to.

    The mean over queries `i` of `sum_j p_ij |i - j|`, times the samples in a patch: the receptive field of a head.

    Args:
        maps: array of shape `(..., n, num_heads, num_patches, num_patches)`, such as `attention_maps` gives it.
        patch_size: int, samples in a patch.

    Returns:
        A float64 array of shape `(..., num_heads)` in samples, the mean over the signals.

    Example:

    ```python
    attention_distance(attention_maps(encoder, signals), encoder.patch_size)  # (num_layers, num_heads)
    ```

    Reference:
        - [Dosovitskiy et al., 2020](https://arxiv.org/abs/2010.11929), appendix D.7
    """
    index = np.arange(maps.shape[-1])
    distance = np.abs(index[:, None] - index)
    return np.einsum("...nhij,ij->...h", maps, distance / (len(index) * maps.shape[-4]), dtype="float64") * patch_size


def uniform_attention_distance(num_patches, patch_size):
    """Attention distance of a head that attends to all patches alike: a third of the signal, nearly.

    Args:
        num_patches: int, patches in a signal.
        patch_size: int, samples in a patch.

    Returns:
        float, in samples.
    """
    return patch_size * (num_patches**2 - 1) / (3 * num_patches)
