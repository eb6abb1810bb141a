"""One process of a small training that ends at a chosen point, for test_interruption.py: FOLDER KIND PLAN...

Plans: `step:N:S` kills S seconds after step N of this process; `before:NAME:E` and `after:NAME:E` around the move by
which a file of epoch E takes its name; `within:E` in the middle of writing the checkpoint of epoch E; `full:E:BYTES`
lets no file grow beyond BYTES from the end of epoch E on, which is what a full disk does.
"""

import os
import resource
import signal
import sys
import threading
from pathlib import Path

import keras
import numpy as np

from keras_usmae.models import MAEEncoder, MaskedAutoencoder, ToFClassifier
from keras_usmae.training import (
    Devices,
    EpochBatches,
    build_optimizer,
    compile_for_tof,
    open_run_folder,
    shuffled,
    tof_batches,
    train,
    with_mask_noise,
)

EPOCHS, BATCH_SIZE = 6, 64


def die():
    """Ends this process as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


class Plan(keras.callbacks.Callback):
    """Ends the process, or fills the disk, where `plan` says; stands ahead of what writes."""

    def __init__(self, plan):
        super().__init__()
        self.kind, *self.values = plan.split(":")
        self.steps, self.epoch = 0, -1
        if self.kind in ("before", "after"):
            self.replace, os.replace = os.replace, self.move
        if self.kind == "within":
            self.write_bytes, Path.write_bytes = Path.write_bytes, lambda path, content: self.write(path, content)

    def on_epoch_begin(self, epoch, logs=None):
        """Notes the epoch."""
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Counts steps."""
        self.steps += 1
        if self.kind == "step" and self.steps == int(self.values[0]):
            threading.Timer(float(self.values[1]), die).start()

    def on_epoch_end(self, epoch, logs=None):
        """Fills the disk."""
        if self.kind == "full" and epoch == int(self.values[0]):
            size = int(self.values[1])
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    def move(self, source, target):
        """Stands for `os.replace`."""
        chosen = Path(target).name == self.values[0] and self.epoch == int(self.values[1])
        if chosen and self.kind == "before":
            die()
        self.replace(source, target)
        if chosen:
            die()

    def write(self, path, content):
        """Stands for `Path.write_bytes`."""
        if self.epoch != int(self.values[0]):
            return self.write_bytes(path, content)
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        die()


def main(folder, kind, plans):
    """Trains `nano` on 256 signals, going on from what the folder has."""
    keras.utils.set_random_seed(0)
    devices = Devices()
    devices.callbacks += [Plan(plan) for plan in plans]
    signals = np.random.default_rng(0).normal(size=(256, 256)).astype("float32").cumsum(axis=1)
    signals = (signals - signals.mean(1, keepdims=True)) / signals.std(1, keepdims=True)
    folder = open_run_folder(folder, {"kind": kind}, resume=True)
    if kind == "mae":
        model = MaskedAutoencoder.from_preset("nano", signal_length=256, seed=0)

        def masked(load_epoch):
            return with_mask_noise(load_epoch, model.encoder.num_patches, seed=0)

        batches, monitor = EpochBatches(masked(shuffled((signals,), 0)), BATCH_SIZE), "val_loss"
        validation = masked(lambda epoch: (signals[:64],))(0)
        model.compile(build_optimizer(1e-2, EPOCHS * len(batches), 2), jit_compile=False)
    else:
        model = ToFClassifier(MAEEncoder.from_preset("nano", signal_length=256))
        onset = np.abs(signals).argmax(axis=1).astype("float32")
        batches, monitor = tof_batches(signals, onset, BATCH_SIZE, seed=0), "val_error_samples"
        validation = (signals[:64], onset[:64])
        compile_for_tof(model, 1e-2, EPOCHS * len(batches), 2)
    train(model, batches, validation, folder, EPOCHS, monitor, devices=devices, verbose=0)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
    except OSError as error:
        sys.exit(f"OSError: {error}")
