"""Fields of configurations: type, default, help and bounds of a setting, said once.

A procedure takes a frozen dataclass of such fields. The same fields are the options of its command line, the defaults
of a search, and the `config.json` of its run folder.
"""

import dataclasses
import typing
from typing import Any


def setting(
    default: Any, help: str, min: float | None = None, max: float | None = None, flag: str | None = None
) -> Any:
    """A field of a configuration.

    Args:
        help: str, what it is, for documentation and `--help`.
        min: number or `None`, the smallest value. Defaults to `None`.
        max: number or `None`, the largest value. Defaults to `None`.
        flag: str or `None`, its option on a command line. Defaults to `None`, from the field's name.
    """
    return dataclasses.field(default=default, metadata={"help": help, "min": min, "max": max, "flag": flag})


def check_settings(config: Any) -> None:
    """Checks the values of a configuration against the bounds and choices of its fields.

    Args:
        config: dataclass whose fields come from `setting`.

    Raises:
        ValueError: where one is outside of them.
    """
    hints = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if value is None and type(None) in typing.get_args(hints[field.name]):
            continue
        if typing.get_origin(hints[field.name]) is typing.Literal:
            choices = typing.get_args(hints[field.name])
            if value not in choices:
                raise ValueError(f"`{field.name}` must be one of {choices}. Received: {field.name}={value!r}")
        for bound, word, wrong in (
            (field.metadata["min"], "at least", lambda value, bound: not value >= bound),
            (field.metadata["max"], "at most", lambda value, bound: not value <= bound),
        ):
            if bound is not None and wrong(value, bound):
                raise ValueError(f"`{field.name}` must be {word} {bound:g}. Received: {field.name}={value!r}")


def preset_settings(preset: str) -> dict:
    """Sizes that a preset file holds, for the configuration of a run: a changed file is another run.

    Args:
        preset: str, name or file of a preset.

    Returns:
        A dict, empty for a name.
    """
    if not preset.endswith(".json"):
        return {}
    from keras_usmae.models import load_preset  # here: a configuration alone needs no Keras

    return {f"{part}.{key}": value for part, sizes in load_preset(preset).items() for key, value in sizes.items()}


def preset_patch_size(preset: str) -> int:
    """Samples in a patch of a preset, by name or file."""
    from keras_usmae.models import load_preset  # here: as above

    return load_preset(preset)["encoder"].get("patch_size", 32)


def resolve_warmup(warmup_epochs: float | None, epochs: int) -> float:
    """Epochs of warm-up, a twentieth of all by default, checked against those of the training.

    Raises:
        ValueError: where the warm-up is as long as the training.
    """
    if warmup_epochs is None:
        return epochs / 20
    if warmup_epochs >= epochs:
        raise ValueError(f"--warmup-epochs {warmup_epochs:g} must be fewer than --epochs {epochs}.")
    return warmup_epochs
