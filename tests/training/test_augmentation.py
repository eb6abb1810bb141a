"""Augmentation moves onsets with their bursts, and adds nothing that looks like a burst."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_usmae.signals import SignalConfig, standardize, synthesize
from keras_usmae.training import augment, augmented
from keras_usmae.training.augmentation import draw_shifts, shift_signals

LENGTH = 2048


@pytest.fixture(scope="module")
def labelled():
    made = synthesize(SignalConfig.from_preset("paper"), 64, seed=3)
    return standardize(made["signal"]), made["onset"].astype("float32")


def test_shift_moves_signal_and_onset_alike(labelled):
    signals, onset = labelled
    shift = draw_shifts(onset, LENGTH, 600, np.random.default_rng(0))
    assert np.abs(shift).max() > 200
    moved, moved_onset = shift_signals(signals, onset, shift)
    for before, after, by in zip(signals, moved, shift, strict=True):
        kept = slice(max(by, 0), LENGTH + min(by, 0))
        np.testing.assert_array_equal(after[kept], before[kept.start - by : kept.stop - by])
    np.testing.assert_allclose(moved_onset, onset + shift)


def test_gaps_hold_noise_and_no_burst():
    rng = np.random.default_rng(0)
    signals = 0.01 * rng.standard_normal((3, LENGTH)).astype("float32")
    onset = np.array([200.0, 900.0, 1900.0], "float32")
    for row, first in zip(signals, onset.astype(int), strict=True):
        row[first : first + 300] += 1.0
    for shift in (-150, 140):
        moved, moved_onset = shift_signals(signals, onset, np.full(3, shift))
        for row, first in zip(moved, moved_onset.astype(int), strict=True):
            assert np.abs(row[: first - 1]).max() < 0.1
            assert np.abs(row[first + 300 :]).max(initial=0.0) < 0.1


@settings(max_examples=60, deadline=None)
@given(onset=st.floats(0, LENGTH - 1), max_shift=st.integers(0, 3000), seed=st.integers(0, 10))
def test_shifted_onsets_stay_inside(onset, max_shift, seed):
    onset = np.full(20, onset, "float32")
    shift = draw_shifts(onset, LENGTH, max_shift, np.random.default_rng(seed))
    assert np.abs(shift).max() <= max_shift
    assert ((onset + shift >= 0) & (onset + shift < LENGTH)).all()


def test_augment_keeps_burst_at_its_onset(labelled):
    signals, onset = labelled
    changed, moved = augment(signals, onset, np.random.default_rng(1))
    np.testing.assert_allclose(changed.std(axis=1), 1.0, atol=1e-3)
    for index, (before, after) in enumerate(zip(signals, changed, strict=True)):
        first, second = int(onset[index]), int(moved[index])
        length = min(LENGTH - first, LENGTH - second, 300)
        correlation = np.corrcoef(before[first : first + length], after[second : second + length])[0, 1]
        assert abs(correlation) > 0.95
    assert not np.allclose(onset, moved)


def test_nothing_asked_for_changes_nothing(labelled):
    signals, onset = labelled
    same, same_onset = augment(signals, onset, np.random.default_rng(0), max_shift=0, noise=(0.0, 0.0), flip=False)
    np.testing.assert_allclose(same, signals, atol=1e-5)
    np.testing.assert_array_equal(same_onset, onset)


def test_epochs_differ_and_repeat_with_the_seed(labelled):
    load_epoch = augmented(labelled, 150, seed=5)
    first, second, again = load_epoch(0), load_epoch(1), augmented(labelled, 150, seed=5)(0)
    assert first[0].shape == (150, LENGTH)
    assert first[0].dtype == np.float32
    assert not np.array_equal(first[1], second[1])
    np.testing.assert_array_equal(first[0], again[0])
