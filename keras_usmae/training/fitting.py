"""A training with its run folder: from the last checkpoint to the last epoch, on any number of devices."""

from pathlib import Path
from typing import Any

from keras_usmae.training.allocation import tune_malloc
from keras_usmae.training.batches import EpochBatches
from keras_usmae.training.checkpoint import RunCheckpoint
from keras_usmae.training.distribution import Devices
from keras_usmae.training.run_log import RunLog


def train(
    model: Any,
    batches: EpochBatches,
    validation: tuple,
    folder: str | Path,
    epochs: int,
    monitor: str = "val_loss",
    devices: Devices | None = None,
    verbose: int = 2,
) -> None:
    """Trains a compiled model, from where the checkpoint of its run folder is.

    Args:
        model: compiled `keras.Model`.
        batches: `EpochBatches`, shared among the devices.
        validation: tuple of arrays, or of dicts of arrays: inputs, or inputs and labels.
        folder: path of the run folder, which all processes see and the first one writes.
        epochs: int, epochs of the whole training.
        monitor: str, see `RunCheckpoint`. Defaults to `"val_loss"`.
        devices: `Devices`, or `None` for one.
        verbose: int, Keras's, for the first process. Defaults to `2`.
    """
    tune_malloc()
    devices = devices or Devices()
    checkpoint = RunCheckpoint(folder, monitor, devices.is_main_process)
    first_epoch = checkpoint.restore(model, epochs)
    with devices.training(model):
        model.fit(
            batches,
            # As many signals at a time as in training, which fit in memory.
            validation_data=devices.shard(
                EpochBatches(lambda epoch: validation, batches.batch_size // batches.micro_batches)
            ),
            initial_epoch=first_epoch,
            epochs=epochs,
            callbacks=[batches.callback, *devices.callbacks, RunLog(folder, devices.is_main_process), checkpoint],
            shuffle=False,  # the batches are shuffled already, by the epoch
            verbose=verbose if devices.is_main_process else 0,
        )
