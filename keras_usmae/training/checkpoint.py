"""Checkpoints from which a run goes on as if it had not been interrupted."""

import io
import shutil
from pathlib import Path

import h5py
import keras
import numpy as np

from keras_usmae.files import atomic_write, remove_leftovers

LAST_FILE = "last.weights.h5"
BEST_FILE = "best.weights.h5"


class RunCheckpoint(keras.callbacks.Callback):
    """Saves model and optimiser after each epoch as `last.weights.h5`, and the best as `best.weights.h5`.

    The number of finished epochs and the best value travel inside the file, and a file is replaced only when the next
    is whole: whenever the process or the machine dies, one consistent checkpoint is left. The last is written first,
    and the best is a copy of it; a copy that was not made any more is made when the run goes on.

    Args:
        folder: path of the run folder.
        monitor: str, the logged value that decides which epoch is best, the smaller the better. Defaults to
            `"val_loss"`.
        writes: bool, whether this process is the one that writes. Each process of a training needs the callback:
            what saving does to a model that all of them share must happen in all of them, or JAX waits forever.
            Defaults to `True`.
    """

    def __init__(self, folder: str | Path, monitor: str = "val_loss", writes: bool = True) -> None:
        super().__init__()
        self.folder = Path(folder)
        self.monitor = monitor
        self.writes = writes
        self.best = float("inf")

    def restore(self, model: keras.Model, epochs: int | None = None) -> int:
        """Loads the last checkpoint of the folder, if there is one.

        Args:
            model: the compiled model that `fit` will train.
            epochs: int, epochs of the whole training. Defaults to `None`, any number.

        Returns:
            int, epochs already done; pass it to `fit` as `initial_epoch`.

        Raises:
            ValueError: if the checkpoint cannot be read, tells of epochs that there are none, or holds weights that are
                not finite.
        """
        path = self.folder / LAST_FILE
        if not path.exists():
            return 0
        model.optimizer.build(model.trainable_variables)
        try:
            with h5py.File(path) as file:
                epochs_done, self.best = int(file.attrs["epochs_done"]), float(file.attrs["best"])
            model.load_weights(path)
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise _damaged(path, f"cannot be read ({' '.join(str(error).split())[:300]})") from error
        if epochs_done < 1 or (epochs is not None and epochs_done > epochs):
            raise _damaged(path, f"has epochs_done={epochs_done}, where 1 to {epochs} are possible")
        for weight in (*model.weights, *model.optimizer.variables):
            if not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
                raise _damaged(path, f"holds values that are not finite, first in {weight.path}")
        return epochs_done

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Brings the folder of a run that was interrupted in mid-write into order."""
        if not self.writes:
            return
        remove_leftovers(self.folder)
        last, best = (_attributes(self.folder / name) for name in (LAST_FILE, BEST_FILE))
        if last.get("improved") and last["epochs_done"] != best.get("epochs_done"):
            self._copy_to_best()

    def on_epoch_end(self, epoch: int, logs: dict) -> None:
        """Writes the checkpoint of `epoch`."""
        value = float(logs[self.monitor])
        improved = value < self.best
        self.best = min(value, self.best)
        content = _WeightsInMemory()
        self.model.save_weights(content)
        if not self.writes:
            return
        with h5py.File(content, "a") as file:
            file.attrs.update(epochs_done=epoch + 1, best=self.best, improved=improved)
        with atomic_write(self.folder / LAST_FILE) as partial:
            partial.write_bytes(content.getbuffer())
        if improved:
            self._copy_to_best()

    def _copy_to_best(self):
        with atomic_write(self.folder / BEST_FILE) as partial:
            shutil.copyfile(self.folder / LAST_FILE, partial)


def _damaged(path, what):
    return ValueError(f"The checkpoint {path} {what}; delete it to start the run anew, or restore it from a copy.")


class _WeightsInMemory(io.BytesIO):
    """Takes the place of a file for HDF5, which crashes the process where it writes to a full disk itself."""

    def __str__(self):
        return "memory.weights.h5"  # Keras asks for the suffix


def _attributes(path):
    """What a checkpoint says of itself; nothing where there is none that can be read."""
    try:
        with h5py.File(path) as file:
            return dict(file.attrs)
    except OSError:
        return {}
