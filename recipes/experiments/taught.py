"""Pickers that learn from measured labels by `teach`, and what they then score."""

import numpy as np

from keras_usmae.configs import TeachConfig
from keras_usmae.evaluation import median_offset
from keras_usmae.models import EchoDetector, load_trained, preset_weights
from keras_usmae.picker import EchoPicker
from keras_usmae.picker.echo_table import EchoTable
from keras_usmae.picker.scale import as_scale
from keras_usmae.picker.settings import DETECTOR_FILE
from keras_usmae.training import LabelledTraces, teach
from recipes.experiments.selections import load_splits, subset
from recipes.experiments.trial import FinishedRun
from recipes.experiments.trials import drawn, held_out_splits, labels_of_others, score

TAUGHT = "ready picker, taught"
CNN_PICKER = "CNN picker"
CNN_TAUGHT = "CNN picker, taught"


def taught_trials(sweep, seed, labels, **changes):
    """The pickers that learn, and beside a taught CNN one that does not; a CNN only where the sweep has one."""
    changes |= {"mode": "taught", "batch_size": TeachConfig.batch_size, "learning_rate": TeachConfig.learning_rate}
    trials = []
    if "picker" in preset_weights(sweep.preset):
        changes["steps"] = TeachConfig.steps
        trials.append(sweep.trial(TAUGHT, seed, labels, pretraining="picker", **changes))
    if sweep.cnn_picker:
        changes |= {"pretraining": FinishedRun(sweep.cnn_picker), "architecture": "cnn"}
        for method, steps in ((CNN_PICKER, 0), (CNN_TAUGHT, TeachConfig.steps)):
            trials.append(sweep.trial(method, seed, labels, **{**changes, "steps": steps}))
    return trials


def run_taught(trial, place):
    """Teaches a picker labels of the data set, from which its constant offset comes too, and scores it."""
    data, rate = load_splits(trial.dataset, place)
    train = subset(data["train"], drawn(trial, data))
    picker = _taught(trial, train)
    offset = median_offset(train["onset"], _pick(picker, train["signal"], rate))
    return _scores(picker, {split: data[split] for split in ("validation", "test")}, rate, place, offset)


def run_taught_left_out(trial, place):
    """As `run_taught` without the labels of one source, whose signals alone are scored, its median error taken out."""
    _, rate = load_splits(trial.dataset, place)
    return _scores(_taught(trial, labels_of_others(trial, place)), held_out_splits(trial, place), rate, place)


def _taught(trial, train):
    ready = trial.pretraining == "picker"
    run = "" if ready else trial.pretraining.run
    detector = EchoDetector.from_preset(trial.preset) if ready else load_trained(f"{run}/{DETECTOR_FILE}", EchoDetector)
    if trial.steps:
        table = EchoTable.of_sure(np.arange(len(train["onset"])), train["onset"])
        labelled = LabelledTraces(train["signal"].__getitem__, train["signal"].shape[1], table, as_scale(1))
        config = TeachConfig(trial.steps, trial.batch_size, trial.learning_rate, trial.seed)
        teach(detector, [labelled], config)
    return EchoPicker(detector)


def _pick(picker, signals, rate):
    """First picks, NaN where there is none."""
    return picker.pick(signals, rate, scale=1).first().of_each_trace("onset")


def _scores(picker, splits, rate, place, offset=None):
    """Scores of several splits, with one offset taken out, or that of each of them."""
    result = {}
    for split, arrays in splits.items():
        estimate = _pick(picker, arrays["signal"], rate)
        own = median_offset(arrays["onset"], estimate) if offset is None else offset
        result |= score(arrays, estimate, None, rate, place, f"{split}_", own)
    return result
