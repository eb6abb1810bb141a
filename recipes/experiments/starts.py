"""What trials start from, each made once: pre-trained encoders, and classifiers of labelled synthetic signals."""

import functools
from pathlib import Path

import keras
import numpy as np
from filelock import FileLock

from keras_usmae import options
from keras_usmae.configs import PretrainConfig
from keras_usmae.configs.finetune import LEARNING_RATES
from keras_usmae.models import CNNEncoder, EchoDetector, MAEEncoder, SignalClassifier, ToFClassifier, load_trained
from keras_usmae.signals import SignalConfig, standardize, synthesize
from keras_usmae.training import pretrain, read_config, save_arrays, take_head
from recipes.experiments.mixtures import pretrain_mixture, recorded_by
from recipes.experiments.repeated_finetuning import FinetuneSettings, RepeatedFinetuning
from recipes.experiments.selections import load_splits, source_names
from recipes.experiments.trial import FinishedRun, Pretraining

BIN_WIDTH = 16
PRETRAINING_EPOCH = 16_384  # fresh signals


def pretrained_folder(pretraining, place):
    """Run folder of a pre-training; trained now if it was not before.

    Args:
        pretraining: `Pretraining` or `FinishedRun`.
        place: `Place`.
    """
    if isinstance(pretraining, FinishedRun):
        return Path(pretraining.run)
    folder = place.folder / "pretrained" / pretraining.name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "metrics.json").exists():
            (_pretrain_mixture if pretraining.mixture else _pretrain)(pretraining, place, folder)
    return folder


def reconstruction_loss(pretraining, place):
    """Validation loss of a pre-training."""
    return read_config(pretrained_folder(pretraining, place) / "metrics.json")["val_loss"]


def _pretrain(pretraining, place, folder):
    settings = {key: value for key, value in pretraining.values().items() if key != "signals"}
    if pretraining.dataset.startswith("ultrasound_synthetic"):
        epoch = fresh = min(PRETRAINING_EPOCH, pretraining.signals)
    else:
        epoch, fresh = len(load_splits(pretraining.dataset, place)[0]["train"]["signal"]), 0
    config = PretrainConfig(**settings, epochs=max(1, round(pretraining.signals / epoch)), fresh=fresh)
    folders = {"data_dir": place.data_dir, "raw_dir": place.raw_dir}
    pretrain(config, folder, (folder / "config.json").exists(), **folders, verbose=options.progress())


def _pretrain_mixture(pretraining, place, folder):
    measured = None
    for name in pretraining.dataset.split("+"):
        if not name.startswith("ultrasound_synthetic/"):
            train = load_splits(name, place)[0]["train"]
            measured = train["signal"][~recorded_by(train, source_names(name, place), pretraining.held_out)]
    pretrain_mixture(pretraining, measured, folder, min(PRETRAINING_EPOCH, pretraining.signals))


def build_encoder(trial, place):
    """The encoder that a trial starts from: seeded, pre-trained here, or with the weights that ship."""
    has_folder = isinstance(trial.pretraining, Pretraining | FinishedRun)
    # Ahead of the seed: a pre-training sets its own, and the head would depend on whether this process did it.
    folder = pretrained_folder(trial.pretraining, place) if has_folder else None
    keras.utils.set_random_seed(1000 + trial.seed)
    if trial.pretraining in ("synthetic", "picker"):
        return MAEEncoder.from_preset(trial.preset, weights=trial.pretraining)
    sizes = {"patch_size": trial.patch_size} if trial.patch_size else {}
    encoder = MAEEncoder.from_preset(trial.preset, **sizes)
    if trial.architecture == "cnn":
        encoder = CNNEncoder.from_encoder(encoder)
    if folder is not None:
        trained = load_trained(folder / "encoder.keras", type(encoder))
        encoder.set_weights(trained.get_weights())
    return encoder


def build_classifier(encoder, num_classes=None):
    """A ToF classifier of an encoder, or a classifier of a task."""
    return ToFClassifier(encoder, BIN_WIDTH) if num_classes is None else SignalClassifier(encoder, num_classes)


def prepare_finetuning(trial, settings, place, num_classes=None):
    """The compiled classifier of a trial's architecture and settings, and the weights that the trial starts from."""
    classifier = build_classifier(build_encoder(trial, place), num_classes)
    if trial.pretraining == "picker" and num_classes is None:
        take_head(classifier, EchoDetector.from_preset(trial.preset))
    weights = classifier.get_weights()
    return _compiled(trial.architecture, trial.preset, trial.patch_size, settings, num_classes), weights


@functools.cache
def _compiled(architecture, preset, patch_size, settings, num_classes):
    # To compile takes as long as a short training: trials that differ in weights, labels and seeds share it.
    encoder = MAEEncoder.from_preset(preset, **({"patch_size": patch_size} if patch_size else {}))
    encoder = CNNEncoder.from_encoder(encoder) if architecture == "cnn" else encoder
    loss = None if num_classes is None else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return RepeatedFinetuning(build_classifier(encoder, num_classes), settings, loss)


def learning_rate(trial):
    """Peak learning rate of a trial's fine-tuning."""
    return trial.learning_rate or LEARNING_RATES[trial.architecture]


def synthetic_weights(trial, place):
    """Weights of a classifier after training on labelled synthetic signals; trained now if they were not before."""
    start = trial.pretraining or "scratch"
    start = start if isinstance(start, str) else start.name
    name = f"{trial.architecture}_{trial.preset}_{trial.synthetic_labels}_{start}.npz"
    path = place.folder / "labelled" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        if not path.exists():
            config = SignalConfig.from_preset(trial.synthetic_config)
            made = synthesize(config, trial.synthetic_labels, seed=20_000)
            settings = FinetuneSettings(
                steps=trial.synthetic_labels // 64,
                learning_rate=LEARNING_RATES[trial.architecture],
                max_shift=0,
            )
            finetuning, weights = prepare_finetuning(trial.with_seed(0), settings, place)
            finetuning.run(weights, standardize(made["signal"]), made["onset"].astype("float32"), seed=0)
            weights = finetuning.classifier.get_weights()
            save_arrays(path, {f"arr_{number}": weight for number, weight in enumerate(weights)})
    with np.load(path) as stored:
        return [stored[name] for name in stored.files]
