"""Batches whose content is a function of the epoch alone, so that a resumed run sees what it would have seen."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_usmae.signals import check_signals, standardize, synthesize

if TYPE_CHECKING:
    from keras_usmae.data.builders import StoredSplit
    from keras_usmae.signals.synthesis.config import SignalConfig


class EpochBatches(keras.utils.PyDataset):
    """Feeds `fit` with arrays that are made anew, or shuffled anew, for each epoch.

    Pass the callback and `shuffle=False` to `fit`: Keras calls a dataset's own `on_epoch_end` once more than there are
    epochs where it builds the model first, and by default draws another order of the batches from Python's global
    generator, which no checkpoint holds.

    Args:
        load_epoch: function from the epoch's number (int, from 0) to a tuple of arrays, or of dicts of arrays, with the
            same first axis, as long in each epoch; see `shuffled`, `fresh_signals` and `with_mask_noise`.
        batch_size: int, signals in an optimiser step.
        micro_batches: int, parts that a batch is given in, one after the other, for an optimiser that adds up their
            gradients; see `build_optimizer`. Defaults to `1`, the batch as a whole.

    Raises:
        ValueError: if an epoch holds no signals, or a batch cannot be cut into that many even parts.
    """

    def __init__(self, load_epoch: Callable, batch_size: int, micro_batches: int = 1) -> None:
        super().__init__()
        check_micro_batches(batch_size, 1, micro_batches)
        self.load_epoch = load_epoch
        self.batch_size = batch_size
        self.micro_batches = micro_batches
        self._devices = (1, 1, 0)
        self.callback = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: self.set_epoch(epoch))
        self.set_epoch(0)
        if not self.num_signals:
            raise ValueError("There are no signals to train on: the arrays of the epoch are empty.")

    @property
    def num_signals(self) -> int:
        """Signals in an epoch."""
        return len(keras.tree.flatten(self._arrays)[0])

    def set_epoch(self, epoch: int) -> None:
        """Goes to the arrays of an epoch.

        Args:
            epoch: int, from 0.
        """
        if getattr(self, "epoch", None) != epoch:
            self.epoch, self._arrays = epoch, self.load_epoch(epoch)

    def split(self, num_devices: int, num_processes: int, process_index: int) -> None:
        """Leaves of each batch the rows of one process among several.

        All together have the batches that one alone would have, but for signals at the end of the last batch that the
        devices, and the parts of a batch, cannot share evenly.

        Args:
            num_devices: int, devices of all processes, which have as many each.
            num_processes: int.
            process_index: int, from 0.

        Raises:
            ValueError: if the devices cannot share a batch evenly, or there are fewer signals than devices.
        """
        check_micro_batches(self.batch_size, num_devices, self.micro_batches)
        self._devices = (num_devices, num_processes, process_index)
        if not len(self):
            raise ValueError(f"{self.num_signals} signals are too few for {num_devices} devices.")

    @property
    def num_updates(self) -> int:
        """Optimiser steps in an epoch: batches, however many parts each is given in."""
        whole, rest = divmod(self.num_signals, self.batch_size)
        return whole + (rest >= self._devices[0] * self.micro_batches)

    def __len__(self):
        return self.num_updates * self.micro_batches

    def __getitem__(self, index):
        """Returns part `index`: `(signals,)` or `(signals, labels)`; those of the last batch may be smaller."""
        num_devices, num_processes, process_index = self._devices
        update, part = divmod(index, self.micro_batches)
        first = update * self.batch_size
        count = min(self.batch_size, self.num_signals - first)
        # Parts of one size: their mean gradient is then that of the batch.
        count = count // (num_devices * self.micro_batches) * num_devices // num_processes
        first += (part * num_processes + process_index) * count
        # A copy: TensorFlow takes the memory as it is, and with several devices writes its results over it, which would
        # change the signals of all later epochs.
        return keras.tree.map_structure(lambda array: np.array(array[first : first + count]), self._arrays)


def check_micro_batches(batch_size: int, num_devices: int = 1, micro_batches: int = 1) -> None:
    """Checks that a batch can be cut into even parts, and each of them shared evenly among devices.

    Args:
        batch_size: int, signals in an optimiser step.
        num_devices: int. Defaults to `1`.
        micro_batches: int, parts of a batch, see `EpochBatches`. Defaults to `1`.

    Raises:
        ValueError: if it cannot.
    """
    if micro_batches < 1:
        raise ValueError(f"`micro_batches`, the parts of a batch, must be 1 or more. Received: {micro_batches}")
    shares = num_devices * micro_batches
    if batch_size % shares:
        devices = f"{num_devices} devices" if num_devices > 1 or micro_batches == 1 else ""
        parts = f"{micro_batches} parts" if micro_batches > 1 else ""
        raise ValueError(
            f"{' in '.join(filter(None, (devices, parts)))} cannot share a batch of {batch_size} signals evenly. Give "
            "--batch-size as a multiple of --devices times --gradient-accumulation-steps, such as "
            f"{max(batch_size // shares, 1) * shares}."
        )


def shuffled(arrays: tuple, seed: int) -> Callable:
    """The same arrays in each epoch, in another order.

    Args:
        arrays: tuple of arrays with the same first axis.
        seed: int, seed of the orders.

    Returns:
        A `load_epoch` function for `EpochBatches`.
    """

    def load_epoch(epoch):
        order = _order(seed, epoch, len(arrays[0]))
        return tuple(array[order] for array in arrays)

    return load_epoch


def streamed_signals(stored: "StoredSplit", signal_length: int, seed: int) -> Callable:
    """The same stored signals in each epoch, in another order, each batch read when it is its turn.

    The batches are those of `shuffled`, number by number, but only one of them is in memory.

    Args:
        stored: `keras_usmae.data.builders.StoredSplit` with the feature `"signal"`.
        signal_length: int. Samples that a signal must have.
        seed: int, seed of the orders.

    Returns:
        A `load_epoch` function for `EpochBatches`, giving standardised signals.
    """

    def load_epoch(epoch):
        return (_StreamedSignals(stored, signal_length, _order(seed, epoch, len(stored))),)

    return load_epoch


class _StreamedSignals:
    """What `EpochBatches` takes of an array: its length, and slices."""

    def __init__(self, stored, signal_length, order):
        self.stored, self.signal_length, self.order = stored, signal_length, order

    def __len__(self):
        return len(self.order)

    def __getitem__(self, part):
        return standardize(check_signals(self.stored.read(self.order[part])["signal"], self.signal_length))


def fresh_signals(config: "SignalConfig", num_signals: int, seed: int) -> Callable:
    """Synthetic signals that are never repeated: each epoch draws its own.

    Args:
        config: `keras_usmae.signals.SignalConfig`.
        num_signals: int, signals in an epoch.
        seed: int, seed of the set; epoch `e` takes the examples from `e * num_signals` on.

    Returns:
        A `load_epoch` function for `EpochBatches`, giving standardised signals.
    """

    def load_epoch(epoch):
        return (standardize(synthesize(config, num_signals, seed, start=epoch * num_signals)["signal"]),)

    return load_epoch


def with_mask_noise(load_epoch: Callable, num_patches: int, seed: int) -> Callable:
    """Adds to each signal the random numbers by which `MaskedAutoencoder` chooses the patches that it masks.

    Drawn here, they are a function of seed, epoch and place in the epoch: the masks are the same after a resume, on
    any number of devices, and on every backend.

    Args:
        load_epoch: a `load_epoch` function that gives `(signals,)`.
        num_patches: int, patches in a signal.
        seed: int, seed of the masks.

    Returns:
        A `load_epoch` function for `EpochBatches`, giving `({"signals": signals, "noise": noise},)`.
    """

    def load_noisy_epoch(epoch):
        (signals,) = load_epoch(epoch)
        # Integers, which mixed precision leaves as they are: rounded numbers would often be equal.
        rng = np.random.default_rng((seed, epoch, 1))
        return ({"signals": signals, "noise": rng.integers(2**31, size=(len(signals), num_patches), dtype="int32")},)

    return load_noisy_epoch


def _order(seed, epoch, num_signals):
    return np.random.default_rng((seed, epoch)).permutation(num_signals)
