import numpy as np
import pytest

from keras_usmae.evaluation.probes import extract_tokens, knn_probe, linear_probe, nearest, pool_tokens, score_classes
from keras_usmae.models import MAEEncoder
from keras_usmae.signals import standardize

RNG = np.random.default_rng(0)
SIZES = {"train": 300, "validation": 150, "test": 400}


def clusters(distance, num_classes=3, dim=6):
    """Gaussian clusters of unit variance on the corners of a simplex, and their classes."""
    labels = {split: RNG.integers(num_classes, size=size) for split, size in SIZES.items()}
    corners = np.eye(num_classes, dim) * distance / np.sqrt(2)
    return {split: corners[label] + RNG.normal(size=(len(label), dim)) for split, label in labels.items()}, labels


@pytest.mark.parametrize("probe", [linear_probe, knn_probe])
def test_far_clusters_are_told_apart_and_noise_is_not(probe):
    assert probe(*clusters(12.0))["test"]["accuracy"] > 0.99
    noise = probe(*clusters(0.0))["test"]
    assert 0.2 < noise["balanced_accuracy"] < 0.47  # a third by chance


def test_a_linear_probe_comes_near_to_the_best_that_two_gaussians_allow():
    features, labels = clusters(2.0, num_classes=2)
    # The best possible is Phi(distance / 2) = 0.841.
    assert linear_probe(features, labels)["test"]["accuracy"] == pytest.approx(0.841, abs=0.04)


def test_neighbours_see_what_no_plane_separates():
    angle = {split: RNG.uniform(0, 2 * np.pi, size) for split, size in SIZES.items()}
    labels = {split: (np.floor(values / (np.pi / 4)) % 2).astype(int) for split, values in angle.items()}
    features = {split: np.stack([np.cos(values), np.sin(values)], axis=1) for split, values in angle.items()}
    assert knn_probe(features, labels)["test"]["accuracy"] > 0.95
    assert linear_probe(features, labels)["test"]["accuracy"] < 0.65


def test_the_choice_is_made_on_the_validation_split_only():
    features, labels = clusters(3.0)
    before = linear_probe(features, labels)
    labels["test"] = (labels["test"] + 1) % 3
    after = linear_probe(features, labels)
    assert (before["choice"], before["validation"]) == (after["choice"], after["validation"])
    np.testing.assert_array_equal(before["predicted"], after["predicted"])


def test_strong_regularisation_is_chosen_where_channels_outnumber_signals():
    labels = {split: RNG.integers(2, size=size) for split, size in (("train", 120), ("validation", 3000), ("test", 9))}
    features = {split: label[:, None] * 0.3 + RNG.normal(size=(len(label), 100)) for split, label in labels.items()}
    assert linear_probe(features, labels, strengths=(1e-2, 1e6))["choice"] == 1e-2


def test_class_scores_by_hand():
    scores = score_classes([0, 0, 0, 1], [0, 0, 1, 1])
    assert scores["accuracy"] == 0.75
    assert scores["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert scores["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)


def test_nearest_is_by_cosine_and_the_weights_fall_with_it():
    bank = np.array([[1.0, 0.0], [0.0, 5.0], [3.0, 3.0]])
    index, weight = nearest(bank, np.array([[0.1, 0.0]]), 3)
    assert index.tolist() == [[0, 2, 1]]
    np.testing.assert_allclose(weight[0], np.exp((np.array([1, np.sqrt(0.5), 0]) - 1) / 0.07), rtol=1e-3)


def test_tokens_are_those_of_the_encoder_on_standardised_signals():
    encoder = MAEEncoder(signal_length=128, patch_size=32, hidden_dim=8, num_heads=2, head_dim=4, num_layers=1)
    signals = RNG.normal(size=(5, 128)).astype("float32") * 30 + 7
    tokens = extract_tokens(encoder, signals, batch_size=2)
    assert tokens.dtype == np.float32
    expected = encoder(standardize(signals))
    np.testing.assert_allclose(
        tokens, np.asarray(expected.detach() if hasattr(expected, "detach") else expected), atol=1e-5
    )
    pooled = pool_tokens(tokens)
    assert pooled.shape == (5, 16)
    np.testing.assert_allclose(pooled[:, 8:], tokens.max(axis=1))
    with pytest.raises(ValueError, match="Expected signals of 128 samples"):
        extract_tokens(encoder, signals[:, :100])


def test_bad_input_names_the_split():
    features, labels = clusters(1.0)
    with pytest.raises(ValueError, match="'test' is missing"):
        linear_probe({split: features[split] for split in ("train", "validation")}, labels)
    with pytest.raises(ValueError, match="'validation': expected one label"):
        knn_probe({**features, "validation": features["validation"][:3]}, labels)
    with pytest.raises(ValueError, match="NaN or infinity"):
        linear_probe({**features, "test": features["test"] * np.nan}, labels)
    with pytest.raises(ValueError, match="one class only"):
        knn_probe(features, {**labels, "train": np.zeros(300, int)})
    with pytest.raises(ValueError, match=r"lies in 1\.\.300"):
        knn_probe(features, labels, neighbors=(301,))
