"""Physics or interpolation? How well bursts are filled in that are possible, and ones that are not."""

import dataclasses

import keras
import numpy as np

from keras_usmae.models import MaskedAutoencoder, attention_distance, attention_maps
from keras_usmae.signals import SignalConfig, standardize
from recipes.experiments.physics.burst_fitting import fit_bursts
from recipes.experiments.physics.counterfactual import alternating_noise, broken_bursts, burst_patches
from recipes.experiments.physics.interpolation import INTERPOLATIONS, interpolate_removed

# What fills in without training: the burst that fits the visible samples best, and interpolation.
BURST_FIT = "burst fit"
FILLERS = (BURST_FIT, *INTERPOLATIONS)
MASKS = ("random", "alternating")
# Masked patches that are scored: all of them, those with part of the burst, those of them that end before the jump.
REGIONS = ("all", "burst", "before")
# Only a damped burst cannot run backwards, and only one that rings down cannot end at once.
CONFIG = dataclasses.replace(SignalConfig.from_preset("paper"), envelopes=("damped",))


def draw_physics(encoder, mask_ratio, num_signals, seed):
    """Draws possible and impossible signals, and masks for them.

    Args:
        encoder: `MAEEncoder`, whose signals and patches these have. Signals are those of the paper at 100 MHz: one
            damped burst in white noise.
        mask_ratio: float, share of the patches that is removed.
        num_signals: int, signals of each kind.
        seed: int, seed of signals and masks.

    Returns:
        A dict: `signals`, from a kind of `BURST_KINDS` to standardised signals `(n, signal_length)`; `noise`, from one
        of `MASKS` to what `MaskedAutoencoder.reconstruct` masks by, `(n, num_patches)`; `removed`, from one of `MASKS`
        to bool `(n, num_patches)`; `in_burst` and `before_jump`, bool `(n, num_patches)`; `onset`, in samples, and
        `jump`, first sample behind it, of shape `(n,)`.

    Example:

    ```python
    drawn = draw_physics(mae.encoder, mae.mask_ratio, num_signals=64, seed=0)
    ```
    """
    num_patches, patch_size = encoder.num_patches, encoder.patch_size
    made = broken_bursts(dataclasses.replace(CONFIG, signal_length=encoder.signal_length), num_signals, seed)
    in_burst = burst_patches(made["burst_start"], made["burst_length"], num_patches, patch_size)
    uniform = np.random.default_rng(seed).random(in_burst.shape, dtype=np.float32)
    noise = {"random": uniform, "alternating": alternating_noise(in_burst, seed)}
    num_visible = round(num_patches * (1 - mask_ratio))
    rank = {mask: np.argsort(np.argsort(values, axis=1), axis=1) for mask, values in noise.items()}
    return {
        "signals": {kind: standardize(signals) for kind, signals in made["signals"].items()},
        "noise": noise,
        "removed": {mask: values >= num_visible for mask, values in rank.items()},
        "in_burst": in_burst,
        "before_jump": (np.arange(num_patches) + 1) * patch_size <= made["jump"][:, None],
        "burst_start": made["burst_start"],
        "jump": made["jump"],
    }


def fill_in(method, signals, noise, removed):
    """Fills in masked patches.

    Args:
        method: `MaskedAutoencoder`, or one of `FILLERS`.
        signals: array of shape `(n, signal_length)`, standardised.
        noise: array of shape `(n, num_patches)`, what the autoencoder masks by.
        removed: bool array of shape `(n, num_patches)`, the mask that this gives.

    Returns:
        An array of shape `(n, signal_length)`, the signals with the masked patches filled in.

    Example:

    ```python
    filled = fill_in("linear", drawn["signals"]["cut"], drawn["noise"]["random"], drawn["removed"]["random"])
    ```
    """
    if method in FILLERS:
        hidden = np.repeat(removed, signals.shape[1] // removed.shape[1], axis=1)
        if method == BURST_FIT:
            return fit_bursts(signals, hidden, dataclasses.replace(CONFIG, signal_length=signals.shape[1]))
        return interpolate_removed(signals, hidden, method)
    parts = range(0, len(signals), 64)
    return np.concatenate([method.reconstruct(signals[i : i + 64], noise[i : i + 64])["reconstruction"] for i in parts])


def score_physics(method, drawn):
    """Mean squared errors on masked patches of possible and impossible signals.

    Args:
        method: `MaskedAutoencoder`, or one of `FILLERS`.
        drawn: dict from `draw_physics`.

    Returns:
        A dict of floats, `MASK/KIND/REGION`: one of `MASKS`, of `BURST_KINDS` and of `REGIONS`. On all patches 1.0 is
        predicting nothing; on those with a burst compare with the method `"nothing"`.

    Example:

    ```python
    score_physics("spline", drawn)["random/polarity/burst"]
    ```
    """
    scores = {}
    for mask, removed in drawn["removed"].items():
        inside = removed & drawn["in_burst"]
        regions = dict(zip(REGIONS, (removed, inside, inside & drawn["before_jump"]), strict=True))
        for kind, signals in drawn["signals"].items():
            filled = fill_in(method, signals, drawn["noise"][mask], removed)
            error = np.square((filled - signals).reshape(*removed.shape, -1), dtype=np.float64).mean(axis=2)
            scores |= {f"{mask}/{kind}/{region}": float(error[chosen].mean()) for region, chosen in regions.items()}
    return scores


def random_like(mae, seed):
    """An autoencoder of the same architecture with random weights.

    Args:
        mae: `MaskedAutoencoder`.
        seed: int.

    Example:

    ```python
    untrained = random_like(mae, seed=0)
    ```
    """
    keras.utils.set_random_seed(seed)
    return MaskedAutoencoder.from_config(mae.get_config())


def score_attention(encoder, drawn, num_signals=64):
    """How far each head looks on possible signals, and how much of its attention goes to the burst.

    Args:
        encoder: `MAEEncoder`. It sees whole signals, as after pre-training.
        drawn: dict from `draw_physics`.
        num_signals: int, how many of the signals are looked at. Defaults to `64`.

    Returns:
        A dict of lists `(num_layers, num_heads)`: `distance`, mean attention distance in samples; `inside` and
        `outside`, the share of the attention that goes to patches of the burst, from queries in the burst and from
        those outside of it; and `share`, the share of the patches that hold part of the burst, a float, which is what
        uniform attention gives.

    Example:

    ```python
    score_attention(mae.encoder, drawn)["distance"]
    ```
    """
    in_burst = drawn["in_burst"][:num_signals].astype("float64")
    maps = attention_maps(encoder, drawn["signals"]["possible"][:num_signals])
    to_burst = np.einsum("lnhij,nj->lhni", maps, in_burst)
    return {
        "distance": attention_distance(maps, encoder.patch_size).tolist(),
        "inside": np.average(to_burst, axis=(2, 3), weights=np.broadcast_to(in_burst, to_burst.shape)).tolist(),
        "outside": np.average(to_burst, axis=(2, 3), weights=np.broadcast_to(1 - in_burst, to_burst.shape)).tolist(),
        "share": float(in_burst.mean()),
    }
