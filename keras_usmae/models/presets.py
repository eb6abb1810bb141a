"""Presets: sizes of encoder and decoder, by name or from a JSON file, and the trained weights of some."""

import json
from importlib import resources
from pathlib import Path

from keras_usmae.fields import did_you_mean
from keras_usmae.renamed import current_names
from keras_usmae.user_files import read_json

WEIGHTS_SUFFIX = ".weights.h5"
# Weights of a whole `EchoDetector`, whose encoder is a start too.
PICKER = "picker"
_WIDTHS = ("hidden_dim", "num_heads", "head_dim", "num_layers", "mlp_dim", "activation")
_SIZES = {
    "encoder": ("signal_length", "patch_size", *_WIDTHS, "dropout", "position", "normalization", "stem_dim"),
    "decoder": (*_WIDTHS, "prediction_ratio"),
}


def preset_names():
    """Names that `from_preset` takes.

    Returns:
        tuple of str, from the smallest to the largest.

    Example:

    ```python
    preset_names()  # ("nano", "nano_patch16", "nano_mcu", "tiny", "tiny_patch64", "small", "base")
    ```
    """
    files = (path for path in resources.files("keras_usmae.presets").iterdir() if path.name.endswith(".json"))
    contents = {path.name.removesuffix(".json"): json.loads(path.read_text()) for path in files}
    configs = {name: content for name, content in contents.items() if "encoder" in content}
    return tuple(sorted(configs, key=lambda name: (configs[name]["encoder"]["hidden_dim"], name)))


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


def preset_of(encoder):
    """The preset whose sizes an encoder has; its signal length may differ.

    Args:
        encoder: `MAEEncoder`, or another layer or model with the attributes of one.

    Returns:
        str, a name from `preset_names()`, or `None`.

    Example:

    ```python
    preset_of(MAEEncoder.from_preset("nano", patch_size=16))  # "nano_patch16"
    ```
    """
    for name in preset_names():
        sizes = {key: value for key, value in load_preset(name)["encoder"].items() if key != "signal_length"}
        if all(getattr(encoder, key, None) == value for key, value in sizes.items()):
            return name
    return None


def preset_weights(name):
    """Names of the trained weights that come with the package for a preset.

    Each has a model card beside it, `keras_usmae/presets/PRESET_WEIGHTS.md`: data, schedule, results, limits.

    Args:
        name: str, a name from `preset_names()`. A file of sizes has none.

    Returns:
        tuple of str.
    """
    files = {path.name for path in resources.files("keras_usmae.presets").iterdir()}
    start = f"{name}_"
    for other in preset_names():
        if other.startswith(start):  # nano_patch16 is no kind of weights of nano
            files -= {file for file in files if file.startswith(f"{other}_")}
    return tuple(
        sorted(
            file.removeprefix(start).removesuffix(WEIGHTS_SUFFIX)
            for file in files
            if file.startswith(start) and file.endswith(WEIGHTS_SUFFIX)
        )
    )


def picker_names():
    """Names that `EchoDetector.from_preset` takes: the presets with a trained picker.

    Returns:
        tuple of str, from the smallest to the largest.
    """
    return tuple(name for name in preset_names() if PICKER in preset_weights(name))


def load_preset_weights(encoder, name, weights):
    """Loads trained weights into an encoder of a preset's sizes.

    Args:
        encoder: `MAEEncoder`. Its signal length may differ from the preset's: the tables of positions are its own.
        name: str, a name from `preset_names()`.
        weights: str, a name from `preset_weights(name)`.

    Raises:
        ValueError: if the preset has no such weights, or they do not fit the encoder.
    """
    if weights not in preset_weights(name):
        known = {preset: preset_weights(preset) for preset in preset_names() if preset_weights(preset)}
        listing = "; ".join(f"{preset}: {', '.join(names)}" for preset, names in known.items())
        raise ValueError(
            f"The preset {name!r} has no weights {weights!r}. There are {listing or 'none'}. Make others with "
            "recipes/pretrain.py, and load its encoder.keras."
        )
    trained = _trained_encoder(type(encoder), name, weights)
    theirs, ours = trained.trainable_weights, encoder.trainable_weights
    if [tuple(weight.shape) for weight in theirs] != [tuple(weight.shape) for weight in ours]:
        raise ValueError(
            f"The weights {weights!r} of {name!r} fit no encoder of other sizes: only `signal_length`, `dropout` and "
            "`dtype` may differ from the preset. Leave the other arguments out, or start from fresh weights."
        )
    for weight, value in zip(ours, theirs, strict=True):
        weight.assign(value)


def _trained_encoder(encoder_class, name, weights):
    if weights == PICKER:
        from keras_usmae.models.echo_detector import EchoDetector  # here: it is built on the encoder, which asks us

        return EchoDetector.from_preset(name).encoder
    trained = encoder_class(**load_preset(name)["encoder"])
    source = resources.files("keras_usmae.presets") / f"{name}_{weights}{WEIGHTS_SUFFIX}"
    with resources.as_file(source) as path:
        trained.load_weights(path)
    return trained


def _read_preset(path):
    if not path.is_file():
        raise FileNotFoundError(f"There is no preset file {path}. The named presets are {', '.join(preset_names())}.")
    content = read_json(path)
    parts = {part: content.get(part) for part in ("encoder", "decoder")}
    if missing := [part for part, arguments in parts.items() if not isinstance(arguments, dict)]:
        raise ValueError(
            f"The preset file {path} must hold constructor arguments of 'encoder' and 'decoder'; it lacks {missing}."
        )
    parts = {part: current_names(arguments) for part, arguments in parts.items()}
    for part, arguments in parts.items():
        for key in sorted(set(arguments) - set(_SIZES[part])):
            raise ValueError(
                f"The preset file {path} has {part}.{key}, which is none of {_SIZES[part]}."
                f"{did_you_mean(key, _SIZES[part])}"
            )
    return parts
