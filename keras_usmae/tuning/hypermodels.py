"""What KerasTuner builds, trains and scores in a trial."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import keras_tuner
import numpy as np

from keras_usmae.evaluation import score_onsets
from keras_usmae.evaluation.probes import extract_tokens
from keras_usmae.evaluation.tof_probes import tof_linear_probe
from keras_usmae.layers import check_patching
from keras_usmae.models import MAEEncoder, ToFClassifier, load_trained
from keras_usmae.training import EpochBatches, compile_for_tof, tof_batches
from keras_usmae.tuning.objectives import finite_scores
from keras_usmae.tuning.pretraining import PretrainedEncoders, build_searched, train_autoencoder
from keras_usmae.tuning.search_space import SearchSpace
from keras_usmae.tuning.settings import ARCHITECTURE, resolve_architecture

if TYPE_CHECKING:
    from keras_usmae.training.pretraining import PretrainingData

# What a Keras model adds to the constructor arguments in its config.
_OF_A_MODEL = ("name", "trainable", "dtype")


class _UltrasoundHyperModel(keras_tuner.HyperModel):
    """What both have in common: a space, a length of the training, a seed."""

    def __init__(self, space, signal_length, bin_width, epochs, seed):
        super().__init__()
        self.space = space
        self.signal_length = signal_length
        self.bin_width = bin_width
        self.epochs = epochs
        self.seed = seed
        sizes = space.dimensions["patch_size"].choice if "patch_size" in space.dimensions else ()
        for patch_size in sizes:
            try:
                check_patching(signal_length, patch_size)
                if patch_size % bin_width and bin_width % patch_size:
                    raise ValueError(f"patches of {patch_size} and bins of {bin_width} samples do not nest.")
            except ValueError as error:
                raise ValueError(f"{space.source}, setting 'patch_size': {error}") from error

    def declare_hyperparameters(self, hp):
        """Declares the space, before any model is built."""
        self.space.declare(hp)

    def architecture(self, hp):
        """Sizes that `hp` stands for: constructor arguments of `"encoder"` and `"decoder"`."""
        return resolve_architecture(self.space.settings(hp), self.signal_length)

    def head(self, hp):
        """Head of the classifier that `hp` stands for, or that the encoder would get."""
        return self.space.settings(hp).get("head", "per_patch")

    def epochs_of(self, hp):
        """Epochs of a trial: those that Hyperband gives it, or all."""
        return hp.values.get("tuner/epochs") or self.epochs


class FinetuningHyperModel(_UltrasoundHyperModel):
    """Fine-tunes ToF classifiers as `recipes/finetune.py` does, and scores them on validation signals.

    A trial counts at its epoch of the smallest error, which that recipe keeps. Its learning rate falls to zero over the
    epochs of the trial, so that a longer trial of Hyperband starts anew rather than from the weights of a shorter one.

    Args:
        train: tuple of signals, float32 `(n, signal_length)`, standardised, and onsets `(n,)` in samples.
        validation: tuple as `train`.
        space: `SearchSpace`. Defaults to `None`, the one that comes with the package.
        pretrained: where encoders start. `None`: from scratch; `PretrainedEncoders`: pre-trained, each architecture
            once; path of a `.keras` file: that encoder in every trial, and the space loses its architecture. Defaults
            to `None`.
        bin_width: int, samples in a ToF class. Defaults to `16`.
        epochs: int, the most that a trial trains. Defaults to `60`.
        seed: int, seed of weights, order and augmentation. Defaults to `0`.

    Raises:
        ValueError: if the space does not fit the signals.
    """

    def __init__(
        self,
        train: tuple,
        validation: tuple,
        space: SearchSpace | None = None,
        pretrained: PretrainedEncoders | str | Path | None = None,
        bin_width: int = 16,
        epochs: int = 60,
        seed: int = 0,
    ) -> None:
        space = space or SearchSpace.load("finetune")
        self.encoder_config = None
        if pretrained is not None and not isinstance(pretrained, PretrainedEncoders):
            self.encoder_config = load_trained(pretrained, MAEEncoder).get_config()
            if self.encoder_config["signal_length"] != train[0].shape[1]:
                raise ValueError(
                    f"The encoder {pretrained} takes signals of {self.encoder_config['signal_length']} samples; the "
                    f"labelled ones have {train[0].shape[1]}."
                )
            space = space.without(ARCHITECTURE)
        super().__init__(space, train[0].shape[1], bin_width, epochs, seed)
        self.train, self.validation, self.pretrained = train, validation, pretrained

    def architecture(self, hp: keras_tuner.HyperParameters):
        """Sizes that `hp` stands for, or those of the given encoder."""
        if self.encoder_config is None:
            return super().architecture(hp)
        return {"encoder": {name: value for name, value in self.encoder_config.items() if name not in _OF_A_MODEL}}

    def encoder_file(self, hp: keras_tuner.HyperParameters):
        """Path of the pre-trained encoder that a trial starts from, trained now if need be; `None` from scratch."""
        if isinstance(self.pretrained, PretrainedEncoders):
            return self.pretrained.file(self.architecture(hp))
        return self.pretrained

    def build(self, hp: keras_tuner.HyperParameters):
        """A compiled classifier for `hp`, a `keras_tuner.HyperParameters`."""
        self.space.declare(hp)
        settings = self.space.settings(hp)
        file = self.encoder_file(hp)
        # From here on as recipes/finetune.py: the same seed gives the same classifier.
        keras.utils.clear_session()
        keras.utils.set_random_seed(self.seed)
        encoder = load_trained(file, MAEEncoder) if file else MAEEncoder(**self.architecture(hp)["encoder"])
        classifier = ToFClassifier(encoder, self.bin_width, settings["head"])
        steps, epochs = len(self._batches(settings)), self.epochs_of(hp)
        compile_for_tof(
            classifier,
            settings["learning_rate"],
            epochs * steps,
            int(epochs / 20 * steps),
            settings["weight_decay"],
            settings["layer_decay"],
            settings["label_sigma"],
        )
        return classifier

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, callbacks: Iterable = (), **kwargs: Any) -> dict:
        """Trains a classifier and scores it.

        Args:
            hp: `keras_tuner.HyperParameters`.
            model: what `build` made of it.
            callbacks: Keras callbacks. Defaults to `()`.
            **kwargs: epochs and verbosity that KerasTuner passes; `hp` decides them here.

        Returns:
            A dict of floats: `val_error_samples`, `val_within_one_bin`, `val_accuracy`, `val_loss`, and `best_epoch`.
        """
        batches = self._batches(self.space.settings(hp))
        history = model.fit(
            batches,
            validation_data=self.validation,
            validation_batch_size=256,
            epochs=self.epochs_of(hp),
            callbacks=[batches.callback, *callbacks],
            shuffle=False,
            verbose=0,
        ).history
        error = np.asarray(history["val_error_samples"], "float64")
        best = int(np.where(np.isfinite(error), error, np.inf).argmin())
        scores = {name: values[best] for name, values in history.items() if name.startswith("val_")}
        return {**finite_scores(scores, self.signal_length, self.bin_width), "best_epoch": float(best)}

    def _batches(self, settings):
        signals, onset = self.train
        return tof_batches(
            signals, onset, settings["batch_size"], self.seed, settings["augment"], settings["augment_noise"]
        )


class PretrainingHyperModel(_UltrasoundHyperModel):
    """Pre-trains autoencoders, and scores each by what a linear probe reads from its frozen encoder.

    Reconstruction losses of different patch sizes, masking ratios and targets cannot be compared; the probe's loss on
    labelled validation signals can.

    Args:
        data: `PretrainingData`, what to pre-train on.
        train: tuple of signals, float32 `(n, signal_length)`, and onsets `(n,)` in samples, to fit the probe with; one
            or two thousand are enough.
        validation: tuple as `train`, to choose the probe's penalty and to score.
        space: `SearchSpace`. Defaults to `None`, the one that comes with the package.
        bin_width: int, samples in a ToF class. Defaults to `16`.
        epochs: int, the most that a trial trains. Defaults to `20`.
        seed: int, seed of weights and masks. Defaults to `0`.

    Raises:
        ValueError: if the space does not fit the signals.
    """

    # Three are enough to rank encoders.
    PENALTIES = (1e-2, 1e-3, 1e-4)

    def __init__(
        self,
        data: "PretrainingData",
        train: tuple,
        validation: tuple,
        space: SearchSpace | None = None,
        bin_width: int = 16,
        epochs: int = 20,
        seed: int = 0,
    ) -> None:
        super().__init__(space or SearchSpace.load("pretrain"), train[0].shape[1], bin_width, epochs, seed)
        self.data, self.train, self.validation = data, train, validation

    def build(self, hp: keras_tuner.HyperParameters):
        """A compiled autoencoder for `hp`, a `keras_tuner.HyperParameters`."""
        self.space.declare(hp)
        settings = self.space.settings(hp)
        steps = len(EpochBatches(self.data.load_epoch, settings["batch_size"]))
        return build_searched(self.architecture(hp), settings, self.epochs_of(hp), steps, self.seed)

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, callbacks: Iterable = (), **kwargs: Any) -> dict:
        """Trains an autoencoder and probes its encoder.

        Args:
            hp: `keras_tuner.HyperParameters`.
            model: what `build` made of it.
            callbacks: Keras callbacks. Defaults to `()`.
            **kwargs: epochs and verbosity that KerasTuner passes; `hp` decides them here.

        Returns:
            A dict of floats: `probe_loss`, `probe_within_one_bin`, `probe_median_error_samples`, and `val_loss`, the
            reconstruction loss.
        """
        batches = EpochBatches(self.data.load_epoch, self.space.settings(hp)["batch_size"])
        loss = train_autoencoder(model, batches, self.data.validation, self.epochs_of(hp), callbacks)
        scores = {"probe_loss": np.nan, "probe_within_one_bin": np.nan, "probe_median_error_samples": np.nan}
        if np.isfinite(loss):
            scores = self._probe(model.encoder)
        return finite_scores({**scores, "val_loss": loss}, self.signal_length, self.bin_width)

    def _probe(self, encoder):
        tokens = {
            split: extract_tokens(encoder, arrays[0])
            for split, arrays in (("train", self.train), ("validation", self.validation))
        }
        onset = {"train": self.train[1], "validation": self.validation[1]}
        # What is scored is the validation split: a search must not see the test split.
        tokens["test"], onset["test"] = tokens["validation"], onset["validation"]
        probe = tof_linear_probe(tokens, onset, self.signal_length, self.bin_width, penalties=self.PENALTIES)
        scored = score_onsets(
            onset["test"], probe["onset"], self.bin_width, 1.0, 1.0, predicted_class=probe["predicted_class"]
        )
        return {
            "probe_loss": probe["validation_loss"],
            "probe_within_one_bin": scored["within_one_bin"],
            "probe_median_error_samples": scored["median_error_samples"],
        }
