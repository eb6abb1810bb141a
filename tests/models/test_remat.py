"""Blocks that are computed again going backward give the numbers of those that are kept."""

import keras
import numpy as np
import pytest

from keras_usmae.models import MAEEncoder, MaskedAutoencoder

RNG = np.random.default_rng(0)
DATA = {
    "signals": RNG.normal(size=(4, 128)).astype("float32"),
    "noise": RNG.integers(2**31, size=(4, 16), dtype="int32"),
}


def trained(decoder, remat):
    """Loss and weights after one step, whose size is that of the gradient."""
    keras.utils.set_random_seed(0)
    mae = MaskedAutoencoder.from_preset(
        "nano", decoder=decoder, remat=remat, signal_length=128, patch_size=8, num_layers=2, seed=0
    )
    mae.compile(keras.optimizers.SGD(1.0), jit_compile=keras.backend.backend() == "jax")
    loss = mae.train_on_batch(DATA)
    return float(loss), [keras.ops.convert_to_numpy(weight) for weight in mae.trainable_weights], mae


@pytest.mark.parametrize("decoder", ["full", "cross"])
def test_loss_and_gradients_are_the_same(decoder, monkeypatch):
    calls = []
    remat = keras.remat
    monkeypatch.setattr(keras, "remat", lambda function: calls.append(function) or remat(function))
    loss, weights, mae = trained(decoder, remat=True)
    assert len(calls) >= mae.encoder.num_layers + mae.decoder.num_layers
    kept_loss, kept_weights, _ = trained(decoder, remat=False)
    assert loss == pytest.approx(kept_loss, rel=1e-6)
    for one, other in zip(weights, kept_weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_it_survives_saving(tmp_path):
    mae = MaskedAutoencoder.from_preset("nano", signal_length=128, patch_size=8, num_layers=1, remat=True)
    mae.save(tmp_path / "mae.keras")
    again = keras.saving.load_model(tmp_path / "mae.keras")
    assert again.encoder.remat is again.decoder.remat is True


def test_dropout_is_refused():
    with pytest.raises(ValueError, match=r"dropout=0\.1"):
        MAEEncoder.from_preset("nano", remat=True, dropout=0.1)
