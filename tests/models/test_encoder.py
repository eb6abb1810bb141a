import keras
import numpy as np
import pytest

from keras_usmae.models import MAEEncoder, load_preset, preset_names
from tests import numpy_reference

RNG = np.random.default_rng(0)


def weights_by_path(model):
    return {
        w.path.removeprefix(f"{model.name}/"): keras.ops.convert_to_numpy(w).astype("float64") for w in model.weights
    }


def test_forward_pass_equals_plain_numpy_in_float64():
    config = {"signal_length": 96, "patch_size": 8, "hidden_dim": 16, "num_heads": 3, "head_dim": 8, "num_layers": 2}
    encoder = MAEEncoder(**config, mlp_dim=24)
    for weight in encoder.trainable_weights:
        weight.assign(weight + 0.2 * RNG.normal(size=weight.shape))
    signals = RNG.normal(size=(3, 96)).astype("float32")
    expected = numpy_reference.encoder(signals, weights_by_path(encoder), config)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(encoder(signals)), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("nano", 40e3),
        ("nano_mcu", 66e3),
        ("tiny", 0.2e6),
        ("tiny_patch64", 0.32e6),
        ("small", 1.2e6),
        ("base", 6e6),
    ],
)
def test_presets_have_about_the_stated_parameters(name, parameters):
    encoder = MAEEncoder.from_preset(name)
    assert encoder.count_params() == pytest.approx(parameters, rel=0.08)
    config = load_preset(name)["encoder"]
    assert config.items() <= encoder.get_config().items()


def test_preset_names_and_an_unknown_one():
    assert preset_names() == ("nano", "nano_patch16", "nano_mcu", "tiny", "tiny_patch64", "small", "base")
    with pytest.raises(
        ValueError, match=r"Unknown preset 'huge'.*nano, nano_patch16, nano_mcu, tiny, tiny_patch64, small, base"
    ):
        MAEEncoder.from_preset("huge")


def test_overrides():
    encoder = MAEEncoder.from_preset("nano", signal_length=1024, patch_size=16)
    assert encoder(np.zeros((2, 1024), "float32")).shape == (2, 64, 32)


@pytest.mark.parametrize("preset", ["nano", "nano_mcu"])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_save_and_load(tmp_path, policy, preset):
    encoder = MAEEncoder.from_preset(preset, signal_length=256, position="learned", dtype=policy)
    signals = RNG.normal(size=(2, 256)).astype("float32")
    encoder.save(tmp_path / "encoder.keras")
    again = keras.saving.load_model(tmp_path / "encoder.keras")
    assert again.get_config() == encoder.get_config()
    ours, theirs = (keras.ops.convert_to_numpy(keras.ops.cast(m(signals), "float32")) for m in (encoder, again))
    np.testing.assert_array_equal(ours, theirs)


def test_wrong_length_is_named():
    encoder = MAEEncoder.from_preset("nano", signal_length=256)
    with pytest.raises(ValueError, match=r"signals of 256 samples.*300"):
        encoder(np.zeros((2, 300), "float32"))


def test_freezing():
    encoder = MAEEncoder.from_preset("nano", signal_length=256)
    everything = len(encoder.trainable_weights)
    encoder.freeze(2)
    assert {w.path.split("/")[1] for w in encoder.trainable_weights} == {"block_2", "norm"}
    encoder.freeze()
    assert not encoder.trainable_weights
    encoder.freeze(0)
    assert len(encoder.trainable_weights) == everything
    with pytest.raises(ValueError, match=r"0\.\.3.*Received: 4"):
        encoder.freeze(4)
