import copy

import keras
import numpy as np
import pytest

from keras_usmae.configs import FinetuneConfig, PretrainConfig
from keras_usmae.models import CNNEncoder, ConvDecoder, ConvMaskedAutoencoder, MAEEncoder, ToFClassifier, load_trained

RNG = np.random.default_rng(0)
SIGNALS = RNG.normal(size=(8, 128)).astype("float32")
NOISE = RNG.uniform(size=(8, 16)).astype("float32")


def numpy_of(tensor):
    return keras.ops.convert_to_numpy(tensor)


def small_mae(**kwargs):
    encoder = CNNEncoder(128, 8, hidden_dim=16, num_layers=2)
    return ConvMaskedAutoencoder(encoder, ConvDecoder(16, 8, 16, hidden_dim=16, num_layers=3), seed=4, **kwargs)


def masked_samples(mae):
    return numpy_of(mae(SIGNALS, noise=NOISE)["mask"]).repeat(8, axis=1)


def test_nothing_of_a_masked_patch_is_seen():
    mae = small_mae()
    masked = masked_samples(mae)
    changed = SIGNALS + 5 * masked * RNG.normal(size=SIGNALS.shape).astype("float32")
    for training in (False, True):  # whose statistics are those of the visible ones
        before, after = (
            numpy_of(copy.deepcopy(mae)(each, noise=NOISE, training=training)["patches"]) for each in (SIGNALS, changed)
        )
        np.testing.assert_array_equal(before, after)
    assert np.abs(numpy_of(mae(SIGNALS + 1 - masked, noise=NOISE)["patches"]) - before).max() > 1e-3


def test_nothing_spreads_into_masked_places():
    mae = small_mae()
    mask = numpy_of(mae(SIGNALS, noise=NOISE)["mask"])
    tokens = numpy_of(mae.encoder(SIGNALS, visible=1 - mask))
    assert (tokens[mask == 1] == 0).all()
    assert (np.abs(tokens[mask == 0]).max(axis=-1) > 0).all()


def test_statistics_are_those_of_visible_places():
    encoder = CNNEncoder(128, 8, hidden_dim=16, num_layers=0)
    halves = np.array([[1.0] * 8 + [0.0] * 8, [0.0] * 8 + [1.0] * 8], "float32")
    loud = SIGNALS * np.repeat([1.0, 100.0], 64).astype("float32")
    means = []
    for half in halves:
        again = copy.deepcopy(encoder)
        again(loud, training=True, visible=np.repeat(half[None], 8, axis=0))
        means.append(numpy_of(again.stage_norms[0].moving_variance).mean())
    start = 0.9  # a tenth of the new variance is added
    assert means[1] - start > 1000 * (means[0] - start)


def test_all_visible_is_the_encoder_without_a_mask():
    encoder = small_mae().encoder
    np.testing.assert_allclose(
        numpy_of(encoder(SIGNALS, visible=np.ones((8, 16), "float32"))), numpy_of(encoder(SIGNALS)), atol=1e-6
    )


def test_learns_to_fill_in_a_sine():
    keras.utils.set_random_seed(0)
    phase = RNG.uniform(0, 2 * np.pi, size=(512, 1))
    signals = np.sqrt(2) * np.sin(2 * np.pi * 3 * np.arange(128) / 128 + phase).astype("float32")
    mae = small_mae(mask_ratio=0.5)
    mae.compile(keras.optimizers.Adam(1e-2))
    losses = mae.fit(signals, batch_size=32, epochs=15, verbose=0).history["loss"]
    assert losses[0] > 0.3, "predicting nothing has a loss of 1"
    assert losses[-1] < 0.1
    result = mae.reconstruct(signals[:64])
    assert ((result["reconstruction"] - signals[:64]) ** 2)[result["mask"] == 1].mean() < 0.2
    visible = result["mask"] == 0
    np.testing.assert_allclose(result["reconstruction"][visible], signals[:64][visible], atol=1e-6)


def test_save_and_load_goes_on_with_the_same_training(tmp_path):
    mae = small_mae(mask_ratio=0.5)
    mae.compile(keras.optimizers.AdamW(1e-3))
    mae.fit(SIGNALS, verbose=0, shuffle=False)
    mae.save(tmp_path / "mae.keras")
    assert load_trained(tmp_path / "mae.keras", ConvMaskedAutoencoder).count_params() == mae.count_params()
    again = keras.saving.load_model(tmp_path / "mae.keras")
    assert again.get_config() == mae.get_config()
    np.testing.assert_array_equal(
        mae.reconstruct(SIGNALS, NOISE)["prediction"], again.reconstruct(SIGNALS, NOISE)["prediction"]
    )
    ours, theirs = (model.fit(SIGNALS, verbose=0, shuffle=False, epochs=2).history["loss"] for model in (mae, again))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.long
def test_mixed_precision_trains():
    mae = ConvMaskedAutoencoder.from_preset("nano", signal_length=256, dtype="mixed_bfloat16", seed=0)
    mae.compile("adamw")
    signals = RNG.normal(size=(8, 256)).astype("float32")
    assert np.isfinite(mae.fit(signals, verbose=0).history["loss"]).all()
    assert keras.backend.standardize_dtype(mae(signals)["patches"].dtype) == "float32"
    assert all(keras.backend.standardize_dtype(weight.dtype) == "float32" for weight in mae.trainable_weights)


def test_the_encoder_of_a_preset_has_about_the_parameters_of_its_transformer():
    mae = ConvMaskedAutoencoder.from_preset("nano", patch_size=16)
    transformer = MAEEncoder.from_preset("nano", patch_size=16)
    assert (mae.encoder.num_patches, mae.decoder.patch_size) == (128, 16)
    assert mae.encoder.count_params() == pytest.approx(transformer.count_params(), rel=0.15)


def test_a_pretrained_encoder_is_one_of_a_classifier():
    mae = small_mae()
    logits = ToFClassifier(mae.encoder, bin_width=8).predict(SIGNALS, verbose=0)
    assert logits.shape == (8, 16)


def test_parts_that_do_not_fit():
    encoder = CNNEncoder(128, 8, hidden_dim=16, num_layers=1)
    with pytest.raises(ValueError, match="num_patches=32 does not fit the encoder, which has 16"):
        ConvMaskedAutoencoder(encoder, ConvDecoder(32, 8, 16))
    with pytest.raises(ValueError, match="hidden_dim"):
        ConvDecoder(16, 8, 16, hidden_dim=0)
    with pytest.raises(ValueError, match="leaves no patch of 16 visible"):
        small_mae(mask_ratio=0.99)


def test_settings_of_the_transformer_are_not_taken_in_silence():
    with pytest.raises(ValueError, match="--decoder full is for the transformer's decoders"):
        PretrainConfig(architecture="cnn", decoder="full")
    with pytest.raises(ValueError, match="--prediction-ratio is for the transformer's decoders"):
        PretrainConfig(architecture="cnn", prediction_ratio=0.5)
    with pytest.raises(ValueError, match="No weights of a CNN come with the package, but --pretrained is picker"):
        FinetuneConfig(architecture="cnn", pretrained="picker")


def test_the_record_of_a_transformer_is_that_of_earlier_versions():
    assert "architecture" not in PretrainConfig().resolved().values()
    assert PretrainConfig(architecture="cnn").resolved().values()["architecture"] == "cnn"
