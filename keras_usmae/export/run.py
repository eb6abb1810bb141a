"""What export takes from a run folder of fine-tuning."""

import zipfile
from pathlib import Path

import numpy as np

from keras_usmae.export.saved_model import in_float32
from keras_usmae.models import ToFClassifier, load_trained


def load_classifier(path):
    """Loads a trained classifier, in float32.

    Args:
        path: path of a `.keras` file that holds a `ToFClassifier`.

    Returns:
        `ToFClassifier`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read, or holds another model.

    Example:

    ```python
    classifier = load_classifier("runs/mine/classifier.keras")
    ```
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no trained classifier at {path}. Export takes the run folder of recipes/finetune.py, which "
            "writes it when training ends."
        )
    return in_float32(load_trained(path, ToFClassifier))


def load_signals(path):
    """Reads raw signals and their labelled onsets.

    Args:
        path: path of an `.npz` file with `signal` of shape `(n, signal_length)` and `onset` of shape `(n,)`, samples.

    Returns:
        A tuple `(signals, onset)` of arrays.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read, or lacks one of the arrays, or they do not belong together.

    Example:

    ```python
    signals, onset = load_signals("runs/mine/test.npz")
    ```
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
