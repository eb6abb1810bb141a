"""Pre-training of a masked autoencoder: its signals, and the whole run."""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_usmae.configs import PretrainConfig
from keras_usmae.configs.fields import preset_settings, resolve_warmup
from keras_usmae.data import load_dataset
from keras_usmae.files import write_json
from keras_usmae.models import ConvMaskedAutoencoder, MaskedAutoencoder
from keras_usmae.signals import read_transducer, standardize, synthesize
from keras_usmae.training.allocation import set_xla_memory_scheduler
from keras_usmae.training.batches import EpochBatches, fresh_signals, shuffled, streamed_signals, with_mask_noise
from keras_usmae.training.checkpoint import BEST_FILE
from keras_usmae.training.distribution import Devices, use_devices
from keras_usmae.training.fitting import train
from keras_usmae.training.optimization import build_optimizer, jit_compile
from keras_usmae.training.run_folder import check_run_folder, open_run_folder, read_history, save_model

if TYPE_CHECKING:
    from keras_usmae.data.dataset import SignalDataset


@dataclasses.dataclass(frozen=True)
class PretrainingData:
    """Signals to pre-train on.

    Args:
        name: str, what they are, such as the dataset's name.
        load_epoch: function from an epoch to a tuple of one array; see `EpochBatches`.
        validation: float32 array of shape `(n, signal_length)`, standardised.
        sampling_rate: float, Hz. Defaults to `100e6`.
    """

    name: str
    load_epoch: Callable[[int], tuple]
    validation: np.ndarray
    sampling_rate: float = 100e6


@dataclasses.dataclass(frozen=True)
class PretrainedRun:
    """What a pre-training left. Of several processes only the first one has more than the folder.

    Args:
        folder: `pathlib.Path` of the run folder.
        config: `PretrainConfig`, resolved.
        mae: `MaskedAutoencoder` with the weights of the best epoch, or `None`.
        data: `PretrainingData`, or `None`.
        metrics: dict, the content of `metrics.json`, or `None`.
        history: list of dicts, an epoch each, or `None`.
    """

    folder: Path
    config: PretrainConfig
    mae: Any = None
    data: Any = None
    metrics: dict | None = None
    history: Any = None


def load_pretraining_data(
    config: PretrainConfig, dataset: "SignalDataset", length: int, stream: bool = False
) -> PretrainingData:
    """Loads the signals of a pre-training, each standardised to mean 0 and variance 1.

    Args:
        config: `PretrainConfig`, resolved.
        length: int, samples that the model takes.
        stream: bool, whether the stored split is read batch by batch. Defaults to `False`.
    """
    described = dataset.config
    if config.transducer:
        # Those that the dataset of this file would hold for validation.
        made = synthesize(described.signals, described.num_validation, described.seed, start=described.num_train)
        held_out, sampling_rate = standardize(made["signal"]), described.signals.sampling_rate
    else:
        held_out, sampling_rate = dataset.unlabelled("validation", length), dataset.sampling_rate
    if config.fresh:
        # A seed of its own: the stored splits, validation among them, are drawn with other ones.
        load_epoch = fresh_signals(described.signals, config.fresh, seed=10_000 + config.seed)
    elif stream:
        load_epoch = streamed_signals(dataset.stored("train"), length, config.seed)
    else:
        load_epoch = shuffled((dataset.unlabelled("train", length),), config.seed)
    return PretrainingData(f"{dataset.name} fresh {config.fresh}", load_epoch, held_out, sampling_rate)


def build_autoencoder(
    config: PretrainConfig, parts: dict | None = None, remat: bool = False, **encoder_overrides: Any
) -> MaskedAutoencoder:
    """Builds the autoencoder of a configuration, with fresh weights.

    Args:
        parts: dict with the constructor arguments of `"encoder"` and `"decoder"`. Defaults to `None`, the preset's.
        remat: bool, see `MAEEncoder`. Defaults to `False`.
        **encoder_overrides: arguments of `MAEEncoder` that differ, such as `signal_length`.

    Raises:
        ValueError: where a CNN should be computed again going backward.
    """
    settings: dict[str, Any] = {"mask_ratio": config.mask_ratio, "normalize_targets": config.normalize_targets}
    settings |= {"seed": config.seed, "dtype": config.dtype, **encoder_overrides}
    name = parts or config.preset
    if config.architecture == "cnn":
        if remat:
            raise ValueError("--remat is for the transformer's blocks, but --architecture is cnn. Leave it out.")
        return ConvMaskedAutoencoder.from_preset(name, **settings)
    decoder = {"decoder": config.decoder, "prediction_ratio": config.prediction_ratio}
    return MaskedAutoencoder.from_preset(name, remat=remat, **decoder, **settings)


def compile_autoencoder(mae: MaskedAutoencoder, config: PretrainConfig, num_updates: int) -> None:
    """Compiles an autoencoder as `pretrain` trains it.

    Args:
        num_updates: int, optimiser steps of an epoch.
    """
    warmup = int(resolve_warmup(config.warmup_epochs, config.epochs) * num_updates)
    optimizer = build_optimizer(
        config.learning_rate,
        config.epochs * num_updates,
        warmup,
        config.weight_decay,
        gradient_accumulation_steps=config.gradient_accumulation_steps or 1,
    )
    mae.compile(optimizer, jit_compile=jit_compile())


