import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from keras_usmae.picker.echo_table import SURE, EchoTable, hold_out


def test_a_fifth_is_held_out_in_stretches_and_stays_so():
    trace = np.arange(0, 3200, 3)
    held = hold_out(trace)
    assert 0.1 < held.mean() < 0.3
    for stretch in np.unique(trace // 16):
        assert len(set(held[trace // 16 == stretch])) == 1
    few = trace[::7]
    np.testing.assert_array_equal(hold_out(few), held[::7])


@given(st.lists(st.integers(0, 400), min_size=8, max_size=120))
def test_enough_is_left_to_learn_from_and_never_most_is_held_out(traces):
    traces = np.array(traces)
    held = hold_out(traces)
    assert held.sum() <= 0.4 * len(traces)
    assert (~held).sum() >= 6
    for stretch in np.unique(traces // 16):
        assert len(set(held[traces // 16 == stretch])) == 1


def test_of_a_single_stretch_nothing_is_held_out():
    assert not hold_out(np.arange(8)).any()  # else there would be nothing to learn from
    lopsided = hold_out(np.array([0, 1, 2, 3, 4, 5, 6, 400]))
    assert lopsided.tolist() == [False] * 7 + [True]


def test_groups_are_held_out_whole_and_a_new_one_changes_nothing():
    group = [name for name in "abcdefghij" for _ in range(5)]
    held = hold_out(np.arange(50), group)
    assert 5 <= held.sum() <= 20
    again = hold_out(np.arange(52), [*group, "k", "k"])
    np.testing.assert_array_equal(again[:50], held)


def test_rows_of_one_echo():
    table = EchoTable.of_sure(np.array([4, 7, 9]), np.array([10.0, 20.0, 30.0]))
    some = table.select(table.onset > 15)
    assert some.trace.tolist() == [7, 9]
    assert (some.mark == SURE).all()
    assert (some.gate == 0).all()
    assert len(some) == 2
