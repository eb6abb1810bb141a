import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from keras_usmae.evaluation import score_onsets
from keras_usmae.evaluation.tof_probes import tof_knn_probe, tof_linear_probe

LENGTH, PATCH, BIN = 512, 32, 16
NUM_PATCHES = LENGTH // PATCH


def marked_tokens(size, low=0.0, high=LENGTH, strength=6.0, seed=0):
    """Noise, but for the patch with the onset, whose token tells where in the patch it lies on a circle."""
    rng = np.random.default_rng(seed)
    onset = rng.uniform(low, high, size)
    patch = (onset // PATCH).astype(int)
    tokens = rng.normal(size=(size, NUM_PATCHES, 12))
    angle = np.pi * (onset / PATCH - patch)
    tokens[np.arange(size), patch, :2] += strength * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    tokens[np.arange(size), patch, 2] += strength
    return tokens, onset


def splits(**train):
    made = {"train": marked_tokens(400, seed=1, **train), "validation": marked_tokens(150, seed=2)}
    made["test"] = marked_tokens(200, seed=3)
    return {split: tokens for split, (tokens, _) in made.items()}, {split: onset for split, (_, onset) in made.items()}


@pytest.mark.parametrize("probe", [tof_linear_probe, tof_knn_probe])
def test_marked_onsets_are_found_wherever_they_lie(probe):
    # Trained on the first half of the signal only: what is shared by all patches holds in the second half too.
    tokens, onset = splits(high=LENGTH / 2)
    found = probe(tokens, onset, LENGTH)
    scores = score_onsets(onset["test"], found["onset"], BIN, 100e6, 1480.0, found.get("predicted_class"))
    assert scores["within_one_bin"] > 0.95
    assert scores["median_error_samples"] < 5
    late = onset["test"] > LENGTH / 2
    assert np.median(np.abs(found["onset"] - onset["test"])[late]) < 5


@pytest.mark.parametrize("probe", [tof_linear_probe, tof_knn_probe])
def test_nothing_is_found_in_noise(probe):
    tokens, onset = splits()
    tokens = {split: np.random.default_rng(4).normal(size=values.shape) for split, values in tokens.items()}
    found = probe(tokens, onset, LENGTH)
    scores = score_onsets(onset["test"], found["onset"], BIN, 100e6, 1480.0)
    assert scores["accuracy"] < 0.12  # 1 of 32 bins by chance


def test_with_one_patch_it_is_the_logistic_regression_of_scikit_learn():
    rng = np.random.default_rng(5)
    onset = {split: rng.uniform(0, 64, 120) for split in ("train", "validation", "test")}
    tokens = {split: rng.normal(size=(120, 1, 5)) + values[:, None, None] / 30 for split, values in onset.items()}
    found = tof_linear_probe(tokens, onset, 64, label_sigma=0.0, penalties=(0.01,))
    flat = {split: values[:, 0] for split, values in tokens.items()}
    mean, std = flat["train"].mean(axis=0), flat["train"].std(axis=0)
    reference = LogisticRegression(C=1 / (0.01 * 120), tol=1e-8, max_iter=10000)
    reference.fit((flat["train"] - mean) / std, onset["train"] // BIN)
    log_probabilities = reference.predict_log_proba((flat["test"] - mean) / std)
    logits = found["logits"] - np.log(np.exp(found["logits"]).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(logits, log_probabilities, atol=5e-3)


def test_bins_wider_than_patches():
    tokens, onset = splits()
    found = tof_linear_probe(tokens, onset, LENGTH, bin_width=2 * PATCH, label_sigma=0.0)
    assert found["logits"].shape == (200, LENGTH // 64)
    assert np.mean(found["predicted_class"] == onset["test"] // 64) > 0.95
    with pytest.raises(ValueError, match="neither a multiple"):
        tof_linear_probe(tokens, onset, LENGTH, bin_width=24)


def test_choices_see_the_validation_split_only():
    tokens, onset = splits(strength=2.0)
    for probe in (tof_linear_probe, tof_knn_probe):
        before = probe(tokens, onset, LENGTH)
        after = probe(tokens, {**onset, "test": onset["test"][::-1]}, LENGTH)
        assert before["choice"] == after["choice"]
        np.testing.assert_array_equal(before["onset"], after["onset"])


def test_onsets_outside_of_the_signal_are_refused():
    tokens, onset = splits()
    for probe in (tof_linear_probe, tof_knn_probe):
        with pytest.raises(ValueError, match="outside"):
            probe(tokens, {**onset, "test": onset["test"] + LENGTH}, LENGTH)
