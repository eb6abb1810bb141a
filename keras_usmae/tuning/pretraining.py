"""Pre-training in a search: one training of settings, and encoders that are trained once and used again."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock
from keras import utils

from keras_usmae.configs import PretrainConfig
from keras_usmae.files import write_json
from keras_usmae.training import EpochBatches, save_model
from keras_usmae.training.pretraining import build_autoencoder, compile_autoencoder
from keras_usmae.tuning.footprint import digest
from keras_usmae.tuning.settings import SEARCHED

if TYPE_CHECKING:
    from keras_usmae.models.masked_autoencoder import MaskedAutoencoder
    from keras_usmae.training.pretraining import PretrainingData


def build_searched(parts: dict, settings: dict, epochs: int, steps: int, seed: int) -> "MaskedAutoencoder":
    """A compiled autoencoder, as `pretrain` trains it.

    Args:
        parts: dict of the constructor arguments of `"encoder"` and `"decoder"`.
        settings: dict with the settings of `DEFAULTS["pretrain"]`.
        epochs: int, epochs of the training; the rate warms up over a twentieth of them.
        steps: int, steps of an epoch.
        seed: int, seed of weights and masks.
    """
    utils.clear_session()  # graphs of earlier trials
    utils.set_random_seed(seed)
    chosen = {name: settings[name] for name in SEARCHED["pretrain"]}
    chosen["prediction_ratio"] = settings["prediction_ratio"] if settings["decoder"] == "cross" else None
    config = PretrainConfig(epochs=epochs, seed=seed, **chosen)
    mae = build_autoencoder(config, parts)
    compile_autoencoder(mae, config, steps)
    return mae


def train_autoencoder(
    mae: "MaskedAutoencoder", batches: EpochBatches, validation: np.ndarray, epochs: int, callbacks: Iterable = ()
) -> float:
    """Trains an autoencoder.

    Args:
        mae: `MaskedAutoencoder` from `build_searched`.
        batches: `EpochBatches` of signals.
        validation: float32 array of shape `(n, signal_length)`, standardised.
        callbacks: Keras callbacks. Defaults to `()`.

    Returns:
        float, the reconstruction loss of the validation signals after the last epoch.
    """
    history = mae.fit(
        batches,
        validation_data=(validation, None),
        validation_batch_size=batches.batch_size,
        epochs=epochs,
        callbacks=[batches.callback, *callbacks],
        shuffle=False,
        verbose=0,
    )
    return float(history.history["val_loss"][-1])


class PretrainedEncoders:
    """Encoders of any architecture, pre-trained by one plan, each once: trials of the same architecture share it.

    Processes that share the folder share the encoders; the one that comes first trains, the others wait.

    Args:
        folder: path.
        data: `PretrainingData`.
        settings: dict with the settings of `DEFAULTS["pretrain"]`.
        epochs: int.
        seed: int. Defaults to `0`.
    """

    def __init__(self, folder: str | Path, data: "PretrainingData", settings: dict, epochs: int, seed: int = 0) -> None:
        self.folder, self.data, self.settings = Path(folder), data, settings
        self.epochs, self.seed = epochs, seed

    def plan(self, parts: dict):
        """Everything that decides an encoder, as plain values."""
        settings = {name: self.settings[name] for name in SEARCHED["pretrain"]}
        return {**parts, **settings, "data": self.data.name, "epochs": self.epochs, "seed": self.seed}

    def file(self, parts: dict) -> Path:
        """Path of the pre-trained encoder of an architecture; trained now if it was not before.

        Args:
            parts: dict of the constructor arguments of `"encoder"` and `"decoder"`.
        """
        plan = self.plan(parts)
        folder = self.folder / digest(plan)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "encoder.keras"
        with FileLock(folder / "lock"):
            if not path.exists():
                batches = EpochBatches(self.data.load_epoch, self.settings["batch_size"])
                mae = build_searched(parts, self.settings, self.epochs, len(batches), self.seed)
                loss = train_autoencoder(mae, batches, self.data.validation, self.epochs)
                write_json(folder / "plan.json", {**plan, "val_loss": loss})
                save_model(path, mae.encoder)
        return path
