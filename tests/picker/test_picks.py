import dataclasses
import math

import numpy as np
import pytest

from keras_usmae.picker import Picks, Scale
from tests.made_picks import picks_of

PICKS = picks_of(
    [
        (0, 0, 100, 0.9, 1.0),
        (0, 1, 200, 0.8, 40.0),
        (0, 2, 300, 0.7, 5.0),
        (2, 0, 150, 0.6, 7.0),
        (2, 1, 250, 0.9, 7.0),
        (3, 0, 50, 0.9, 2.0),
    ]
)


def test_first_leaves_out_weak_clutter_ahead_of_an_echo():
    np.testing.assert_array_equal(PICKS.first().onset, [200, 150, 50])  # the one at 100 is 32 dB below the strongest
    np.testing.assert_array_equal(PICKS.first(within_db=33).onset, [100, 150, 50])
    np.testing.assert_array_equal(PICKS.first(within_db=math.inf).onset, [100, 150, 50])
    np.testing.assert_array_equal(PICKS.first(within_db=0).onset, PICKS.strongest().onset)


def test_strongest_is_the_earlier_of_two_that_are_equal():
    np.testing.assert_array_equal(PICKS.strongest().onset, [200, 150, 50])


def test_nth_counts_from_the_earliest():
    np.testing.assert_array_equal(PICKS.nth(0).onset, [100, 150, 50])
    np.testing.assert_array_equal(PICKS.nth(1).onset, [200, 250])
    assert len(PICKS.nth(3)) == 0


def test_a_gate_holds_its_start_and_not_its_stop():
    gate = PICKS.within(PICKS.tof[0], PICKS.tof[1])
    np.testing.assert_array_equal(gate.onset, [100, 150])
    assert gate.num_traces == 4
    np.testing.assert_array_equal(PICKS.within(90e-6, 120e-6).first().onset, [100])  # no stronger echo in the gate


def test_picks_of_a_trace():
    np.testing.assert_array_equal(PICKS.of_trace(0).onset, [100, 200, 300])
    np.testing.assert_array_equal(PICKS.of_trace(-1).onset, [50])
    assert len(PICKS.of_trace(1)) == 0
    with pytest.raises(IndexError, match="no trace 4: the recording has 4"):
        PICKS.of_trace(4)


def test_one_value_for_each_trace():
    np.testing.assert_array_equal(PICKS.first().of_each_trace("onset"), [200, np.nan, 150, 50])
    assert PICKS.first().of_each_trace("interval").shape == (4, 2)
    with pytest.raises(ValueError, match="several picks"):
        PICKS.of_each_trace("onset")
    with pytest.raises(ValueError, match="name='depth'"):
        PICKS.first().of_each_trace("depth")


def test_blocks_join_to_what_the_whole_would_have_given():
    joined = Picks.concatenate([PICKS, picks_of([], num_traces=2), PICKS])
    assert joined.num_traces == 10
    np.testing.assert_array_equal(joined.trace, [*PICKS.trace, *(PICKS.trace + 6)])
    np.testing.assert_array_equal(joined.reason, [*PICKS.reason, "no echo", "no echo", *PICKS.reason])


def test_blocks_of_different_scales_do_not_join():
    other = dataclasses.replace(PICKS, scale=Scale(4, 1, 2.25e6, 70.0, "by hand"))
    with pytest.raises(ValueError, match="`choose_scale`"):
        Picks.concatenate([PICKS, other])
    with pytest.raises(ValueError, match="no block"):
        Picks.concatenate([])


@pytest.mark.parametrize(
    ("choose", "message"),
    [
        (lambda: PICKS.first(within_db=-1), "within_db=-1"),
        (lambda: PICKS.nth(-1), "echo=-1"),
        (lambda: PICKS.within(2e-6, 1e-6), "stop=1e-06"),
    ],
)
def test_choices_that_make_no_sense(choose, message):
    with pytest.raises(ValueError, match=message):
        choose()


def test_nothing_can_be_chosen_from_no_picks():
    empty = picks_of([], num_traces=2)
    for chosen in (empty.first(), empty.strongest(), empty.nth(0), empty.within(0, 1)):
        assert len(chosen) == 0
        np.testing.assert_array_equal(chosen.of_each_trace("tof"), [np.nan, np.nan])
    assert len(picks_of([], num_traces=0).first().of_each_trace("tof")) == 0


def test_the_nearest_pick_to_a_time_of_each_trace():
    picks = picks_of([(0, 0, 100, 0.9, 1.0), (0, 1, 200, 0.8, 1.0), (1, 0, 50, 0.9, 1.0), (2, 0, 70, 0.9, 1.0)])
    at = picks.of_trace(0).tof
    label = np.array([0.4 * at[0] + 0.6 * at[1], 0.0, np.nan, 1.0])
    nearest = picks.nearest(label)
    assert nearest.trace.tolist() == [0, 1]  # none for a trace without a time, or without a pick
    assert nearest.tof.tolist() == [at[1], picks.of_trace(1).tof[0]]