def pretrain(
    config: PretrainConfig,
    folder: str | Path | None = None,
    resume: bool = False,
    stream: bool = False,
    remat: bool = False,
    devices: int = 1,
    data_dir: str | Path | None = None,
    raw_dir: str | Path | None = None,
    verbose: int = 2,
) -> PretrainedRun:
    """Pre-trains a masked autoencoder, from its data to `encoder.keras` and `mae.keras` in a run folder.

    The epoch with the smallest validation loss counts. An interrupted run that is gone on with gives the same numbers.

    Args:
        config: `PretrainConfig`.
        folder: path of the run folder. Defaults to `None`, a name under `runs/`.
        resume: bool, whether to go on with an interrupted run of the same configuration. Defaults to `False`.
        stream: bool, whether the stored split is read batch by batch, where it does not fit in memory. Defaults to
            `False`.
        remat: bool, whether blocks are computed again going backward, in place of kept in memory. Defaults to
            `False`.
        devices: int, devices that share each batch; see `use_devices`. Defaults to `1`.
        data_dir: path or `None`, see `load_dataset`.
        raw_dir: path or `None`, see `load_dataset`.
        verbose: int, Keras's. Defaults to `2`.

    Raises:
        ValueError: where the configuration contradicts itself or the data.
        FileExistsError: where the folder holds another run.

    Example:

    ```python
    run = pretrain(PretrainConfig(preset="nano", fresh=16_384, epochs=10), "runs/mine")
    run.metrics["val_loss"]
    ```
    """
    config = config.resolved()
    set_xla_memory_scheduler()
    # Everything that can be wrong is found before the data are made or the folder is opened.
    used = use_devices(devices)
    used.check_micro_batches(config.batch_size, config.gradient_accumulation_steps or 1)
    if config.transducer:
        read_transducer(config.transducer)
    assert config.dataset is not None, "it is resolved"
    dataset = load_dataset(config.dataset, data_dir, raw_dir)
    if stream and (config.fresh or config.transducer):
        raise ValueError("--stream reads the stored split, but --fresh-signals and --transducer draw new signals.")
    record = preset_settings(config.preset)
    if config.transducer:
        config = dataclasses.replace(config, fresh=config.fresh or dataset.config.num_train)
        # The content of the file, so that a changed one is another run.
        record |= {f"transducer.{key}": value for key, value in dataclasses.asdict(dataset.config.signals).items()}
    record = config.values() | record
    keras.utils.set_random_seed(config.seed)
    sizes: dict[str, Any] = {"patch_size": config.patch_size, "signal_length": dataset.signal_length}
    mae = build_autoencoder(config, remat=remat, **sizes)
    kind = "" if config.architecture == "transformer" else f"_{config.architecture}"
    folder = Path(folder or Path("runs") / f"pretrain_{Path(config.preset).stem}{kind}_{dataset.config.name}")
    if used.is_main_process:
        check_run_folder(folder, record, resume)
    data = load_pretraining_data(config, dataset, mae.encoder.signal_length, stream)
    return run_pretraining(mae, config, data, folder, record, resume, used, verbose)


def run_pretraining(
    mae: MaskedAutoencoder,
    config: PretrainConfig,
    data: PretrainingData,
    folder: str | Path,
    record: dict,
    resume: bool = False,
    devices: Devices | None = None,
    verbose: int = 2,
) -> PretrainedRun:
    """Trains an autoencoder in its run folder, and saves it there with its encoder.

    Args:
        record: dict, everything that decides the result, for `config.json`.
        resume: bool, see `pretrain`. Defaults to `False`.
        devices: `Devices`, or `None` for one.
    """
    devices, folder = devices or Devices(), Path(folder)
    if devices.is_main_process:
        open_run_folder(folder, record, resume)
    # The masks of the validation signals stay the same, so that its epochs compare.
    masked = functools.partial(with_mask_noise, num_patches=mae.encoder.num_patches, seed=config.seed)
    micro_batches = config.gradient_accumulation_steps or 1
    batches = devices.shard(EpochBatches(masked(data.load_epoch), config.batch_size, micro_batches))
    compile_autoencoder(mae, config, batches.num_updates)
    validation = masked(lambda epoch: (data.validation,))(0)
    train(mae, batches, validation, folder, config.epochs, devices=devices, verbose=verbose)
    if not devices.is_main_process:
        return PretrainedRun(folder, config)

    mae = devices.unwrap(mae)
    mae.load_weights(folder / BEST_FILE)
    save_model(folder / "mae.keras", mae)
    save_model(folder / "encoder.keras", mae.encoder)
    history = read_history(folder / "metrics.csv")
    best = min(history, key=lambda row: row["val_loss"])
    metrics = {
        "val_loss": best["val_loss"],
        "best_epoch": best["epoch"],
        "backend": keras.backend.backend(),
        "parameters": mae.count_params(),
        "signals_per_epoch": batches.num_signals,
        "signals_seen": config.epochs * batches.num_signals,
        "seconds": sum(row["seconds"] for row in history),  # of all processes, where it was interrupted
    }
    write_json(folder / "metrics.json", metrics)
    return PretrainedRun(folder, config, mae, data, metrics, history)


def reconstruct_some(run: PretrainedRun, count: int = 6) -> tuple:
    """Reconstructions of the first validation signals of a run, under masks of its seed.

    Returns:
        A tuple of signals and what `MaskedAutoencoder.reconstruct` gives, for `plot_reconstructions`.
    """
    noise = np.random.default_rng(run.config.seed).uniform(size=(count, run.mae.encoder.num_patches))
    signals = run.data.validation[:count]
    return signals, run.mae.reconstruct(signals, noise.astype("float32"))
