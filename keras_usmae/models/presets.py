"""Named sizes of encoder and decoder, read from `keras_usmae/presets`."""

import json
from importlib import resources


def preset_names():
    """Names that `from_preset` takes.

    Returns:
        tuple of str, from the smallest to the largest.

    Example:

    ```python
    preset_names()  # ("nano", "tiny", "small", "base")
    ```
    """
    files = (path for path in resources.files("keras_usmae.presets").iterdir() if path.name.endswith(".json"))
    configs = {path.name.removesuffix(".json"): json.loads(path.read_text()) for path in files}
    return tuple(sorted(configs, key=lambda name: configs[name]["encoder"]["hidden_dim"]))


def load_preset(name):
    """Reads the configuration of a preset.

    Args:
        name: str, a name from `preset_names()`.

    Returns:
        dict with the constructor arguments of `"encoder"` and `"decoder"`.

    Raises:
        ValueError: if there is no preset of that name.

    Example:

    ```python
    load_preset("small")["encoder"]["hidden_dim"]  # 128
    ```
    """
    if name not in preset_names():
        raise ValueError(
            f"Unknown preset {name!r}; the presets are {', '.join(preset_names())}. For other sizes, construct "
            "`MAEEncoder` and `MAEDecoder` with their arguments."
        )
    return json.loads((resources.files("keras_usmae.presets") / f"{name}.json").read_text())
