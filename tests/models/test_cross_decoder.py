import keras
import numpy as np
import pytest

from keras_usmae.models import CrossAttentionDecoder, MAEDecoder, MaskedAutoencoder
from tests import numpy_reference

RNG = np.random.default_rng(0)
CONFIG = {"num_patches": 16, "patch_size": 8, "encoder_dim": 6, "hidden_dim": 12, "num_heads": 3, "head_dim": 4}
VISIBLE = RNG.normal(size=(2, 4, 6)).astype("float32")
POSITIONS = np.array([[3, 15, 0, 7, 8], [1, 1, 2, 14, 5]], "int32")


def numpy_of(tensor):
    return keras.ops.convert_to_numpy(tensor)


def randomised():
    decoder = CrossAttentionDecoder(**CONFIG, num_layers=2, mlp_dim=20)
    for weight in decoder.trainable_weights:
        weight.assign(weight + 0.2 * RNG.normal(size=weight.shape))
    return decoder


def test_equals_plain_numpy_in_float64():
    decoder = randomised()
    weights = {w.path.removeprefix(f"{decoder.name}/"): numpy_of(w).astype("float64") for w in decoder.weights}
    expected = numpy_reference.cross_decoder(VISIBLE, POSITIONS, weights, decoder.get_config())
    np.testing.assert_allclose(numpy_of(decoder(VISIBLE, POSITIONS)), expected, atol=1e-5)


def test_patches_are_predicted_each_on_its_own():
    decoder = randomised()
    together = numpy_of(decoder(VISIBLE, POSITIONS))
    alone = np.concatenate([numpy_of(decoder(VISIBLE, POSITIONS[:, j : j + 1])) for j in range(5)], axis=1)
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize(("share", "num_decoded"), [(1.0, 48), (0.5, 24), (0.3, 14), (0.001, 1)])
def test_number_of_decoded_patches(share, num_decoded):
    assert CrossAttentionDecoder(**CONFIG, prediction_ratio=share).num_decoded(48) == num_decoded


@pytest.mark.parametrize("share", [0.0, -0.5, 1.01, float("nan")])
def test_share_out_of_range(share):
    with pytest.raises(ValueError, match=r"above 0 and not above 1\. Received: prediction_ratio="):
        CrossAttentionDecoder(**CONFIG, prediction_ratio=share)


def small_mae(**kwargs):
    return MaskedAutoencoder.from_preset("nano", signal_length=512, seed=4, decoder="cross", **kwargs)


def test_training_decodes_a_random_share_of_the_removed_patches():
    mae, signals = small_mae(prediction_ratio=0.25), np.zeros((400, 512), "float32")
    first, second = mae(signals, training=True), mae(signals, training=True)
    positions = numpy_of(first["positions"])
    assert first["patches"].shape == (400, 3, 32)
    assert all(len(set(row)) == 3 for row in positions.tolist())
    assert (np.take_along_axis(numpy_of(first["mask"]), positions, axis=1) == 1).all()
    assert (positions != numpy_of(second["positions"])).any()
    # Each patch is decoded with probability 3/16: six standard deviations of 400 draws.
    share = np.bincount(positions.ravel(), minlength=16) / 400
    np.testing.assert_allclose(share, 3 / 16, atol=6 * (3 / 16 * 13 / 16 / 400) ** 0.5)
    assert "positions" not in mae(signals)


@pytest.mark.parametrize("normalize_targets", [False, True])
def test_training_loss_is_the_mean_squared_error_of_the_decoded_patches(normalize_targets):
    mae = small_mae(normalize_targets=normalize_targets)
    mae.compile("sgd")
    signals = RNG.normal(size=(5, 512)).astype("float32")
    outputs = mae(signals, training=True)
    loss = float(numpy_of(mae.compute_loss(x=keras.ops.convert_to_tensor(signals), y_pred=outputs)))
    target = signals.reshape(5, 16, 32).astype("float64")
    if normalize_targets:
        target = (target - target.mean(-1, keepdims=True)) / np.sqrt(target.var(-1, keepdims=True) + 1e-6)
    target = np.take_along_axis(target, numpy_of(outputs["positions"])[:, :, None], axis=1)
    assert target.shape == (5, 6, 32)
    assert loss == pytest.approx(((numpy_of(outputs["patches"]) - target) ** 2).mean(), rel=1e-5)


def test_training_and_inference_predict_the_same():
    mae = small_mae()
    signals = RNG.normal(size=(5, 512)).astype("float32")
    noise = RNG.uniform(size=(5, 16)).astype("float32")
    trained, whole = mae(signals, noise=noise, training=True), mae(signals, noise=noise)
    picked = np.take_along_axis(numpy_of(whole["patches"]), numpy_of(trained["positions"])[:, :, None], axis=1)
    np.testing.assert_allclose(numpy_of(trained["patches"]), picked, atol=1e-5)


def test_fit_reports_the_loss_of_the_decoded_patches():
    # A model that predicts zero has the mean square of the decoded patches as its loss, whatever is decoded.
    mae = small_mae()
    kernel = mae.decoder.prediction.kernel
    kernel.assign(keras.ops.zeros(kernel.shape))
    mae.compile(keras.optimizers.SGD(0.0))
    signals = np.where(RNG.uniform(size=(20, 512)) < 0.5, -2.0, 2.0).astype("float32")
    history = mae.fit(signals, batch_size=8, validation_data=(signals, None), verbose=0).history
    assert history["loss"] == pytest.approx([4.0], rel=1e-6)
    assert history["val_loss"] == pytest.approx([4.0], rel=1e-6)


def test_every_weight_learns():
    mae = small_mae()
    before = [numpy_of(w).copy() for w in mae.trainable_weights]
    mae.compile(keras.optimizers.SGD(0.1))
    mae.fit(RNG.normal(size=(8, 512)).astype("float32"), epochs=2, verbose=0)
    assert all(np.abs(numpy_of(w) - b).max() > 0 for w, b in zip(mae.trainable_weights, before, strict=True))


def test_choice_by_name():
    assert isinstance(small_mae().decoder, CrossAttentionDecoder)
    assert small_mae().decoder.prediction_ratio == 0.5
    assert isinstance(MaskedAutoencoder.from_preset("nano", decoder="full").decoder, MAEDecoder)
    assert isinstance(MaskedAutoencoder.from_preset("nano").decoder, CrossAttentionDecoder)
    with pytest.raises(ValueError, match=r"one of \('full', 'cross'\). Received: decoder='fast'"):
        MaskedAutoencoder.from_preset("nano", decoder="fast")
    with pytest.raises(ValueError, match=r"is for decoder=\"cross\".*prediction_ratio=0.5"):
        MaskedAutoencoder.from_preset("nano", decoder="full", prediction_ratio=0.5)
