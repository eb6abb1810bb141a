"""Encoder and cross-attention decoder once more, in plain NumPy and float64, sharing no code with the package."""

import math

import numpy as np


def layer_norm(x, gamma, beta, epsilon):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon) * gamma + beta


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def attend(q, k, v, num_heads):
    """Head by head and signal by signal, with loops."""
    out = np.zeros_like(q)
    head_dim = q.shape[-1] // num_heads
    for head in range(num_heads):
        part = slice(head * head_dim, (head + 1) * head_dim)
        for b in range(len(q)):
            scores = q[b, :, part] @ k[b, :, part].T / math.sqrt(head_dim)
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            out[b, :, part] = scores / scores.sum(-1, keepdims=True) @ v[b, :, part]
    return out


def attention(x, qkv_kernel, qkv_bias, out_kernel, out_bias, num_heads):
    q, k, v = np.split(x @ qkv_kernel + qkv_bias, 3, axis=-1)
    return attend(q, k, v, num_heads) @ out_kernel + out_bias


def cross_attention(x, context, weights, num_heads):
    q = x @ weights["query/kernel"] + weights["query/bias"]
    k, v = np.split(context @ weights["key_value/kernel"] + weights["key_value/bias"], 2, axis=-1)
    return attend(q, k, v, num_heads) @ weights["output_projection/kernel"] + weights["output_projection/bias"]


def positions(num_positions, dim):
    table = np.zeros((num_positions, dim))
    for p in range(num_positions):
        for i in range(dim // 2):
            angle = p / 10000 ** (i / (dim // 2))
            table[p, i], table[p, dim // 2 + i] = math.sin(angle), math.cos(angle)
    return table


def below(weights, prefix):
    return {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}


def mlp(x, w):
    normed = layer_norm(x, w["mlp_norm/gamma"], w["mlp_norm/beta"], 1e-5)
    hidden = gelu_tanh(normed @ w["mlp_hidden/kernel"] + w["mlp_hidden/bias"])
    return hidden @ w["mlp_output/kernel"] + w["mlp_output/bias"]


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
        w = below(weights, f"block_{i}/")
        normed = layer_norm(x, w["attention_norm/gamma"], w["attention_norm/beta"], 1e-5)
        x = x + attention(
            normed,
            w["attention/query_key_value/kernel"],
            w["attention/query_key_value/bias"],
            w["attention/output_projection/kernel"],
            w["attention/output_projection/bias"],
            config["num_heads"],
        )
        x = x + mlp(x, w)
    return layer_norm(x, weights["norm/gamma"], weights["norm/beta"], 1e-5)


def cross_decoder(visible, positions_asked, weights, config):
    """Predicted patches, each signal and each patch on its own.

    Args:
        visible: (batch, num_visible, encoder_dim).
        positions_asked: (batch, num_decoded) ints.
        weights: dict from a weight's path below the decoder to a float64 array.
        config: the decoder's config.
    """
    context = visible.astype("float64") @ weights["projection/kernel"] + weights["projection/bias"]
    table = positions(config["num_patches"], config["hidden_dim"])
    predicted = np.zeros((*positions_asked.shape, config["patch_size"]))
    for (b, j), position in np.ndenumerate(positions_asked):
        x = weights["mask_token"] + table[position]  # (1, 1, hidden_dim)
        for i in range(config["num_layers"]):
            w = below(weights, f"block_{i}/")
            normed = layer_norm(x, w["attention_norm/gamma"], w["attention_norm/beta"], 1e-5)
            x = x + cross_attention(normed, context[b : b + 1], below(w, "attention/"), config["num_heads"])
            x = x + mlp(x, w)
        x = layer_norm(x, weights["norm/gamma"], weights["norm/beta"], 1e-5)
        predicted[b, j] = (x @ weights["prediction/kernel"] + weights["prediction/bias"])[0, 0]
    return predicted


def sigmoid_crossentropy(target, logits):
    """Binary cross-entropy of logits, in float64."""
    logits = np.asarray(logits, dtype=np.float64)
    return np.logaddexp(0, logits) - target * logits
