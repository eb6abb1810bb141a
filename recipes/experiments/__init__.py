"""The experiments of `run.py`, a file each: which trials it has, how one is run, and what is shown of them."""

import importlib
from typing import Any

# Imported when they are asked for: `--help` and a table of a CSV need none of them, and no Keras.
NAMES = ("baselines", "masking", "sizes", "labels", "budget", "sources", "tasks", "diversity", "decoders", "physics")
_FILES = {"physics": "physics.question"}  # where it is not the name


def find_experiment(name: str) -> Any:
    """The `Experiment` of a name.

    Raises:
        ValueError: where there is none.
    """
    if name not in NAMES:
        raise ValueError(f"Unknown experiment {name!r}; choose one of {', '.join(NAMES)}.")
    return importlib.import_module(f"recipes.experiments.{_FILES.get(name, name)}").EXPERIMENT
