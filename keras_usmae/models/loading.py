"""Loading of saved models that may be anybody's: what is wrong with a file is told in one line, and soon."""

import json
import zipfile
from pathlib import Path

import keras
import numpy as np

from keras_usmae.registration import PACKAGE

_MAX_CONFIG = 2**22  # bytes; those of the presets have some ten thousand
_MAX_TOTAL = 2**33


def load_trained(path, *classes):
    """Loads a saved model for prediction, or as a start, if it is one of the expected kind.

    The kind is read from the file before anything is built, and sizes that no machine can hold are refused; see
    `check_sizes`. No code in the file is run.

    Args:
        path: path of a `.keras` file.
        *classes: classes of this package, of which it must be one.

    Returns:
        The model, not compiled.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read, holds another model, or weights that are not finite.

    Example:

    ```python
    encoder = load_trained("runs/mine/encoder.keras", MAEEncoder)
    ```
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no saved model at {path}.")
    expected = " or ".join(cls.__name__ for cls in classes)
    try:
        found = _kind(path)
        if found not in {f"{PACKAGE}>{cls.__name__}" for cls in classes}:
            raise ValueError(f"it holds a {str(found).rpartition('>')[2]}, where {expected} is expected")
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:  # whatever an edited file makes Keras stumble over
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"{path} cannot be loaded: {reason} ({type(error).__name__}).") from error
    for weight in model.weights:
        if not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
            raise ValueError(
                f"{path} holds weights that are not finite, first in {weight.path}: its training went wrong, or the "
                "file was changed. Take another one."
            )
    return model


def _kind(path):
    """Registered name of the class of a saved model."""
    with zipfile.ZipFile(path) as archive:
        sizes = {item.filename: item.file_size for item in archive.infolist()}
        config, total = (size / 1e6 for size in (sizes.get("config.json", 0), sum(sizes.values())))
        if config > _MAX_CONFIG / 1e6 or total > _MAX_TOTAL / 1e6:
            raise ValueError(f"it unpacks to {total:,.0f} MB, {config:,.0f} MB of them configuration")
        with archive.open("config.json") as file:
            # The size that is stated may be a lie.
            text = file.read(_MAX_CONFIG + 1)
    if len(text) > _MAX_CONFIG:
        raise ValueError("its configuration is larger than it states")
    config = json.loads(text)
    if not isinstance(config, dict):
        raise ValueError(f"its configuration is a {type(config).__name__}")
    return config.get("registered_name") or config.get("class_name")
