"""`pretrain` and `finetune`: their configurations, and runs that older code began."""

import dataclasses
import json
import os
import shutil

import pytest

from keras_usmae.configs import FinetuneConfig, PretrainConfig
from keras_usmae.training import finetune, pretrain, read_history

PRETRAIN = {"dataset": "ultrasound_synthetic/quickstart", "fresh": 128, "batch_size": 64, "warmup_epochs": 0.5}
FINETUNE = {"dataset": "ultrasound_synthetic/quickstart", "labels": 64, "batch_size": 32, "augment": False}
# What the code of then gave for both epochs, uninterrupted.
RUNS = {
    "pretrain": (pretrain, PretrainConfig(preset="small.json", epochs=2, **PRETRAIN), "val_loss", 1.1667356491088867),
    "finetune": (
        finetune,
        FinetuneConfig(preset="small.json", pretrained="none", epochs=2, **FINETUNE),
        "val_error_samples",
        232.22486877441406,
    ),
}


@pytest.fixture(scope="module")
def tfds_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("tfds")


@pytest.mark.skipif(os.environ["KERAS_BACKEND"] != "tensorflow", reason="the runs were begun on TensorFlow")
@pytest.mark.parametrize("kind", RUNS)
def test_a_run_that_older_code_began_goes_on(kind, repository, tfds_dir, tmp_path, monkeypatch, without_xla):
    procedure, config, score, expected = RUNS[kind]
    shutil.copytree(repository / "tests" / "saved" / f"{kind}_run", tmp_path / "run")
    shutil.copy(repository / "tests" / "saved" / "small.json", tmp_path)
    monkeypatch.chdir(tmp_path)
    run = procedure(config, tmp_path / "run", resume=True, data_dir=tfds_dir, verbose=0)
    first, second = read_history(tmp_path / "run" / "metrics.csv")
    assert first == read_history(repository / "tests" / "saved" / f"{kind}_run" / "metrics.csv")[0]
    # Without XLA, as here, the last digits are others.
    assert second[score] == pytest.approx(expected, rel=1e-4)
    stored = json.loads((tmp_path / "run" / "config.json").read_text())
    # Older code knew of no CNN to pre-train: its record names no architecture.
    values = run.config.values() if kind == "pretrain" else dataclasses.asdict(run.config)
    assert stored.items() >= values.items()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PretrainConfig(epochs=0), "`epochs` must be at least 1. Received: epochs=0"),
        (lambda: PretrainConfig(decoder="half"), r"`decoder` must be one of \('full', 'cross'\)"),
        (lambda: PretrainConfig(epochs=4, warmup_epochs=4), "--warmup-epochs 4 must be fewer than --epochs 4"),
        (lambda: PretrainConfig(dataset="ultrasound_synthetic/paper", transducer="mine.toml"), "Give one of them"),
        (lambda: PretrainConfig(dataset="ultrasound_measured/paper", fresh=64), "draws synthetic signals"),
        (lambda: FinetuneConfig(layer_decay=1.5), "`layer_decay` must be at most 1. Received: layer_decay=1.5"),
        (lambda: FinetuneConfig(label_sigma=float("nan")), "`label_sigma` must be at least 0"),
        (
            lambda: FinetuneConfig(pretrained="synthetic", architecture="cnn"),
            "No weights of a CNN come with the package",
        ),
    ],
)
def test_a_wrong_configuration_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_depends_on_other_values_is_resolved():
    config = PretrainConfig(preset="nano_patch16", transducer="air_coupled_40khz", epochs=10).resolved()
    assert (config.dataset, config.patch_size) == ("ultrasound_synthetic/air_coupled_40khz", 16)
    assert (config.warmup_epochs, config.resolved()) == (0.5, config)
    assert FinetuneConfig(architecture="cnn").resolved().learning_rate == 0.01
