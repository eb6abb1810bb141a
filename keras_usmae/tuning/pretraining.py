"""Pre-training in a search: one training of settings, and encoders that are trained once and used again."""

import dataclasses
from pathlib import Path

from filelock import FileLock
from keras import utils

from keras_usmae.models import MaskedAutoencoder
from keras_usmae.training import EpochBatches, build_optimizer, jit_compile, save_model, write_json
from keras_usmae.tuning.footprint import digest


def build_autoencoder(parts, settings, epochs, steps, seed):
    """A compiled autoencoder, as `recipes/pretrain.py` trains it.

    Args:
        parts: dict of the constructor arguments of `"encoder"` and `"decoder"`.
        settings: dict with the settings of `DEFAULTS["pretrain"]`.
        epochs: int, epochs of the training; the rate warms up over a twentieth of them.
        steps: int, steps of an epoch.
        seed: int, seed of weights and masks.

    Returns:
        `MaskedAutoencoder`.
    """
    utils.clear_session()  # graphs of earlier trials
    utils.set_random_seed(seed)
    cross = settings["decoder"] == "cross"
    mae = MaskedAutoencoder.from_preset(
        parts,
        mask_ratio=settings["mask_ratio"],
        normalize_targets=settings["normalize_targets"],
        seed=seed,
        decoder=settings["decoder"],
        decoded_share=settings["decoded_share"] if cross else None,
    )
    rate, decay = settings["learning_rate"], settings["weight_decay"]
    mae.compile(build_optimizer(rate, epochs * steps, int(epochs / 20 * steps), decay), jit_compile=jit_compile())
    return mae


def train_autoencoder(mae, batches, validation, epochs, callbacks=()):
    """Trains an autoencoder.

    Args:
        mae: `MaskedAutoencoder` from `build_autoencoder`.
        batches: `EpochBatches` of signals.
        validation: float32 array of shape `(n, signal_length)`, standardised.
        epochs: int.
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


@dataclasses.dataclass(frozen=True)
class PretrainingData:
    """Signals to pre-train on.

    Args:
        name: str, what they are, such as the dataset's name; encoders are kept under it.
        load_epoch: function from an epoch to a tuple of one array; see `EpochBatches`.
        validation: float32 array of shape `(n, signal_length)`, standardised.
    """

    name: str
    load_epoch: object
    validation: object


class PretrainedEncoders:
    """Encoders of any architecture, pre-trained by one plan, each once: trials of the same architecture share it.

    Processes that share the folder share the encoders; the one that comes first trains, the others wait.

    Args:
        folder: path.
        data: `PretrainingData`.
        settings: dict with the settings of `DEFAULTS["pretrain"]`.
        epochs: int.
        seed: int. Defaults to `0`.

    Example:

    ```python
    data = PretrainingData("quickstart", fresh_signals(config, 16_384, seed=10_000), held_out)
    encoders = PretrainedEncoders("runs/tune/pretrained", data, DEFAULTS["pretrain"], epochs=20)
    encoder = keras.saving.load_model(encoders.file(load_preset("nano")))
    ```
    """

    def __init__(self, folder, data, settings, epochs, seed=0):
        self.folder, self.data, self.settings = Path(folder), data, settings
        self.epochs, self.seed = epochs, seed

    def plan(self, parts):
        """Everything that decides an encoder, as plain values."""
        names = ("mask_ratio", "normalize_targets", "decoder", "decoded_share", "learning_rate", "weight_decay")
        settings = {name: self.settings[name] for name in (*names, "batch_size")}
        return {**parts, **settings, "data": self.data.name, "epochs": self.epochs, "seed": self.seed}

    def file(self, parts):
        """Path of the pre-trained encoder of an architecture; trained now if it was not before.

        Args:
            parts: dict of the constructor arguments of `"encoder"` and `"decoder"`.

        Returns:
            `pathlib.Path` of a `.keras` file.
        """
        plan = self.plan(parts)
        folder = self.folder / digest(plan)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "encoder.keras"
        with FileLock(folder / "lock"):
            if not path.exists():
                batches = EpochBatches(self.data.load_epoch, self.settings["batch_size"])
                mae = build_autoencoder(parts, self.settings, self.epochs, len(batches), self.seed)
                loss = train_autoencoder(mae, batches, self.data.validation, self.epochs)
                write_json(folder / "plan.json", {**plan, "val_loss": loss})
                save_model(path, mae.encoder)
        return path
