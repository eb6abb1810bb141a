"""One process of a training on several devices, for test_distribution.py: DEVICES FOLDER [KILL_AT]."""

import json
import os
import signal
import sys
from pathlib import Path

import keras
import numpy as np

from keras_usmae.models import MaskedAutoencoder
from keras_usmae.training import EpochBatches, build_optimizer, shuffled, train, use_devices, with_mask_noise

EPOCHS, BATCH_SIZE = 4, 16


def main(num_devices, folder, kill_at=None):
    """Trains `nano` for 20 steps on 16 signals a step; a worker may kill itself at the start of an epoch."""
    devices = use_devices(num_devices)
    keras.utils.set_random_seed(0)
    mae = MaskedAutoencoder.from_preset("nano", signal_length=256, seed=0)
    signals = np.random.default_rng(0).normal(size=(5 * BATCH_SIZE, 256)).astype("float32").cumsum(axis=1)
    signals = (signals - signals.mean(1, keepdims=True)) / signals.std(1, keepdims=True)

    def masked(load_epoch):
        return with_mask_noise(load_epoch, mae.encoder.num_patches, seed=0)

    batches = devices.shard(EpochBatches(masked(shuffled((signals,), 0)), BATCH_SIZE))
    if kill_at is not None and devices.process_index == devices.num_processes - 1:
        devices.callbacks.append(
            keras.callbacks.LambdaCallback(
                on_epoch_begin=lambda epoch, logs: os.kill(os.getpid(), signal.SIGKILL) if epoch == kill_at else None
            )
        )
    noise = batches[0][0]["noise"]
    print(json.dumps({"process": devices.process_index, "rows": noise.tolist()}), flush=True)
    # A large step, so that clipping of the gradients takes part. Elsewhere than on JAX, where an operation that is not
    # compiled with the step is compiled alone, XLA takes longer than this to train.
    mae.compile(build_optimizer(1e-2, EPOCHS * len(batches), 2), jit_compile=keras.backend.backend() == "jax")
    train(mae, batches, masked(lambda epoch: (signals,))(0), folder, EPOCHS, devices=devices, verbose=0)
    if devices.is_main_process:
        mae = devices.unwrap(mae)
        mae.load_weights(folder / "last.weights.h5")
        (folder / "reconstruction.npy").write_bytes(mae.reconstruct(signals[:3], noise[:3])["prediction"].tobytes())


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
    except ConnectionError as error:
        sys.exit(f"ConnectionError: {error}")
