"""Presets by name, and from a file."""

import json
from importlib import resources

import keras
import numpy as np
import pytest

from keras_usmae.evaluation.tof_probes import tof_linear_probe
from keras_usmae.models import MAEEncoder, MaskedAutoencoder, load_preset, preset_names, preset_of, preset_weights
from keras_usmae.signals import SignalConfig, standardize, synthesize


def test_a_file_of_sizes_is_a_preset(tmp_path):
    sizes = load_preset("nano")
    sizes["encoder"] |= {"hidden_dim": 24, "signal_length": 256}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({**sizes, "finetune": {"epochs": 3}}))
    assert load_preset(str(path)) == sizes
    assert MAEEncoder.from_preset(str(path)).hidden_dim == 24
    assert MaskedAutoencoder.from_preset(str(path), decoder="cross").decoder.encoder_dim == 24


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "not JSON"), ("[]", "must hold a JSON object"), ('{"encoder": {}}', "lacks.*decoder")],
)
def test_a_file_that_is_no_preset(tmp_path, content, message):
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        load_preset(str(path))
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json"):
        load_preset("nowhere.json")
    with pytest.raises(ValueError, match="Unknown preset 'huge'"):
        load_preset("huge")


def test_the_preset_of_an_encoder_is_told_by_its_sizes():
    for name in preset_names():
        assert preset_of(MAEEncoder.from_preset(name, signal_length=512)) == name
    assert preset_of(MAEEncoder.from_preset("nano", patch_size=64)) is None


@pytest.mark.parametrize("name", [name for name in preset_names() if "synthetic" in preset_weights(name)])
def test_shipped_weights_are_small_described_and_load(name):
    folder = resources.files("keras_usmae.presets")
    assert len((folder / f"{name}_synthetic.weights.h5").read_bytes()) < 6_000_000
    card = (folder / f"{name}_synthetic.md").read_text()
    assert all(word in card for word in ("signals", "seed", "schedule", "loss", "cost", "Results", "Limits", "licence"))
    encoder = MAEEncoder.from_preset(name, weights="synthetic")
    assert all(np.isfinite(weight).all() for weight in encoder.get_weights())
    fresh = MAEEncoder.from_preset(name)
    assert all(
        np.abs(ours - theirs).max() > 0
        for ours, theirs in zip(
            map(keras.ops.convert_to_numpy, encoder.trainable_weights),
            map(keras.ops.convert_to_numpy, fresh.trainable_weights),
            strict=True,
        )
    )


def test_a_longer_name_is_no_kind_of_weights():
    assert load_preset("nano_patch16")["encoder"] == {**load_preset("nano")["encoder"], "patch_size": 16}
    assert preset_weights("nano") == ("picker", "synthetic")
    assert preset_weights("nano_patch16") == ("synthetic",)
    assert preset_weights("nano_mcu") == ("picker",)


def test_shipped_weights_serve_other_lengths():
    long, short = (MAEEncoder.from_preset("nano", weights="synthetic", signal_length=n) for n in (2048, 512))
    signals = np.random.default_rng(0).standard_normal((2, 512)).astype("float32")
    positions = np.tile(np.arange(16), (2, 1))
    padded = np.pad(signals, ((0, 0), (0, 1536)))
    ours = short.transform(short.embed(signals))
    theirs = long.transform(long.embed(padded, positions))
    np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, (ours, theirs)), atol=1e-5)


def test_shipped_weights_are_the_trained_ones():
    """On few labels, a linear probe of their tokens finds echoes far better than one of fresh tokens."""
    data = synthesize(SignalConfig.from_preset("quickstart"), 600, seed=5)
    parts = {"train": slice(300), "validation": slice(300, 400), "test": slice(400, 600)}
    signals, onset = standardize(data["signal"]), {name: data["onset"][part] for name, part in parts.items()}
    error = []
    for weights in ("synthetic", None):
        keras.utils.set_random_seed(0)
        tokens = keras.ops.convert_to_numpy(MAEEncoder.from_preset("nano", weights=weights)(signals))
        tokens = {name: tokens[part] for name, part in parts.items()}
        probe = tof_linear_probe(tokens, onset, signal_length=2048, penalties=(1e-2, 1e-3))
        error.append(np.median(np.abs(probe["onset"] - onset["test"])))
    assert error[0] < 0.5 * error[1]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("base", {"weights": "synthetic"}, "'base' has no weights 'synthetic'. There are nano: picker, synthetic"),
        ("nano", {"weights": "measured"}, "'nano' has no weights 'measured'"),
        ("nano", {"weights": "synthetic", "patch_size": 16}, "only `signal_length`, `dropout` and `dtype` may differ"),
        ("nano", {"weights": "synthetic", "position": "learned"}, "fit no encoder of other sizes"),
    ],
)
def test_weights_that_do_not_fit_are_told(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        MAEEncoder.from_preset(name, **arguments)
