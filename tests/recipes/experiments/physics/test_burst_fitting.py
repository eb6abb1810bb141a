import dataclasses

import numpy as np
import pytest

from keras_usmae.signals import SignalConfig, standardize, synthesize
from recipes.experiments.physics.burst_fitting import fit_bursts
from recipes.experiments.physics.counterfactual import broken_bursts, burst_patches

CONFIG = dataclasses.replace(SignalConfig.from_preset("paper"), signal_length=1024, envelopes=("damped",))


@pytest.fixture(scope="module")
def made():
    return broken_bursts(CONFIG, 12, seed=0)


@pytest.fixture(scope="module")
def every_other():
    return np.tile(np.arange(1024) // 32 % 2 == 1, (12, 1))


def burst_error(made, kind, every_other):
    """Median over the signals of the error on masked patches of the burst, as a share of predicting nothing."""
    signals = standardize(made["signals"][kind])
    filled = fit_bursts(signals, every_other, CONFIG)
    np.testing.assert_array_equal(filled[~every_other], signals[~every_other])
    burst = every_other & np.repeat(burst_patches(made["burst_start"], made["burst_length"], 32, 32), 32, axis=1)
    return np.median(
        [np.sum((f - s)[b] ** 2) / np.sum(s[b] ** 2) for f, s, b in zip(filled, signals, burst, strict=True)]
    )


def test_possible_bursts_are_filled_in_to_the_noise_and_broken_ones_are_not(made, every_other):
    assert burst_error(made, "possible", every_other) < 0.02
    assert burst_error(made, "polarity", every_other) > 0.5


def test_removed_samples_are_not_looked_at(made, every_other):
    signals = standardize(made["signals"]["possible"])[:2]
    other = np.where(every_other[:2], 1e3, signals).astype("float32")
    filled = fit_bursts(signals, every_other[:2], CONFIG)
    np.testing.assert_array_equal(fit_bursts(other, every_other[:2], CONFIG), filled)


def test_without_a_visible_burst_nothing_is_put_there():
    signals = standardize(synthesize(dataclasses.replace(CONFIG, onset_range=(300, 301)), 2, seed=1)["signal"])
    removed = np.zeros((2, 1024), bool)
    removed[:, 288:768] = True
    removed[:, 1000:] = True
    filled = fit_bursts(signals, removed, dataclasses.replace(CONFIG, onset_range=(250, 350)))
    assert np.abs(filled[:, 288:768]).max() < 0.5 * np.abs(signals).max()
