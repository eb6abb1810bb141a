"""The best configuration of a search, as a file of options for the recipes."""

import os
from pathlib import Path

from keras_usmae.files import write_json


def pretrain_options(settings: dict, dataset: str, epochs: int, signals: int, seed: int) -> dict:
    """Options of `recipes/pretrain.py` that pre-train as a search did.

    Args:
        settings: dict with the settings of `DEFAULTS["pretrain"]`.
        dataset: str, what was pre-trained on.
        epochs: int.
        signals: int, fresh synthetic signals of an epoch; `0` for the stored ones.
        seed: int.
    """
    names = ["patch_size", "mask_ratio", "decoder", "normalize_targets", "learning_rate", "weight_decay", "batch_size"]
    names += ["prediction_ratio"] if settings["decoder"] == "cross" else []
    options = {name: settings[name] for name in names}
    return {**options, "dataset": dataset, "epochs": epochs, "fresh": signals, "seed": seed}


def finetune_options(
    settings: dict,
    dataset: str,
    epochs: int,
    labels: int,
    bin_width: int,
    seed: int,
    pretrained: str | Path | None = None,
) -> dict:
    """Options of `recipes/finetune.py` that fine-tune as a search did.

    Args:
        settings: dict with the settings of `DEFAULTS["finetune"]`.
        dataset: str, the labelled signals.
        epochs: int.
        labels: int, labelled signals that were used; `0` for all.
        bin_width: int, samples in a ToF class.
        seed: int.
        pretrained: path of the encoder that it began with, or `None`. Defaults to `None`.
    """
    names = ("head", "label_sigma", "augment", "augment_noise", "learning_rate", "weight_decay", "layer_decay")
    options = {name: settings[name] for name in (*names, "batch_size")}
    options |= {"dataset": dataset, "epochs": epochs, "labels": labels, "bin_width": bin_width, "seed": seed}
    return {**options, "pretrained": pretrained or "none"}


def write_best(path: str | Path, parts: dict, **recipes: dict) -> None:
    """Writes a file for `--config` of the recipes, which is also one for their `--preset`.

    Args:
        path: path of the file.
        parts: dict of the constructor arguments of `"encoder"` and `"decoder"`; what lacks a decoder is left out.
        **recipes: a dict of options for each recipe, by its name. A `pretrained` is told relative to the file.
    """
    folder = Path(path).parent.resolve()
    content = dict(parts) if "decoder" in parts else {}
    for recipe, options in recipes.items():
        if options.get("pretrained", "none") != "none":
            relative = os.path.relpath(Path(options["pretrained"]).resolve(), folder)
            options = {**options, "pretrained": relative}
        content[recipe] = options
    write_json(path, content)
