"""Spaces are read whole, declared with their conditions, and refused with a reason."""

import keras_tuner
import numpy as np
import pytest
from keras_tuner import HyperParameters

from keras_usmae.tuning import DEFAULTS, SearchSpace, check_objective
from keras_usmae.tuning.objectives import finite_scores

SPACE = {
    "size": {"choice": ["nano", "free"]},
    "hidden_dim": {"choice": [16, 24], "when": {"size": "free"}},
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "layer_decay": {"choice": [0.65, 0.8, 1]},
}


@pytest.mark.parametrize("task", ["finetune", "pretrain"])
def test_shipped_spaces_hold_the_settings_of_the_issue(task):
    space = SearchSpace.load(task)
    wanted = {"size", "hidden_dim", "patch_size", "learning_rate", "weight_decay"}
    wanted |= {"layer_decay", "head", "augment"} if task == "finetune" else {"mask_ratio", "decoder"}
    assert wanted <= set(space.dimensions)
    hp = HyperParameters()
    space.declare(hp)
    # Where the space has them, the defaults of the recipe come first.
    same = {name for name, value in space.settings(hp).items() if value == DEFAULTS[task][name]}
    assert same >= {"size", "patch_size"}


def test_conditions_and_defaults():
    space = SearchSpace("finetune", SPACE)
    hp = HyperParameters()
    space.declare(hp)
    assert space.chosen(hp) == {"size": "nano", "learning_rate": 3e-3, "layer_decay": 1.0}
    values = {"size": "free", "hidden_dim": 24, "learning_rate": 2e-3, "layer_decay": 0.8, "tuner/epochs": 3}
    assert space.chosen(values) == {name: value for name, value in values.items() if name != "tuner/epochs"}
    settings = space.settings(values)
    assert (settings["hidden_dim"], settings["num_layers"], settings["head"]) == (24, 3, "per_patch")
    assert set(space.without(["size", "hidden_dim"]).dimensions) == {"learning_rate", "layer_decay"}


def test_values_sent_in_single_precision_are_those_that_were_drawn():
    space = SearchSpace("finetune", SPACE)
    for rate in (1e-4, 0.00123457, 1e-2):
        sent = {"learning_rate": float(np.float32(rate)), "layer_decay": float(np.float32(0.65))}
        assert space.chosen(sent) == {"learning_rate": rate, "layer_decay": 0.65}


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"width": {"choice": [1]}}, "no such setting"),
        ({"head": {"choice": ["mean"]}}, "'mean' is not"),
        ({"size": {"choice": []}}, "at least one value"),
        ({"size": {"choice": ["nano", "nano"]}}, "twice"),
        ({"size": {"pick": ["nano"]}}, "expected a table of some of"),
        ({"size": {"choice": ["nano"], "low": 1}}, "either a choice, or low and high"),
        ({"learning_rate": {"low": 1e-2, "high": 1e-3}}, "low must be a number below high"),
        ({"learning_rate": {"low": 1e-2}}, "low must be a number below high"),
        ({"learning_rate": {"low": 0.0, "high": 1e-3}}, "both ends must be a number above 0"),
        ({"weight_decay": {"low": 0.0, "high": 0.1, "log": True}}, "low above 0"),
        ({"hidden_dim": {"choice": [15]}}, "when = "),
        ({"size": {"choice": ["free"]}, "hidden_dim": {"choice": [15]}}, "an even whole number, but 15"),
        ({"hidden_dim": {"choice": [16]}, "size": {"choice": ["free"]}}, "with size above it"),
        ({"size": {"choice": ["nano", "free"]}, "num_layers": {"choice": [1], "when": {"size": "huge"}}}, "'huge'"),
        ({"augment": {"choice": [False, True]}, "augment_noise": {"choice": [0.1]}}, "counts only where augment"),
        ({"augment": {"choice": [0, 1]}}, "true or false"),
        ({"head": {"choice": ["pooled"], "when": {"decoder": "full"}}}, "not a setting above"),
    ],
)
def test_bad_spaces(tables, message):
    with pytest.raises(ValueError, match=f"the search space, setting.*{message}"):
        SearchSpace("finetune", tables)


def test_bad_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="search space"):
        SearchSpace.load("finetune", tmp_path / "nowhere.toml")
    with pytest.raises(ValueError, match=r"no search space 'chips'.*'chip'"):
        SearchSpace.load("finetune", "chips")
    assert SearchSpace.load("finetune", "chip").dimensions["head_dim"].when == (("size", ("free",)),)
    path = tmp_path / "space.toml"
    path.write_text("[size\n")
    with pytest.raises(ValueError, match="not valid TOML"):
        SearchSpace.load("finetune", path)
    path.write_text("[mask_ratio]\nchoice = [0.5]\n")
    with pytest.raises(ValueError, match="a finetune search has no such setting"):
        SearchSpace.load("finetune", path)
    assert SearchSpace.load("pretrain", path).dimensions["mask_ratio"].choice == (0.5,)
    with pytest.raises(ValueError, match="nothing to search"):
        SearchSpace.load("pretrain", path).without(["mask_ratio"])


def test_objectives():
    assert check_objective("finetune") == ("val_error_samples", "min")
    assert keras_tuner.Objective(*check_objective("pretrain", "probe_within_one_bin")).direction == "max"
    with pytest.raises(ValueError, match=r"Unknown objective 'val_error'.*val_error_samples"):
        check_objective("finetune", "val_error")


def test_a_diverged_training_counts_as_knowing_nothing():
    scores = {"val_error_samples": float("nan"), "val_loss": 1e9, "val_accuracy": float("nan"), "probe_loss": 3.0}
    assert finite_scores(scores, 256, 16) == {
        "val_error_samples": 256.0,
        "val_loss": 2 * np.log(16),
        "val_accuracy": 0.0,
        "probe_loss": 3.0,
    }
