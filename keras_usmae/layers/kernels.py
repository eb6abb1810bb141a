"""Attention in the form that suits the backend: one fused kernel, or in parts where there would be many scores."""

import keras
from keras import ops

# Scores of a head that TensorFlow and JAX may keep for the backward pass: 512 KiB in float32. More are made in parts.
MAX_SCORES = 128 * 1024


def dot_product_attention(query, key, value, max_scores=MAX_SCORES):
    """Scaled dot-product attention in memory that grows linearly with the number of tokens.

    torch has a fused kernel on CPU and GPU, which is called without Keras's copies to contiguous memory. TensorFlow,
    and JAX on a CPU, keep all scores for the backward pass: where a head has more than `max_scores`, the queries are
    taken in parts, one after the other in a loop, whose scores are computed again going backward. (Of parts side by
    side, XLA computes all scores before the backward pass begins, and keeps them.)

    Args:
        query: Tensor of shape `(batch, num_tokens, num_heads, head_dim)`.
        key: Tensor of shape `(batch, num_context, num_heads, head_dim)`.
        value: Tensor of the shape of `key`.
        max_scores: int, scores of a head that are kept. Defaults to 131,072.

    Returns:
        Tensor of the shape of `query`.

    Example:

    ```python
    x = keras.random.normal((1, 2048, 4, 64))
    y = dot_product_attention(x, x, x)  # a loop over 32 parts of 64 queries, but on torch
    ```

    Reference:
        - [Rabe and Staats, 2021](https://arxiv.org/abs/2112.05682)
    """
    if keras.backend.backend() == "torch":
        import torch

        heads_first = (x.transpose(1, 2) for x in (query, key, value))
        return torch.nn.functional.scaled_dot_product_attention(*heads_first).transpose(1, 2)
    num_tokens, num_context = query.shape[1], key.shape[1]
    if num_tokens is None or num_context is None or num_tokens * num_context <= max_scores:
        return ops.dot_product_attention(query, key, value)
    num_parts = -(-num_tokens // max(1, max_scores // num_context))
    size = -(-num_tokens // num_parts)
    query = ops.pad(query, ((0, 0), (0, num_parts * size - num_tokens), (0, 0), (0, 0)))
    parts = ops.swapaxes(ops.reshape(query, (-1, num_parts, size, *query.shape[2:])), 0, 1)
    attend = keras.remat(ops.dot_product_attention)
    attended = ops.map(lambda part: attend(part, key, value), parts)
    attended = ops.reshape(ops.swapaxes(attended, 0, 1), (-1, *query.shape[1:]))
    return attended[:, :num_tokens]
