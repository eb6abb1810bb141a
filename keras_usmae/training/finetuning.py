"""Fine-tuning of a ToF classifier: how it is compiled and fed, and the whole run."""

import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_usmae.configs import FinetuneConfig
from keras_usmae.configs.fields import preset_settings
from keras_usmae.data import load_dataset
from keras_usmae.evaluation import score_onsets
from keras_usmae.files import write_json
from keras_usmae.models import EchoDetector, ToFClassifier, ToFCrossentropy
from keras_usmae.models.tof_metrics import ToFAccuracy, ToFError
from keras_usmae.signals import onset_to_class, standardize
from keras_usmae.training.allocation import set_xla_memory_scheduler
from keras_usmae.training.augmentation import augmented
from keras_usmae.training.batches import EpochBatches, shuffled
from keras_usmae.training.checkpoint import BEST_FILE
from keras_usmae.training.distribution import use_devices
from keras_usmae.training.finetuning_start import build_encoder, resolve_start, take_head
from keras_usmae.training.fitting import train
from keras_usmae.training.optimization import build_optimizer, jit_compile
from keras_usmae.training.run_folder import check_run_folder, open_run_folder, read_history, save_arrays, save_model

STEPS_AT_ONCE = 50
NOISE = (1e-3, 0.06)
NUM_CALIBRATION = 256  # signals that export needs


