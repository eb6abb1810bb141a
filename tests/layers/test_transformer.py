import numpy as np
import pytest

from keras_usmae.layers import TransformerBlock
from tests.layer_test import run_layer_test

TOKENS = np.random.default_rng(0).normal(size=(2, 7, 12)).astype("float32")


@pytest.mark.parametrize("activation", ["tanh_gelu", "gelu", "relu", "silu"])
def test_layer(activation):
    init = {"num_heads": 2, "head_dim": 8, "mlp_dim": 24, "activation": activation, "dropout": 0.1}
    run_layer_test(TransformerBlock, init, (TOKENS,), [(2, 7, 12)], num_weights=12)


def test_unknown_activation():
    with pytest.raises(ValueError, match="Received: activation='swish2'"):
        TransformerBlock(2, 8, 24, activation="swish2")
