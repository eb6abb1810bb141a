"""Probes: what a frozen encoder's features tell a linear map, or their nearest neighbours, about classes.

Features and labels come as dicts with an array for each of the splits `"train"`, `"validation"` and `"test"`. What has
to be chosen is chosen on the validation split; the test split is scored once. For time of flight see `tof_probes`.
"""

from typing import Any

import numpy as np

from keras_usmae.extras import import_extra
from keras_usmae.signals import check_signals, standardize

SPLITS = ("train", "validation", "test")
TEMPERATURE = 0.07  # of the neighbours' weights, as in Wu et al., 2018


def extract_tokens(encoder: Any, signals: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Encodes raw signals with a frozen encoder.

    Args:
        encoder: a model with `signal_length` and tokens as its output: `MAEEncoder` or `CNNEncoder`.
        signals: array of shape `(n, signal_length)`, in any unit of amplitude; standardised here.

    Returns:
        A float32 NumPy array of shape `(n, num_patches, hidden_dim)`.

    Raises:
        ValueError: if the signals have another length, or samples that are not finite.
    """
    signals = standardize(check_signals(signals, encoder.signal_length))
    return np.asarray(encoder.predict(signals, batch_size=batch_size, verbose=0), dtype="float32")


def pool_tokens(tokens: np.ndarray) -> np.ndarray:
    """Joins the mean and the maximum of each channel over the patches.

    The mean tells what fills a signal (material, noise), the maximum whether something occurs in it once (a flaw),
    which a mean over 64 patches dilutes.

    Args:
        tokens: array of shape `(n, num_patches, dim)`.

    Returns:
        An array of shape `(n, 2 * dim)`.
    """
    tokens = np.asarray(tokens)
    return np.concatenate([tokens.mean(axis=1), tokens.max(axis=1)], axis=1)


def linear_probe(
    features: dict, labels: dict, strengths: tuple[float, ...] = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)
) -> dict:
    """Logistic regression on frozen features, each channel standardised by the training split.

    Args:
        features: dict from split to an array of shape `(n, dim)`.
        labels: dict from split to an int array of shape `(n,)`.
        strengths: tuple of floats, inverse strengths of regularisation (`C` of scikit-learn) to choose from, by
            balanced accuracy on the validation split, of equals the smallest. Defaults to six from `1e-3` to `100`.

    Returns:
        A dict: `"choice"`, the strength; `"validation"` and `"test"`, scores as `score_classes` gives them; and
        `"predicted"`, int array of the classes of the test split.

    Raises:
        ValueError: if a split is missing, features and labels do not match, a feature is not finite, or the training
            split holds one class only.
    """
    import_extra("sklearn", "train")
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, labels = _checked(features, labels)
    candidates = {}
    for strength in sorted(strengths):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))
        model.fit(features["train"], labels["train"])
        candidates[strength] = {split: model.predict(features[split]) for split in ("validation", "test")}
    return _best(candidates, labels)


def knn_probe(features: dict, labels: dict, neighbors: tuple[int, ...] = (1, 3, 5, 10, 20, 50)) -> dict:
    """Vote of the nearest training features by cosine similarity, weighted by `exp(similarity / 0.07)`.

    Args:
        features: dict from split to an array of shape `(n, dim)`.
        labels: dict from split to an int array of shape `(n,)`.
        neighbors: tuple of ints, numbers of neighbours to choose from, by balanced accuracy on the validation split,
            of equals the smallest; those above the number of training signals are left out. Defaults to six from `1`
            to `50`.

    Returns:
        A dict as that of `linear_probe`, with the number of neighbours as `"choice"`.

    Raises:
        ValueError: as `linear_probe`.

    Reference:
        - [Wu et al., 2018](https://arxiv.org/abs/1805.01978), weighted k-nearest-neighbour evaluation
    """
    features, labels = _checked(features, labels)
    counts = usable_neighbors(neighbors, len(features["train"]))
    classes, train = np.unique(labels["train"], return_inverse=True)
    found = {split: nearest(features["train"], features[split], counts[-1]) for split in ("validation", "test")}
    candidates = {}
    for count in counts:
        candidates[count] = {}
        for split, (index, weight) in found.items():
            is_class = train[index[:, :count], None] == np.arange(len(classes))  # (n, k, classes)
            votes = (weight[:, :count, None] * is_class).sum(axis=1)
            candidates[count][split] = classes[votes.argmax(axis=1)]
    return _best(candidates, labels)


def score_classes(labels: np.ndarray, predicted: np.ndarray) -> dict:
    """Scores predicted classes.

    Args:
        labels: int array of shape `(n,)`.
        predicted: int array of shape `(n,)`.

    Returns:
        A dict of floats: `accuracy`; `balanced_accuracy`, the mean over the labelled classes of their recall; and
        `macro_f1`.
    """
    import_extra("sklearn", "train")
    from sklearn.metrics import f1_score

    labels, predicted = np.asarray(labels), np.asarray(predicted)
    recalls = [np.mean(predicted[labels == label] == label) for label in np.unique(labels)]
    return {
        "accuracy": float(np.mean(predicted == labels)),
        "balanced_accuracy": float(np.mean(recalls)),
        "macro_f1": float(f1_score(labels, predicted, average="macro", zero_division=0)),
    }


def nearest(bank: np.ndarray, queries: np.ndarray, count: int) -> tuple:
    """Nearest features by cosine similarity, and their weights.

    Args:
        bank: array of shape `(num_bank, dim)`.
        queries: array of shape `(num_queries, dim)`.
        count: int, neighbours of each query.

    Returns:
        A tuple `(index, weight)` of arrays of shape `(num_queries, count)`, the nearest first.
    """
    import_extra("sklearn", "train")
    from sklearn.neighbors import NearestNeighbors
    from sklearn.preprocessing import normalize

    bank, queries = (normalize(np.asarray(array, dtype="float32")) for array in (bank, queries))
    # On the unit sphere the order by distance is that by cosine, and brute force on it is one matrix product.
    search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(bank)
    distance, index = search.kneighbors(queries)
    return index, np.exp(-(distance**2) / 2 / TEMPERATURE)


def usable_neighbors(neighbors: tuple[int, ...], num_bank: int) -> list[int]:
    """Sorts numbers of neighbours and leaves out those that the bank cannot give.

    Args:
        neighbors: tuple of ints.
        num_bank: int, features in the bank.

    Raises:
        ValueError: if none is left.
    """
    usable = sorted(count for count in neighbors if 1 <= count <= num_bank)
    if not usable:
        raise ValueError(f"None of `neighbors` {tuple(neighbors)} lies in 1..{num_bank}, the features to search in.")
    return usable


def check_splits(features: dict, labels: dict) -> None:
    """Checks that each split has finite features and as many labels.

    Args:
        features: dict from split to an array of shape `(n, ...)`.
        labels: dict from split to an array of shape `(n,)`.

    Raises:
        ValueError: where this is not so.
    """
    for split in SPLITS:
        if split not in features or split not in labels:
            raise ValueError(f"A probe needs features and labels of {SPLITS}; {split!r} is missing.")
        found, expected = np.shape(features[split]), np.shape(labels[split])
        if len(expected) != 1 or found[:1] != expected or not expected[0]:
            raise ValueError(
                f"Split {split!r}: expected one label for each feature, and at least one. Received: features of shape "
                f"{found}, labels of shape {expected}."
            )
        if not np.isfinite(features[split]).all():
            raise ValueError(f"Split {split!r}: features hold NaN or infinity. Did the encoder's training diverge?")


def _checked(features, labels):
    labels = {split: np.asarray(values) for split, values in labels.items()}
    check_splits(features, labels)
    classes = np.unique(labels["train"])
    if len(classes) < 2:
        raise ValueError(f"The training labels hold one class only, {classes[0]}: there is nothing to tell apart.")
    return {split: np.asarray(features[split], "float32").reshape(len(labels[split]), -1) for split in SPLITS}, labels


def _best(candidates, labels):
    """The first candidate of the best balanced accuracy on the validation split, scored on the test split."""
    scores = {name: score_classes(labels["validation"], found["validation"]) for name, found in candidates.items()}
    choice = max(scores, key=lambda name: scores[name]["balanced_accuracy"])
    predicted = candidates[choice]["test"]
    return {
        "choice": choice,
        "validation": scores[choice],
        "test": score_classes(labels["test"], predicted),
        "predicted": predicted,
    }
