"""The ceiling of the labels as a row beside the trainings of an experiment; see `keras_usmae.evaluation.label_ceiling`.

Only the measured labels state a sigma. Whoever scores above the ceiling knows the labels' own habits.
"""

import numpy as np

from keras_usmae.data import load_dataset
from keras_usmae.evaluation import label_ceiling
from recipes.experiments.mixtures import recorded_by

CEILING = "ceiling of the labels"
BIN_WIDTH = 16
FEATURES = ("signal", "onset", "onset_sigma", "source", "snr_db", "clipped", "hole_echo")


def ceiling_rows(dataset, place, held_out=()):
    """Rows for the CSV of an experiment, with the names of its scores; none where the labels state no sigma.

    Args:
        dataset: str, its name.
        place: `Place`.
        held_out: sequence of str, transducers or sources that have a row each. Defaults to `()`, one row for all.

    Returns:
        A list of dicts: `"method"`, `"dataset"`, `"seed"`, `"held_out"` where asked for, and scores of each split.

    Example:

    ```python
    ceiling_rows("ultrasound_measured/paper", Place(Path("runs")))[0]["test_accuracy"]  # 0.827
    ```
    """
    stored = load_dataset(dataset, place.data_dir, place.raw_dir)
    if not set(FEATURES) <= set(stored.features):
        return []
    splits = {split: stored.arrays(split, FEATURES) for split in ("train", "validation", "test")}
    rows = []
    for name in held_out or (None,):
        row = {"method": CEILING, "dataset": dataset, "seed": 0} | ({"held_out": name} if name else {})
        for split, arrays in splits.items():
            mine = recorded_by(arrays, stored.sources, name) if name else np.ones(len(arrays["onset"]), bool)
            row |= _scores(arrays, mine, split)
        rows.append(row)
    return rows


def _scores(arrays, mine, split):
    """Scores of one split: all, bias-free, without a hole, and unclipped at 18 to 38 dB."""
    fair = ~arrays["clipped"] & (arrays["snr_db"] >= 18) & (arrays["snr_db"] <= 38)
    plain = ~arrays["hole_echo"]
    groups = {"": mine, "bias_free_": mine, "bias_free_without_hole_": mine & plain, "unclipped_": mine & fair}
    found = {}
    for prefix, rows in groups.items():
        if rows.any():
            scores = label_ceiling(arrays["onset"][rows], arrays["onset_sigma"][rows], BIN_WIDTH)
            found |= {f"{split}_{prefix}{name}": value for name, value in scores.items()}
    return found


def apart(rows):
    """The rows of trainings and pickers, and those of the ceiling."""
    parts = ([], [])
    for row in rows:
        parts[row["method"] == CEILING].append(row)
    return parts