def tof_batches(
    signals: np.ndarray,
    onset: np.ndarray,
    batch_size: int,
    seed: int,
    augment: bool = False,
    augment_noise: float = NOISE[1],
) -> EpochBatches:
    """Batches to fine-tune with.

    Args:
        signals: float32 array of shape `(n, signal_length)`, standardised.
        onset: array of shape `(n,)`, onsets in samples.
        batch_size: int.
        seed: int, seed of order and augmentation.
        augment: bool, whether each epoch has other versions of the signals, moved by at most 600 of 2048 samples; see
            `keras_usmae.training.augment`. An epoch then has at least 50 batches, several versions of each signal
            where they are few. Defaults to `False`.
        augment_noise: float, largest RMS of the noise that augmentation adds, relative to that of the signal; `0` for
            none. Defaults to `0.06`.
    """
    load_epoch = shuffled((signals, onset), seed)
    if augment:
        load_epoch = augmented(
            (signals, onset),
            # Whole batches: a smaller last one would have to be compiled for once more.
            max(-(-len(onset) // batch_size), STEPS_AT_ONCE) * batch_size,
            seed,
            max_shift=round(600 / 2048 * signals.shape[1]),
            noise=(min(NOISE[0], augment_noise), augment_noise),
        )
    return EpochBatches(load_epoch, batch_size)


def compile_for_tof(
    classifier: ToFClassifier,
    learning_rate: float,
    total_steps: int,
    warmup_steps: int,
    weight_decay: float = 0.05,
    layer_decay: float = 1.0,
    label_sigma: float = 12.0,
) -> None:
    """Compiles a classifier as `finetune` trains it.

    Args:
        classifier: `ToFClassifier`.
        learning_rate: float, its peak.
        total_steps: int, optimiser steps of the whole training.
        warmup_steps: int, steps of the linear rise.
        weight_decay: float, AdamW's. Defaults to `0.05`.
        layer_decay: float, see `LayerDecayAdamW`. Defaults to `1.0`.
        label_sigma: float, samples, spread of the target distribution; see `ToFCrossentropy`. Defaults to `12.0`.
    """
    bin_width = classifier.bin_width
    classifier.compile(
        build_optimizer(
            learning_rate, total_steps, warmup_steps, weight_decay, 0.999, layer_decay, classifier.encoder.num_layers
        ),
        loss=ToFCrossentropy(bin_width, label_sigma),
        metrics=[ToFAccuracy(bin_width), ToFAccuracy(bin_width, 1, name="within_one_bin"), ToFError(bin_width)],
        jit_compile=jit_compile(),
    )


@dataclasses.dataclass(frozen=True)
class FinetunedRun:
    """What a fine-tuning left. Of several processes only the first one has more than the folder.

    Args:
        folder: `pathlib.Path` of the run folder.
        config: `FinetuneConfig`, resolved.
        classifier: `ToFClassifier` with the weights of the best epoch, or `None`.
        metrics: dict, the content of `metrics.json`, or `None`.
        test: dict of arrays, the content of `test.npz`: `"signal"`, `"onset"` and `"estimate"`; or `None`.
        history: list of dicts, an epoch each, or `None`.
    """

    folder: Path
    config: FinetuneConfig
    classifier: Any = None
    metrics: dict | None = None
    test: Any = None
    history: Any = None


def finetune(
    config: FinetuneConfig,
    folder: str | Path | None = None,
    resume: bool = False,
    devices: int = 1,
    data_dir: str | Path | None = None,
    raw_dir: str | Path | None = None,
    verbose: int = 2,
) -> FinetunedRun:
    """Fine-tunes a ToF classifier, from its data to `classifier.keras` and its test scores in a run folder.

    The epoch with the smallest mean error on the validation split counts; the test split is scored once, at the end.
    An interrupted run that is gone on with gives the same numbers.

    Args:
        config: `FinetuneConfig`.
        folder: path of the run folder. Defaults to `None`, a name under `runs/`.
        resume: bool, whether to go on with an interrupted run of the same configuration. Defaults to `False`.
        devices: int, devices that share each batch; see `use_devices`. Defaults to `1`.
        data_dir: path or `None`, see `load_dataset`.
        raw_dir: path or `None`, see `load_dataset`.
        verbose: int, Keras's. Defaults to `2`.

    Raises:
        ValueError: where the configuration does not fit the data.
        FileNotFoundError: where there is no encoder to start from.
        FileExistsError: where the folder holds another run.

    Example:

    ```python
    run = finetune(FinetuneConfig(preset="nano", dataset="ultrasound_synthetic/quickstart", labels=320), "runs/mine")
    run.metrics["test"]["median_error_ns"]
    ```
    """
    set_xla_memory_scheduler()
    # Everything that can be wrong is found before long work begins.
    used = use_devices(devices)
    start = resolve_start(config)
    config = dataclasses.replace(config, pretrained=str(start)).resolved()
    keras.utils.set_random_seed(config.seed)
    dataset = load_dataset(config.dataset, data_dir, raw_dir)
    encoder = build_encoder(config, start, dataset.signal_length)
    if config.freeze:
        encoder.freeze(None if config.freeze < 0 else config.freeze)
    classifier = ToFClassifier(encoder, config.bin_width, config.head, dtype=config.dtype)
    if start == "picker":
        take_head(classifier, EchoDetector.from_preset(config.preset))
    record = dataclasses.asdict(config)
    if isinstance(start, Path):
        name = start.parent.name
    else:
        record |= preset_settings(config.preset)
        name = f"{'scratch' if start == 'none' else start}_{config.architecture}_{Path(config.preset).stem}"
    folder = Path(folder or Path("runs") / f"finetune_{name}_{config.dataset.replace('/', '_')}")
    if used.is_main_process:
        check_run_folder(folder, record, resume)

    classifier.sampling_rate = dataset.sampling_rate
    data = {
        split: dataset.labelled(split, config.bin_width, encoder.signal_length, raw=True)
        for split in dataset.labelled_splits
    }
    signals, onset = data["train"]
    order, chosen = dataset.draw(len(onset), config.labels, config.seed)
    validation = (standardize(data["validation"][0]), data["validation"][1])

    if used.is_main_process:
        open_run_folder(folder, record, resume)
    labelled = standardize(signals[chosen])
    batches = tof_batches(labelled, onset[chosen], config.batch_size, config.seed, config.augment, config.augment_noise)
    batches = used.shard(batches)
    assert config.learning_rate is not None, "it is resolved"
    assert config.warmup_epochs is not None, "it is resolved"
    compile_for_tof(
        classifier,
        config.learning_rate,
        config.epochs * len(batches),
        int(config.warmup_epochs * len(batches)),
        config.weight_decay,
        config.layer_decay,
        config.label_sigma,
    )
    train(classifier, batches, validation, folder, config.epochs, "val_error_samples", used, verbose)
    if not used.is_main_process:
        return FinetunedRun(folder, config)

    classifier = used.unwrap(classifier)
    classifier.load_weights(folder / BEST_FILE)
    save_model(folder / "classifier.keras", classifier)
    scores, estimate = _score(classifier, data["test"], config.speed_of_sound)
    metrics = {
        "test": scores,
        "test_signals": len(estimate),
        "labels": len(chosen),
        "parameters": classifier.count_params(),
    }
    write_json(folder / "metrics.json", metrics)
    # What export and other programs need, so that a run folder stands on its own.
    listed = order[:NUM_CALIBRATION]
    calibration = {"signal": signals[listed], "onset": onset[listed], "index": listed}
    save_arrays(folder / "calibration.npz", calibration)
    test = {"signal": data["test"][0], "onset": data["test"][1], "estimate": estimate}
    save_arrays(folder / "test.npz", test)
    return FinetunedRun(folder, config, classifier, metrics, test, read_history(folder / "metrics.csv"))


def _score(classifier, labelled, speed_of_sound):
    signals, onset = labelled
    estimate = classifier.predict_tof(signals)["onset"]
    most_likely = classifier.predict_tof(signals, method="argmax")["onset"]
    bin_width = classifier.bin_width
    predicted = onset_to_class(most_likely, bin_width, classifier.num_classes)
    return score_onsets(onset, estimate, bin_width, classifier.sampling_rate, speed_of_sound, predicted), estimate
