"""Checkpoints from which a run goes on as if it had not been interrupted."""

import os
import shutil
from pathlib import Path

import h5py
import keras

LAST_FILE = "last.weights.h5"
BEST_FILE = "best.weights.h5"


class RunCheckpoint(keras.callbacks.Callback):
    """Saves model and optimiser after each epoch as `last.weights.h5`, and the best as `best.weights.h5`.

    The number of finished epochs and the best value travel inside the file, and a file is replaced only when the next
    is whole: whenever the process dies, one consistent checkpoint is left.

    Args:
        folder: path of the run folder.
        monitor: str, the logged value that decides which epoch is best, the smaller the better. Defaults to
            `"val_loss"`.

    Example:

    ```python
    checkpoint = RunCheckpoint("runs/mine")
    first_epoch = checkpoint.restore(mae)  # 0 in a new folder
    mae.fit(batches, initial_epoch=first_epoch, epochs=10, callbacks=[checkpoint])
    ```
    """

    def __init__(self, folder, monitor="val_loss"):
        super().__init__()
        self.folder = Path(folder)
        self.monitor = monitor
        self.best = float("inf")

    def restore(self, model):
        """Loads the last checkpoint of the folder, if there is one.

        Args:
            model: the compiled model that `fit` will train.

        Returns:
            int, epochs already done; pass it to `fit` as `initial_epoch`.

        Raises:
            ValueError: if the checkpoint cannot be read.
        """
        path = self.folder / LAST_FILE
        if not path.exists():
            return 0
        model.optimizer.build(model.trainable_variables)
        try:
            with h5py.File(path) as file:
                epochs_done, self.best = int(file.attrs["epochs_done"]), float(file.attrs["best"])
            model.load_weights(path)
        except (OSError, KeyError) as error:
            raise ValueError(
                f"The checkpoint {path} cannot be read ({error}); delete it to start the run anew, or restore it from "
                "a copy."
            ) from error
        return epochs_done

    def on_epoch_end(self, epoch, logs=None):
        """Writes the checkpoint of `epoch`."""
        value = float(logs[self.monitor])
        improved = value < self.best
        self.best = min(value, self.best)
        partial = self.folder / "partial.weights.h5"
        self.model.save_weights(partial, overwrite=True)
        with h5py.File(partial, "a") as file:
            file.attrs["epochs_done"] = epoch + 1
            file.attrs["best"] = self.best
        if improved:
            copy = self.folder / "partial_best.weights.h5"
            shutil.copyfile(partial, copy)
            os.replace(copy, self.folder / BEST_FILE)
        os.replace(partial, self.folder / LAST_FILE)
