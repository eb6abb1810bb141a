"""Signals that a trial takes: whole splits, some of them, those of a task, both classes as often."""

import functools

import numpy as np

from keras_usmae.data import load_dataset
from keras_usmae.signals import standardize


@functools.cache
def load_splits(dataset, place):
    """Arrays of the labelled splits of a dataset, signals standardised, and the sampling rate in Hz.

    Args:
        dataset: str, its name.
        place: `Place`.

    Returns:
        A tuple of a dict from split to a dict of arrays, and a float.
    """
    stored = load_dataset(dataset, place.data_dir, place.raw_dir)
    splits = {split: stored.arrays(split) for split in stored.labelled_splits}
    splits = {split: {**arrays, "signal": standardize(arrays["signal"])} for split, arrays in splits.items()}
    return splits, stored.sampling_rate


def source_names(dataset, place):
    """Names of the sources of a measured dataset."""
    return load_dataset(dataset, place.data_dir, place.raw_dir).sources


def subset(arrays, members):
    """The same members of every array."""
    return {name: values[members] for name, values in arrays.items()}


def task_of(arrays, names, task):
    """Signals and classes, 0 and 1, of a task of `experiments.tasks`, from a split of the measured dataset.

    Flaws are scored on the plane scan, whose every split holds both classes; materials within a pair of scans that one
    transducer recorded, so that the instrument does not tell them apart.
    """
    source = np.asarray(names)[arrays["source"]]
    if task == "flaw":
        members, label = (source == "plane_scan") & (arrays["flaw"] >= 0), arrays["flaw"] == 1
    else:
        pair = {
            "acrylic glass or copper": ("plane_scan", "copper_block"),
            "copper or steel": ("copper_array", "steel_pins"),
        }[task]
        members, label = np.isin(source, pair), source == pair[1]
    return {"signal": arrays["signal"][members], "label": label[members].astype("int32")}


def balanced(arrays, seed):
    """Repeats the signals of the rarer class until both are as many."""
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(arrays["label"] == label) for label in (0, 1)]
    most = max(len(group) for group in groups)
    repeated = [np.concatenate([group, rng.choice(group, most - len(group))]) for group in groups if len(group)]
    return subset(arrays, rng.permutation(np.concatenate(repeated)))
