"""What export takes from a run folder, and from the presets that ship."""

import zipfile
from pathlib import Path

import numpy as np

from keras_usmae.export.saved_model import in_float32
from keras_usmae.models import EchoDetector, ToFClassifier, load_trained
from keras_usmae.picker.picker import DETECTOR_FILE

CLASSIFIER_FILE = "classifier.keras"


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
