"""What a search can be for, and how bad a trial can be."""

import math

import numpy as np

# Name of the score, and whether its smallest or largest value is best; the first of a task is its default.
OBJECTIVES = {
    "finetune": {
        "val_error_samples": "min",
        "val_within_one_bin": "max",
        "val_accuracy": "max",
        "val_loss": "min",
    },
    "pretrain": {
        "probe_loss": "min",
        "probe_within_one_bin": "max",
        "probe_median_error_samples": "min",
    },
}


def check_objective(task: str, name: str | None = None) -> tuple:
    """Name and direction of what a search optimises.

    Args:
        task: str, `"finetune"` or `"pretrain"`.
        name: str, a score of that task. Defaults to `None`, the first of `OBJECTIVES[task]`.

    Returns:
        A tuple of the name and `"min"` or `"max"`, the arguments of `keras_tuner.Objective`.

    Raises:
        ValueError: if the task has no such score.
    """
    known = OBJECTIVES[task]
    name = name or next(iter(known))
    if name not in known:
        raise ValueError(f"Unknown objective {name!r} of a {task} search. Choose one of {', '.join(known)}.")
    return name, known[name]


def finite_scores(scores: dict, signal_length: int, bin_width: int) -> dict:
    """Scores that a search can compare, also of a training that diverged: none is worse than to know nothing.

    Args:
        scores: dict of floats.

    Returns:
        A dict with the same keys. Errors are at most the signal's length, losses at most twice that of a guess,
        shares at least 0.
    """
    checked = {}
    for name, value in scores.items():
        worst = 0.0
        if name.endswith("error_samples"):
            worst = float(signal_length)
        elif name.endswith("loss"):
            worst = 2 * math.log(signal_length / bin_width)
        if not np.isfinite(value):
            value = worst
        checked[name] = float(value if worst == 0.0 else min(value, worst))
    return checked
