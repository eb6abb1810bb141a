"""Sizes of encoder and decoder: the named ones in `keras_usmae/presets`, or those of a JSON file."""

import json
from importlib import resources
from pathlib import Path


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
        name: str, a name from `preset_names()`, or the path of a `.json` file with the constructor arguments of
            `"encoder"` and `"decoder"`, such as `recipes/tune.py` writes; or these as a dict.

    Returns:
        dict with the constructor arguments of `"encoder"` and `"decoder"`.

    Raises:
        ValueError: if there is no preset of that name, or the file does not hold one.
        FileNotFoundError: if there is no such file.

    Example:

    ```python
    load_preset("small")["encoder"]["hidden_dim"]  # 128
    ```
    """
    if isinstance(name, dict):
        return {part: dict(name[part]) for part in ("encoder", "decoder")}
    if str(name).endswith(".json"):
        return _read_preset(Path(name))
    if name not in preset_names():
        raise ValueError(
            f"Unknown preset {name!r}; the presets are {', '.join(preset_names())}. For other sizes, construct "
            "`MAEEncoder` and `MAEDecoder` with their arguments, or write these to a .json file."
        )
    return json.loads((resources.files("keras_usmae.presets") / f"{name}.json").read_text())


def _read_preset(path):
    if not path.is_file():
        raise FileNotFoundError(f"There is no preset file {path}. The named presets are {', '.join(preset_names())}.")
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"The preset file {path} is not JSON: {error}") from error
    parts = {part: content.get(part) if isinstance(content, dict) else None for part in ("encoder", "decoder")}
    if missing := [part for part, arguments in parts.items() if not isinstance(arguments, dict)]:
        raise ValueError(
            f"The preset file {path} must hold constructor arguments of 'encoder' and 'decoder'; it lacks {missing}."
        )
    return parts
