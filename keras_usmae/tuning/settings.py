"""The settings that a search may choose, what they mean, and what they are where it does not choose them."""

from keras_usmae.configs import FinetuneConfig, PretrainConfig
from keras_usmae.fields import is_integer, is_number
from keras_usmae.models import load_preset, preset_names
from keras_usmae.models.heads import HEADS
from keras_usmae.models.masked_autoencoder import DECODERS

FREE = "free"
WIDTHS = ("hidden_dim", "num_layers", "num_heads", "head_dim", "mlp_ratio")
ARCHITECTURE = ("size", *WIDTHS, "patch_size")

# Widths are those of `nano`; all else are the defaults of the configurations.
_ARCHITECTURE_DEFAULTS = {
    "size": "nano",
    "hidden_dim": 32,
    "num_layers": 3,
    "num_heads": 2,
    "head_dim": 32,
    "mlp_ratio": 2,
    "patch_size": 32,
}
SEARCHED = {
    "finetune": (
        *("head", "learning_rate", "weight_decay", "layer_decay"),
        *("label_sigma", "augment", "augment_noise", "batch_size"),
    ),
    "pretrain": (
        *("mask_ratio", "decoder", "prediction_ratio", "normalize_targets"),
        *("learning_rate", "weight_decay", "batch_size"),
    ),
}
_CONFIGS = {"finetune": FinetuneConfig().resolved(), "pretrain": PretrainConfig(prediction_ratio=0.5)}
DEFAULTS = {
    task: {**_ARCHITECTURE_DEFAULTS, **{name: getattr(_CONFIGS[task], name) for name in names}}
    for task, names in SEARCHED.items()
}

# Settings that count only where another one has a certain value.
NEEDS = {
    **dict.fromkeys(WIDTHS, ("size", FREE)),
    "prediction_ratio": ("decoder", "cross"),
    "augment_noise": ("augment", True),
}


def _is_whole(value):
    return is_integer(value) and value >= 1


def _is_share(value):
    return is_number(value) and 0 < value <= 1


# Presets that differ in their widths: the patch size is a setting of its own.
SIZES = (*(name for name in preset_names() if load_preset(name)["encoder"]["patch_size"] == 32), FREE)

# What a value of each setting must be, in words and as a test.
CHECKS = {
    "size": (f"one of {list(SIZES)}", lambda value: value in SIZES),
    "hidden_dim": ("an even whole number", lambda value: _is_whole(value) and value % 2 == 0),
    **dict.fromkeys(
        ("num_layers", "num_heads", "head_dim", "mlp_ratio", "patch_size", "batch_size"), ("a whole number", _is_whole)
    ),
    "head": (f"one of {sorted(HEADS)}", lambda value: value in HEADS),
    "decoder": (f"one of {sorted(DECODERS)}", lambda value: value in DECODERS),
    "learning_rate": ("a number above 0", lambda value: is_number(value) and value > 0),
    **dict.fromkeys(
        ("weight_decay", "label_sigma", "augment_noise"),
        ("a number that is not negative", lambda value: is_number(value) and value >= 0),
    ),
    **dict.fromkeys(("layer_decay", "prediction_ratio"), ("a number above 0, at most 1", _is_share)),
    "mask_ratio": ("a number between 0 and 1", lambda value: _is_share(value) and value < 1),
    **dict.fromkeys(("augment", "normalize_targets"), ("true or false", lambda value: isinstance(value, bool))),
}


def resolve_architecture(settings: dict, signal_length: int) -> dict:
    """Sizes of encoder and decoder that settings stand for.

    Args:
        settings: dict with the settings of `ARCHITECTURE`. With the size `"free"` the widths count, and the decoder has
            those of the encoder in two layers, as in the presets up to `small`.
        signal_length: int, samples in a signal.

    Returns:
        dict with the constructor arguments of `"encoder"` and `"decoder"`, as `load_preset` gives them.
    """
    if settings["size"] == FREE:
        sizes = {name: settings[name] for name in ("hidden_dim", "num_heads", "head_dim", "num_layers")}
        sizes["mlp_dim"] = settings["mlp_ratio"] * settings["hidden_dim"]
        parts = {"encoder": sizes, "decoder": {**sizes, "num_layers": 2}}
    else:
        parts = load_preset(settings["size"])
    parts["encoder"] = {**parts["encoder"], "signal_length": signal_length, "patch_size": settings["patch_size"]}
    return parts
