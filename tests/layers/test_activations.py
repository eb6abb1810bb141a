import keras
import numpy as np
import pytest

from keras_usmae.layers import get_activation, tanh_gelu


def test_tanh_gelu_equals_the_textbook_form():
    x = np.linspace(-6, 6, 1001, dtype="float32")
    ours = keras.ops.convert_to_numpy(tanh_gelu(keras.ops.convert_to_tensor(x)))
    theirs = keras.ops.convert_to_numpy(keras.activations.gelu(keras.ops.convert_to_tensor(x), approximate=True))
    np.testing.assert_allclose(ours, theirs, atol=2e-6)


def test_unknown_activation_names_the_known_ones():
    with pytest.raises(ValueError, match=r"tanh_gelu.*Received: activation='mish'"):
        get_activation("mish")
