import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_usmae.signals import SignalConfig, read_transducer
from keras_usmae.training import echo_targets, fresh_echoes

CLEAR, DOUBTFUL, HIDDEN = 2, 1, 0


def targets(onsets, visibility, sigma=8.0):
    return echo_targets(np.array([onsets]), np.array([visibility]), num_bins=128, bin_width=16, sigma=sigma)[0]


@given(st.floats(0, 2047.99), st.floats(0.5, 30))
def test_the_mass_of_a_clear_echo_is_one_wherever_it_begins(onset, sigma):
    assert targets([onset], [CLEAR], sigma).sum() == pytest.approx(1, abs=1e-5)


@given(st.floats(100, 1900))
def test_the_mean_of_the_targets_is_the_onset(onset):
    target = targets([onset], [CLEAR])
    assert (target * (np.arange(128) + 0.5) * 16).sum() == pytest.approx(onset, abs=0.6)


def test_two_echoes_in_one_signal_have_their_mass_each():
    assert targets([200.0, 900.0], [CLEAR, CLEAR]).sum() == pytest.approx(2)


def test_a_doubtful_echo_does_not_count_where_it_may_begin_and_a_hidden_one_is_none():
    target = targets([200.0, 900.0, np.nan], [DOUBTFUL, HIDDEN, HIDDEN])
    assert np.isnan(target[12])
    assert np.isnan(target).sum() <= 5
    assert np.nansum(target) == 0


def test_a_clear_echo_outside_of_the_signal_is_refused():
    with pytest.raises(ValueError, match="sample 2050"):
        targets([2050.0], [CLEAR])


def test_epochs_are_drawn_anew_and_repeat_with_the_seed():
    load = fresh_echoes([SignalConfig.from_preset("field")], 256, seed=3)
    signals, target = load(1)
    again = fresh_echoes([SignalConfig.from_preset("field")], 256, seed=3)(1)
    np.testing.assert_array_equal(signals, again[0])
    np.testing.assert_array_equal(target, again[1])
    assert not np.array_equal(signals, load(2)[0])
    assert signals.dtype == target.dtype == np.float32
    np.testing.assert_allclose(signals.std(axis=1), 1, atol=1e-3)


def test_described_transducers_share_an_epoch_with_the_world():
    worlds = [SignalConfig.from_preset("field"), read_transducer("immersion_2_25mhz")]
    signals, target = fresh_echoes(worlds, 64, seed=0)(0)
    assert signals.shape == (64, 2048)
    assert np.nansum(target) > 64  # the transducer's signals all hold an echo, and more
    with pytest.raises(ValueError, match="evenly"):
        fresh_echoes(worlds, 63, seed=0)
    with pytest.raises(ValueError, match="different lengths"):
        fresh_echoes([worlds[0], read_transducer("air_coupled_40khz")], 64, seed=0)
