"""The transformer encoder once more, in plain NumPy and float64, sharing no code with the package."""

import math

import numpy as np


def layer_norm(x, gamma, beta, epsilon):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon) * gamma + beta


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def attention(x, qkv_kernel, qkv_bias, out_kernel, out_bias, num_heads):
    """Head by head and query by query, with loops."""
    batch, tokens, _ = x.shape
    inner = out_kernel.shape[0]
    head_dim = inner // num_heads
    qkv = x @ qkv_kernel + qkv_bias
    q, k, v = qkv[..., :inner], qkv[..., inner : 2 * inner], qkv[..., 2 * inner :]
    out = np.zeros((batch, tokens, inner))
    for head in range(num_heads):
        part = slice(head * head_dim, (head + 1) * head_dim)
        for b in range(batch):
            scores = q[b, :, part] @ k[b, :, part].T / math.sqrt(head_dim)
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            out[b, :, part] = scores / scores.sum(-1, keepdims=True) @ v[b, :, part]
    return out @ out_kernel + out_bias


def positions(num_positions, dim):
    table = np.zeros((num_positions, dim))
    for p in range(num_positions):
        for i in range(dim // 2):
            angle = p / 10000 ** (i / (dim // 2))
            table[p, i], table[p, dim // 2 + i] = math.sin(angle), math.cos(angle)
    return table


def encoder(signals, weights, config):
    """Tokens of whole signals.

    Args:
        signals: (batch, signal_length).
        weights: dict from a weight's path below the encoder to a float64 array.
        config: the encoder's config.
    """
    num_patches = config["signal_length"] // config["patch_size"]
    patches = np.stack(np.split(signals.astype("float64"), num_patches, axis=1), axis=1)
    x = patches @ weights["patch_embedding/projection/kernel"] + weights["patch_embedding/projection/bias"]
    x = x + positions(num_patches, config["hidden_dim"])
    for i in range(config["num_layers"]):
        w = {key.removeprefix(f"block_{i}/"): value for key, value in weights.items() if key.startswith(f"block_{i}/")}
        normed = layer_norm(x, w["attention_norm/gamma"], w["attention_norm/beta"], 1e-5)
        x = x + attention(
            normed,
            w["attention/query_key_value/kernel"],
            w["attention/query_key_value/bias"],
            w["attention/output_projection/kernel"],
            w["attention/output_projection/bias"],
            config["num_heads"],
        )
        normed = layer_norm(x, w["mlp_norm/gamma"], w["mlp_norm/beta"], 1e-5)
        hidden = gelu_tanh(normed @ w["mlp_hidden/kernel"] + w["mlp_hidden/bias"])
        x = x + hidden @ w["mlp_output/kernel"] + w["mlp_output/bias"]
    return layer_norm(x, weights["norm/gamma"], weights["norm/beta"], 1e-5)
