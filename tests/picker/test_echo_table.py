import numpy as np

from keras_usmae.picker.echo_table import SURE, EchoTable, hold_out


def test_a_fifth_is_held_out_in_stretches_and_stays_so():
    trace = np.arange(0, 3200, 3)
    held = hold_out(trace)
    assert 0.1 < held.mean() < 0.3
    for stretch in np.unique(trace // 16):
        assert len(set(held[trace // 16 == stretch])) == 1
    few = trace[::7]
    np.testing.assert_array_equal(hold_out(few), held[::7])
    assert hold_out(np.array([3, 400])).sum() == 1


def test_of_a_single_stretch_nothing_is_held_out():
    assert not hold_out(np.arange(8)).any()  # else there would be nothing to learn from


def test_rows_of_one_echo():
    table = EchoTable.of_sure(np.array([4, 7, 9]), np.array([10.0, 20.0, 30.0]))
    some = table.select(table.onset > 15)
    assert some.trace.tolist() == [7, 9]
    assert (some.mark == SURE).all()
    assert (some.gate == 0).all()
    assert len(some) == 2
