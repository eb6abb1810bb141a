import numpy as np
import pytest

from keras_usmae.layers import CrossAttentionBlock, TransformerBlock
from tests.layer_test import run_layer_test

TOKENS = np.random.default_rng(0).normal(size=(2, 7, 12)).astype("float32")


@pytest.mark.parametrize("activation", ["tanh_gelu", "gelu", "relu", "silu"])
def test_layer(activation):
    init = {"num_heads": 2, "head_dim": 8, "mlp_dim": 24, "activation": activation, "dropout": 0.1}
    run_layer_test(TransformerBlock, init, (TOKENS,), [(2, 7, 12)], num_weights=12)


def test_layer_without_statistics():
    init = {"num_heads": 2, "head_dim": 8, "mlp_dim": 24, "activation": "relu", "normalization": "tanh"}
    run_layer_test(TransformerBlock, init, (TOKENS,), [(2, 7, 12)], num_weights=12)


@pytest.mark.parametrize("layer", [TransformerBlock, CrossAttentionBlock])
def test_unknown_activation(layer):
    with pytest.raises(ValueError, match="Received: activation='swish2'"):
        layer(2, 8, 24, activation="swish2")


def test_cross_block():
    context = np.random.default_rng(1).normal(size=(2, 5, 10)).astype("float32")
    init = {"num_heads": 2, "head_dim": 8, "mlp_dim": 24, "activation": "gelu"}
    run_layer_test(CrossAttentionBlock, init, (TOKENS, context), [(2, 7, 12)], num_weights=14)
