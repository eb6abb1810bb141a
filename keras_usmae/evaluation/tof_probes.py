"""Probes of time of flight: what a frozen encoder's tokens tell about where an echo begins.

Both probes are shared by all patches, as the per-patch head is: a token has to tell whether, and where inside its own
patch, the echo begins. Tokens and onsets come as dicts with an array for each of the splits `"train"`, `"validation"`
and `"test"`; what has to be chosen is chosen on the validation split, and never by the mean error, which far outliers
rule: it preferred a map so weak that it guesses the middle of the signal.
"""

import numpy as np
from keras import ops
from scipy.optimize import minimize
from scipy.special import log_softmax

from keras_usmae.evaluation.probes import SPLITS, check_splits, nearest, usable_neighbors
from keras_usmae.models import ToFCrossentropy, decode_onset
from keras_usmae.signals import onset_to_class


def tof_linear_probe(
    tokens: dict,
    onset: dict,
    signal_length: int,
    bin_width: int = 16,
    label_sigma: float = 12.0,
    penalties: tuple[float, ...] = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6),
) -> dict:
    """One linear map from each token to the bins of its patch, shared by all patches, and a softmax over all bins.

    This is `PerPatchHead` on frozen tokens, fitted to the optimum (the problem is convex) by L-BFGS rather than by
    gradient steps, so that no schedule blurs the comparison of encoders. Channels are standardised by the training
    split; penalties are tried from the strongest on, each fit starting from the one before.

    Args:
        tokens: dict from split to an array of shape `(n, num_patches, dim)`.
        onset: dict from split to an array of shape `(n,)`, samples.
        bin_width: int, samples in a ToF class. Defaults to `16`.
        label_sigma: float, spread of the target in samples; see `ToFCrossentropy`. Defaults to `12.0`.
        penalties: tuple of floats, weights of `|W|^2 / 2` next to the mean cross-entropy to choose from, by the
            cross-entropy of the validation split. Defaults to six from `0.1` to `1e-6`.

    Returns:
        A dict: `"choice"`, the penalty; `"validation_loss"`, the cross-entropy that it was chosen by; and of the test
        split `"onset"`, estimates in samples, `"predicted_class"`, and `"logits"` `(n, num_classes)`, all ready for
        `score_onsets`.

    Raises:
        ValueError: if a split is missing, arrays do not match, a token is not finite, an onset lies outside of the
            signal, or bins and patches do not nest.
    """
    check_splits(tokens, onset)
    num_classes = signal_length // bin_width
    groups = _standardized({split: _group(tokens[split], num_classes) for split in SPLITS})
    for split in SPLITS:
        onset_to_class(onset[split], bin_width, num_classes)
    loss = ToFCrossentropy(bin_width, label_sigma)
    targets, validation_targets = (
        ops.convert_to_numpy(loss.targets(onset[split], num_classes)) for split in ("train", "validation")
    )
    num_groups, dim = groups["train"].shape[1:]
    weights = np.zeros((dim + 1, num_classes // num_groups))
    candidates = {}
    for penalty in sorted(penalties, reverse=True):
        weights = _fit(groups["train"], targets, penalty, weights)
        log_probabilities = log_softmax(_logits(groups["validation"], weights), axis=1)
        candidates[penalty] = float(-np.mean(np.sum(validation_targets * log_probabilities, axis=1))), weights
    choice = min(candidates, key=lambda penalty: candidates[penalty][0])
    validation_loss, weights = candidates[choice]
    logits = _logits(groups["test"], weights)
    return {
        "choice": choice,
        "validation_loss": validation_loss,
        "onset": _decode(logits, bin_width),
        "predicted_class": logits.argmax(axis=1),
        "logits": logits,
    }


def tof_knn_probe(
    tokens: dict,
    onset: dict,
    signal_length: int,
    neighbors: tuple[int, ...] = (1, 3, 5, 10, 20, 50),
    num_negatives: int = 7,
    seed: int = 0,
) -> dict:
    """Asks, for each patch, whether an echo begins in the training patches that look most like it, and where.

    The bank holds of each training signal the token in whose patch the onset lies, with its offset in the patch, and
    some tokens drawn from the other patches. The patch whose neighbours (by cosine, weighted by
    `exp(similarity / 0.07)`) hold the largest share of onsets wins, of equals the earliest; the estimate is its start
    and the weighted mean of their offsets. Comparing whole signals instead would ask for a training signal with the
    same onset.

    Args:
        tokens: dict from split to an array of shape `(n, num_patches, dim)`.
        onset: dict from split to an array of shape `(n,)`, samples.
        neighbors: tuple of ints, numbers of neighbours to choose from, by the mean error on the validation split, each
            error capped at a patch. Defaults to six from `1` to `50`.
        num_negatives: int, tokens without onset in the bank for each one with it. Defaults to `7`: the search takes
            time in proportion (a minute or two on a CPU core for 6,400 training and 3,200 other signals of `nano`).
        seed: int, seed of their draw. Defaults to `0`.

    Returns:
        A dict: `"choice"`, the number of neighbours; `"validation_error"`, the capped error in samples that it was
        chosen by; and `"onset"`, estimates of the test split in samples, NaN where no neighbour of any patch holds an
        onset.

    Raises:
        ValueError: if a split is missing, arrays do not match, a token is not finite, or an onset lies outside of the
            signal.
    """
    check_splits(tokens, onset)
    num_patches = tokens["train"].shape[1]
    patch_size = signal_length / num_patches
    patch = onset_to_class(onset["train"], patch_size, num_patches)
    for split in ("validation", "test"):
        onset_to_class(onset[split], patch_size, num_patches)
    tokens = _standardized(tokens)
    rows = np.arange(len(patch))
    # Each signal's patches in random order, the one with the onset first.
    order = np.random.default_rng(seed).random((len(patch), num_patches))
    order[rows, patch] = -1
    chosen = np.argsort(order, axis=1)[:, : 1 + num_negatives]
    bank = tokens["train"][rows[:, None], chosen]  # (n, 1 + negatives, D)
    offset = np.full(chosen.shape, np.nan)
    offset[:, 0] = onset["train"] - patch * patch_size
    bank = bank.reshape(-1, bank.shape[-1])

    counts = usable_neighbors(neighbors, len(bank))
    found = {
        split: nearest(bank, tokens[split].reshape(len(onset[split]) * num_patches, -1), counts[-1])
        for split in ("validation", "test")
    }
    candidates = {count: _vote(found["validation"], offset.ravel(), count, num_patches, patch_size) for count in counts}
    errors = {  # fmin: a missed onset counts as a patch
        count: float(np.mean(np.fmin(np.abs(estimate - onset["validation"]), patch_size)))
        for count, estimate in candidates.items()
    }
    choice = min(errors, key=errors.__getitem__)
    return {
        "choice": choice,
        "validation_error": errors[choice],
        "onset": _vote(found["test"], offset.ravel(), choice, num_patches, patch_size),
    }


def _vote(found, offset, count, num_patches, patch_size):
    """Onsets in samples from the offsets, NaN without onset, of the neighbours of each patch."""
    index, weight = (array[:, :count].reshape(-1, num_patches, count) for array in found)
    near = offset[index]  # (n, patches, k)
    positive = np.where(np.isfinite(near), weight, 0)
    votes = positive.sum(axis=2)
    winner = (votes / weight.sum(axis=2)).argmax(axis=1)
    rows = np.arange(len(winner))
    votes, inside = votes[rows, winner], (positive * np.nan_to_num(near)).sum(axis=2)[rows, winner]
    with np.errstate(invalid="ignore"):
        return np.where(votes > 0, winner * patch_size + inside / votes, np.nan)


def _group(tokens, num_classes):
    """Joins the tokens of patches that share a bin, as `PerPatchHead` does."""
    tokens = np.asarray(tokens, dtype="float32")
    num_patches = tokens.shape[1]
    if num_classes % num_patches and num_patches % num_classes:
        raise ValueError(
            f"{num_classes} bins are neither a multiple nor a whole fraction of {num_patches} patches. Choose a "
            "`bin_width` that divides the patch size or is a multiple of it."
        )
    return tokens.reshape(len(tokens), min(num_patches, num_classes), -1)


def _standardized(tokens):
    """Channels with the mean 0 and the variance 1 of the training split over its patches."""
    mean = tokens["train"].mean(axis=(0, 1), dtype="float64")
    scale = np.maximum(tokens["train"].std(axis=(0, 1), dtype="float64"), 1e-6)
    return {split: ((tokens[split] - mean) / scale).astype("float32") for split in SPLITS}


def _logits(groups, weights):
    logits = groups @ weights[:-1].astype("float32") + weights[-1].astype("float32")
    return logits.reshape(len(groups), -1)


def _decode(logits, bin_width):
    return ops.convert_to_numpy(decode_onset(ops.convert_to_tensor(logits), bin_width)).astype("float64")


def _fit(groups, targets, penalty, start):
    """Weights `(dim + 1, bins of a group)`, the last row the bias, that minimise cross-entropy and penalty."""
    flat = groups.reshape(-1, groups.shape[-1])

    def value_and_gradient(vector):
        weights = vector.reshape(start.shape)
        log_probabilities = log_softmax(_logits(groups, weights).astype("float64"), axis=1)
        value = -np.sum(targets * log_probabilities) / len(groups) + penalty / 2 * np.sum(weights[:-1] ** 2)
        residual = ((np.exp(log_probabilities) - targets) / len(groups)).reshape(len(flat), -1)
        gradient = np.vstack([flat.T @ residual.astype("float32"), residual.sum(axis=0)])
        gradient[:-1] += penalty * weights[:-1]
        return value, gradient.ravel()

    found = minimize(value_and_gradient, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return found.x.reshape(start.shape)
