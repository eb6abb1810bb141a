"""Real trials in small: what is built, trained and scored, on whichever backend runs."""

import keras
import keras_tuner
import numpy as np
import pytest

from keras_usmae.models import MaskedAutoencoder, load_preset
from keras_usmae.signals import SignalConfig
from keras_usmae.training import LayerDecayAdamW, PretrainingData, fresh_signals
from keras_usmae.tuning import (
    DEFAULTS,
    FinetuningHyperModel,
    PretrainedEncoders,
    PretrainingHyperModel,
    SearchSpace,
    resolve_architecture,
)
from tests.tuning.search_here import labelled, small_space

CONFIG = SignalConfig(signal_length=256, burst_length=(60.0, 80.0))
TINY = {"hidden_dim": 8, "num_heads": 1, "head_dim": 8, "num_layers": 1, "mlp_dim": 8}


pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.fixture(scope="module")
def train():
    return labelled(96, 0)


@pytest.fixture(scope="module")
def validation():
    return labelled(48, 1)


@pytest.fixture
def data(validation):
    return PretrainingData("test", fresh_signals(CONFIG, 64, seed=2), validation[0])


@pytest.fixture
def encoders(tmp_path, data):
    return PretrainedEncoders(tmp_path / "pretrained", data, {**DEFAULTS["pretrain"], "batch_size": 32}, epochs=1)


def parameters(hypermodel, **values):
    hp = keras_tuner.HyperParameters()
    hypermodel.declare_hyperparameters(hp)
    hp.values |= values
    return hp


@pytest.mark.long
def test_a_finetuning_repeats_and_its_settings_matter(train, validation):
    hypermodel = FinetuningHyperModel(train, validation, small_space(), epochs=6)
    hp = parameters(hypermodel, learning_rate=1e-2, layer_decay=0.65)
    model = hypermodel.build(hp)
    assert isinstance(model.optimizer, LayerDecayAdamW)
    assert (model.encoder.hidden_dim, model.encoder.num_layers) == (8, 1)
    first = hypermodel.fit(hp, model)
    assert set(first) == {"val_error_samples", "val_within_one_bin", "val_accuracy", "val_loss", "best_epoch"}
    assert first["val_loss"] < np.log(16)  # better than a guess
    again = hypermodel.fit(hp, hypermodel.build(hp))
    assert again["val_error_samples"] == pytest.approx(first["val_error_samples"], rel=1e-3)
    slow = parameters(hypermodel, learning_rate=1e-3, layer_decay=1.0)
    assert hypermodel.fit(slow, hypermodel.build(slow))["val_loss"] > first["val_loss"]


@pytest.mark.long
def test_a_trial_that_diverges_gets_a_score(train, validation):
    space = SearchSpace("finetune", {"learning_rate": {"choice": [1e30]}, "patch_size": {"choice": [64]}})
    hypermodel = FinetuningHyperModel(train, validation, space, epochs=1)
    hp = parameters(hypermodel)
    scores = hypermodel.fit(hp, hypermodel.build(hp))
    assert all(np.isfinite(value) for value in scores.values())
    assert scores["val_loss"] >= np.log(16)


@pytest.mark.long
def test_encoders_are_pretrained_once_for_each_architecture_and_plan(tmp_path, train, validation, data, encoders):
    hypermodel = FinetuningHyperModel(train, validation, small_space(), encoders, epochs=1)
    hp = parameters(hypermodel)
    file = hypermodel.encoder_file(hp)
    written = file.stat().st_mtime_ns
    model = hypermodel.build(parameters(hypermodel, learning_rate=5e-3))
    assert file.stat().st_mtime_ns == written
    start = keras.saving.load_model(file)
    for mine, its in zip(model.encoder.get_weights(), start.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)
    other = hypermodel.encoder_file(parameters(hypermodel, num_layers=2))
    assert other != file
    masked = PretrainedEncoders(tmp_path / "pretrained", data, {**encoders.settings, "mask_ratio": 0.5}, epochs=1)
    assert masked.plan(hypermodel.architecture(hp)) != encoders.plan(hypermodel.architecture(hp))


@pytest.mark.long
def test_a_given_encoder_takes_its_architecture_out_of_the_space(train, validation, encoders):
    file = encoders.file(resolve_architecture({**DEFAULTS["finetune"], "patch_size": 64}, 256))
    hypermodel = FinetuningHyperModel(train, validation, None, file, epochs=1)
    assert not {"size", "hidden_dim", "patch_size"} & set(hypermodel.space.dimensions)
    assert hypermodel.architecture(parameters(hypermodel))["encoder"]["patch_size"] == 64
    longer = np.zeros((4, 512), "float32"), np.zeros(4, "float32")
    with pytest.raises(ValueError, match="takes signals of 256 samples; the labelled ones have 512"):
        FinetuningHyperModel(longer, longer, None, file)


@pytest.mark.long
def test_a_pretraining_is_scored_by_a_probe_on_validation_labels(train, validation, data):
    space = SearchSpace(
        "pretrain",
        {
            "patch_size": {"choice": [16]},
            "decoder": {"choice": ["cross", "full"]},
            "prediction_ratio": {"choice": [0.5, 1.0], "when": {"decoder": "cross"}},
            "batch_size": {"choice": [32]},
        },
    )
    hypermodel = PretrainingHyperModel(data, train, validation, space, epochs=1)
    hp = parameters(hypermodel)
    model = hypermodel.build(hp)
    assert isinstance(model, MaskedAutoencoder)
    scores = hypermodel.fit(hp, model)
    assert set(scores) == {"probe_loss", "probe_within_one_bin", "probe_median_error_samples", "val_loss"}
    assert 0 < scores["probe_loss"] < np.log(16)  # even tokens of a hardly trained encoder tell something
    assert scores["probe_median_error_samples"] < 128


@pytest.mark.long
def test_plain_kerastuner_takes_the_hypermodel(tmp_path, train, validation):
    hypermodel = FinetuningHyperModel(train, validation, small_space(), epochs=1)
    objective = keras_tuner.Objective("val_error_samples", "min")
    tuner = keras_tuner.RandomSearch(hypermodel, objective, max_trials=1, seed=3, directory=str(tmp_path))
    tuner.search(verbose=0)
    assert 0 < tuner.oracle.get_best_trials()[0].score <= 256


@pytest.mark.parametrize(
    ("size", "message"), [(48, "multiple of `patch_size`"), (8192, "shorter than"), (64, "do not nest")]
)
def test_patches_that_do_not_fit_the_signals(train, validation, size, message):
    space = SearchSpace("finetune", {"patch_size": {"choice": [size]}})
    with pytest.raises(ValueError, match=f"setting 'patch_size'.*{message}"):
        FinetuningHyperModel(train, validation, space, bin_width=16 if size != 64 else 48)


def test_sizes():
    free = {**DEFAULTS["finetune"], "size": "free", "hidden_dim": 24, "mlp_ratio": 4, "num_layers": 5}
    parts = resolve_architecture(free, 256)
    assert (parts["encoder"]["mlp_dim"], parts["encoder"]["num_layers"], parts["decoder"]["num_layers"]) == (96, 5, 2)
    nano = resolve_architecture(DEFAULTS["finetune"], 2048)
    assert nano == load_preset("nano")
