import keras
import numpy as np
import pytest

from keras_usmae.models import CrossAttentionDecoder, MAEDecoder, MAEEncoder, MaskedAutoencoder

RNG = np.random.default_rng(0)
SIGNALS = RNG.normal(size=(8, 128)).astype("float32")
NOISE = RNG.uniform(size=(8, 16)).astype("float32")


def numpy_of(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.fixture(params=[MAEDecoder, CrossAttentionDecoder], ids=["full", "cross"])
def decoder_class(request):
    return request.param


def small_mae(decoder_class=MAEDecoder, decoder_options=(), **kwargs):
    encoder = MAEEncoder(128, 8, hidden_dim=16, num_heads=2, head_dim=8, num_layers=1, mlp_dim=16)
    sizes = {"hidden_dim": 16, "num_heads": 2, "head_dim": 8, "num_layers": 1, "mlp_dim": 16}
    decoder = decoder_class(16, 8, 16, **sizes, **dict(decoder_options))
    return MaskedAutoencoder(encoder, decoder, seed=4, **kwargs)


def test_encoder_sees_only_the_visible_patches(decoder_class):
    mae = small_mae(decoder_class)
    removed = numpy_of(mae(SIGNALS, noise=NOISE)["mask"]).repeat(8, axis=1)
    changed = SIGNALS + 5 * removed * RNG.normal(size=SIGNALS.shape).astype("float32")
    before, after = (numpy_of(mae(s, noise=NOISE)["patches"]) for s in (SIGNALS, changed))
    np.testing.assert_array_equal(before, after)
    visible = SIGNALS + 1 - removed
    assert np.abs(numpy_of(mae(visible, noise=NOISE)["patches"]) - before).max() > 1e-3


@pytest.mark.parametrize("normalize_targets", [False, True])
def test_loss_is_the_mean_squared_error_of_the_removed_patches(decoder_class, normalize_targets):
    mae = small_mae(decoder_class, normalize_targets=normalize_targets)
    mae.compile("sgd")
    outputs = mae(SIGNALS, noise=NOISE)
    loss = float(numpy_of(mae.compute_loss(x=keras.ops.convert_to_tensor(SIGNALS), y_pred=outputs)))
    target = SIGNALS.reshape(8, 16, 8).astype("float64")
    if normalize_targets:
        target = (target - target.mean(-1, keepdims=True)) / np.sqrt(target.var(-1, keepdims=True) + 1e-6)
    squared = (numpy_of(outputs["patches"]) - target) ** 2
    assert loss == pytest.approx(squared[numpy_of(outputs["mask"]) == 1].mean(), rel=1e-5)


def test_learns_to_fill_in_a_sine(decoder_class):
    keras.utils.set_random_seed(0)
    time = np.arange(128) / 128
    phase = RNG.uniform(0, 2 * np.pi, size=(512, 1))
    signals = np.sqrt(2) * np.sin(2 * np.pi * 3 * time + phase).astype("float32")
    mae = small_mae(decoder_class, mask_ratio=0.5)
    mae.compile(keras.optimizers.Adam(1e-2))
    losses = mae.fit(signals, batch_size=32, epochs=30, verbose=0).history["loss"]
    assert losses[0] > 0.5, "predicting nothing has a loss of 1"
    assert losses[-1] < 0.1
    result = mae.reconstruct(signals[:64])
    error = ((result["reconstruction"] - signals[:64]) ** 2)[result["mask"] == 1].mean()
    assert error < 0.15


def test_reconstruct_keeps_the_visible_samples(decoder_class):
    result = small_mae(decoder_class, normalize_targets=True).reconstruct(SIGNALS, NOISE)
    visible = result["mask"] == 0
    assert visible.mean() == 0.25
    np.testing.assert_allclose(result["reconstruction"][visible], SIGNALS[visible], atol=1e-6)
    np.testing.assert_array_equal(result["reconstruction"][~visible], result["prediction"][~visible])


def test_save_and_load_goes_on_with_the_same_training(tmp_path, decoder_class):
    mae = small_mae(decoder_class, mask_ratio=0.5)
    mae.compile(keras.optimizers.AdamW(1e-3))
    mae.fit(SIGNALS, verbose=0, shuffle=False)
    mae.save(tmp_path / "mae.keras")
    again = keras.saving.load_model(tmp_path / "mae.keras")
    assert again.get_config() == mae.get_config()
    np.testing.assert_array_equal(
        mae.reconstruct(SIGNALS, NOISE)["prediction"], again.reconstruct(SIGNALS, NOISE)["prediction"]
    )
    ours, theirs = (model.fit(SIGNALS, verbose=0, shuffle=False, epochs=2).history["loss"] for model in (mae, again))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.long
@pytest.mark.parametrize("decoder", ["full", "cross"])
def test_mixed_precision_trains(decoder):
    mae = MaskedAutoencoder.from_preset("nano", signal_length=256, dtype="mixed_bfloat16", seed=0, decoder=decoder)
    mae.compile("adamw")
    signals = RNG.normal(size=(8, 256)).astype("float32")
    assert np.isfinite(mae.fit(signals, verbose=0).history["loss"]).all()
    assert mae(signals)["patches"].shape == (8, 8, 32)
    assert keras.backend.standardize_dtype(mae(signals)["patches"].dtype) == "float32"


def test_parts_that_do_not_fit(decoder_class):
    encoder = MAEEncoder(128, 8, hidden_dim=16, num_layers=1)
    with pytest.raises(ValueError, match="num_patches=32 does not fit the encoder, which has 16"):
        MaskedAutoencoder(encoder, decoder_class(32, 8, 16, num_layers=1))
    with pytest.raises(ValueError, match="leaves no patch of 16 visible"):
        small_mae(mask_ratio=0.99)
