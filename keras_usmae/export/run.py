"""What export takes from a run folder, and from the presets that ship."""

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_usmae.data import load_dataset
from keras_usmae.export.saved_model import in_float32
from keras_usmae.export.synthetic import FIELD_CALIBRATION_SEED, FIELD_JUDGING_SEED, field_signals
from keras_usmae.models import EchoDetector, ToFClassifier, load_trained
from keras_usmae.picker.picker import DETECTOR_FILE

CLASSIFIER_FILE = "classifier.keras"
NUM_CALIBRATION, NUM_SYNTHETIC = 512, 1024


class ExportSignals(NamedTuple):
    """What an export needs beside the model, from `signals_for`.

    Args:
        calibration: array of shape `(n, signal_length)`, raw; it sets the scales of integers.
        signals: array of shape `(m, signal_length)`, raw, that files are scored on.
        onset: array of shape `(m,)`, or `(m, k)` for several echoes a signal, samples.
        source: str, what `signals` are.
    """

    calibration: np.ndarray
    signals: np.ndarray
    onset: np.ndarray
    source: str


def signals_for(
    model: ToFClassifier | EchoDetector,
    run: str | Path | None = None,
    dataset: str = "ultrasound_measured/paper",
    data_dir: str | Path | None = None,
    raw_dir: str | Path | None = None,
) -> ExportSignals:
    """The signals that calibrate the integers of a model's files, and others to score them on.

    A classifier takes both from its run. A detector, which was trained without measured signals, is calibrated on
    synthetic ones, and scored on the test split of the measured set where its originals are at hand, without the
    windows that have another real echo ahead of the labelled one; otherwise on synthetic ones again.

    Args:
        model: `ToFClassifier` or `EchoDetector`.
        run: path of the run folder of a classifier. Defaults to `None`.
        dataset: str, measured set for a detector. Defaults to `"ultrasound_measured/paper"`.
        data_dir: path or `None`, see `load_dataset`. Defaults to `None`.
        raw_dir: path of the originals of the measured set, or `None`. Defaults to `None`.

    Returns:
        `ExportSignals`.

    Raises:
        FileNotFoundError: where a classifier's run lacks its signals.
        ValueError: where they cannot be read, or a classifier comes without its run.
    """
    if isinstance(model, ToFClassifier):
        if run is None:
            raise ValueError("A classifier brings its signals in its run folder. Received: run=None")
        run = Path(run)
        calibration, _ = load_signals(run / "calibration.npz")
        signals, onset = load_signals(run / "test.npz")
        return ExportSignals(calibration, signals, onset, f"the test split of the run {run.name}")
    length = model.encoder.signal_length
    calibration, _ = field_signals(NUM_CALIBRATION, length, FIELD_CALIBRATION_SEED)
    if raw_dir is None:
        source = "synthetic ones of the preset `field`, with all clear echoes of 18 dB and more as labels"
        signals, onset = field_signals(NUM_SYNTHETIC, length, FIELD_JUDGING_SEED)
        return ExportSignals(calibration, signals, onset, source)
    stored = load_dataset(dataset, data_dir, raw_dir)
    source = f"the test split of {dataset}"
    names = ("signal", "onset", "hole_echo")
    arrays = stored.arrays("test", tuple(name for name in names if name in stored.features))
    keep = np.ones(len(arrays["onset"]), bool)
    if "hole_echo" in arrays:  # a picker of first echoes rightly finds the hole
        keep &= ~arrays["hole_echo"].astype(bool).ravel()
        source += ", windows without a drilled hole ahead of the labelled echo"
    return ExportSignals(calibration, arrays["signal"][keep], arrays["onset"][keep], source)


def load_model(folder: str | Path) -> ToFClassifier | EchoDetector:
    """Loads the trained model of a run folder, in float32.

    Args:
        folder: path of a run of recipes/finetune.py, with `classifier.keras`, or of recipes/train_picker.py, with
            `detector.keras`.

    Raises:
        FileNotFoundError: if there is neither file.
        ValueError: if it cannot be read, or holds another model.
    """
    folder = Path(folder)
    for name, kind in ((CLASSIFIER_FILE, ToFClassifier), (DETECTOR_FILE, EchoDetector)):
        if (folder / name).is_file():
            return in_float32(load_trained(folder / name, kind))
    raise FileNotFoundError(
        f"There is no trained model in {folder}: neither {CLASSIFIER_FILE}, which recipes/finetune.py writes when "
        f"training ends, nor {DETECTOR_FILE} of recipes/train_picker.py. For a picker that ships, give --preset nano."
    )


def load_signals(path: str | Path) -> tuple:
    """Reads raw signals and their labelled onsets.

    Args:
        path: path of an `.npz` file with `signal` of shape `(n, signal_length)` and `onset` of shape `(n,)`, samples.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read, or lacks one of the arrays, or they do not belong together.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no {path.name} in {path.parent}, which recipes/finetune.py writes at its end."
        )
    try:
        with np.load(path) as arrays:
            signals, onset = arrays["signal"], np.asarray(arrays["onset"], "float32").ravel()
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not an .npz file with `signal` and `onset` ({error}).") from error
    if len(signals) != len(onset) or not np.isfinite(onset).all():
        raise ValueError(
            f"{path} must hold one finite onset for each signal, but has {len(signals)} signals and {len(onset)} "
            f"onsets, {int((~np.isfinite(onset)).sum())} of them not finite."
        )
    return signals, onset
