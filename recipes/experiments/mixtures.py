"""Pre-training on several kinds of signals at once, each a share of every epoch."""

import keras
import numpy as np

from keras_usmae import options
from keras_usmae.configs import PretrainConfig
from keras_usmae.signals import SignalConfig, standardize, synthesize
from keras_usmae.training.pretraining import PretrainingData, build_autoencoder, run_pretraining

# Measured sources by the transducer that recorded them; see the README of ultrasound_measured.
TRANSDUCERS = {"immersion probes": ("plane_scan", "copper_block"), "array": ("copper_array", "steel_pins")}
NUM_VALIDATION = 1200


def recorded_by(arrays, names, transducer):
    """Which signals of a measured split a transducer recorded, or come from a source, as a boolean array."""
    return np.isin(np.asarray(names)[arrays["source"]], TRANSDUCERS.get(transducer, (transducer,)))


def pretrain_mixture(pretraining, measured, folder, epoch_size):
    """Pre-trains on datasets joined by `+`: new synthetic signals each epoch, and stored measured ones.

    Args:
        pretraining: `Pretraining` of a mixture.
        measured: standardised signals of shape `(n, signal_length)` for the dataset that is not synthetic.
        folder: path of the run folder; what is there of an interrupted run is gone on with.
        epoch_size: int, signals in an epoch, of all datasets together.
    """
    names = pretraining.dataset.split("+")
    share = epoch_size // len(names)
    configs = {
        name: SignalConfig.from_preset(name.partition("/")[2])
        for name in names
        if name.startswith("ultrasound_synthetic/")
    }

    def draw(name, epoch):
        if name in configs:
            return standardize(
                synthesize(configs[name], share, 10_000 + pretraining.seed, start=epoch * share)["signal"]
            )
        return measured[np.random.default_rng((pretraining.seed, epoch, 2)).integers(len(measured), size=share)]

    def load_epoch(epoch):
        signals = np.concatenate([draw(name, epoch) for name in names])
        return (signals[np.random.default_rng((pretraining.seed, epoch)).permutation(len(signals))],)

    held_out = np.concatenate(
        [
            standardize(synthesize(config, NUM_VALIDATION // len(configs), seed=1)["signal"])
            for config in configs.values()
        ]
    )
    config = PretrainConfig(
        preset=pretraining.preset,
        epochs=max(1, round(pretraining.signals / epoch_size)),
        batch_size=min(pretraining.batch_size, share * len(names)),
        decoder=pretraining.decoder,
        learning_rate=pretraining.learning_rate,
        seed=pretraining.seed,
    )
    keras.utils.set_random_seed(config.seed)
    data = PretrainingData(pretraining.dataset, load_epoch, held_out)
    resume = (folder / "config.json").exists()
    run_pretraining(
        build_autoencoder(config), config, data, folder, pretraining.values(), resume, verbose=options.progress()
    )
