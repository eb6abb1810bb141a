"""What the pictures keep of a stream of traces."""

import numpy as np
import pytest

from keras_usmae.picker.drawn import EvenSample, TimeGrid, Worst


@pytest.mark.parametrize("count", [1, 5, 24, 25, 1000, 12345])
def test_a_sample_is_spread_evenly_over_a_stream_of_any_length(count):
    sample = EvenSample(6)
    for number in filter(sample.wants, range(count)):
        sample.add(number, number)
    items = sample.items()
    assert len(items) == min(count, 6)
    assert items[0] == 0
    assert items[-1] > 0.7 * (count - 1) or count == 1
    assert np.ptp(np.diff(items)) <= max(0.2 * count, 1) if count > 2 else True
    assert len(sample._kept) <= 24

    foreseen, taken = EvenSample(6, at_least=count), 0
    for number in filter(foreseen.wants, range(count)):
        foreseen.add(number, number)
        taken += 1
    assert foreseen.items() == items
    assert taken <= 24


def test_the_worst_are_kept_in_order_and_of_neighbours_one():
    worst = Worst(3, apart=10)
    values = np.random.default_rng(0).permutation(1000) / 1000
    for number, value in enumerate(values):
        if worst.wants(number, value):
            worst.add(number, value, (number, value))
    kept = worst.items()
    assert kept == sorted(kept, key=lambda item: item[1])
    assert kept[0][1] == 0
    assert len({number // 10 for number, _ in kept}) == 3


def test_no_echo_is_lost_between_the_columns_of_a_b_scan():
    signal = np.zeros(10_000)
    signal[7777] = 5.0
    line = TimeGrid(0.0, 100e-6, 100).to_line(signal, 100e6, 0.0)
    assert line.shape == (100,)
    assert line.argmax() == 77
    assert line.max() == 5.0


def test_a_record_that_ends_early_leaves_its_columns_empty():
    line = TimeGrid(0.0, 10e-6, 10).to_line(np.arange(500.0), 100e6, 1e-6)
    assert np.isnan(line).tolist() == [True] + [False] * 5 + [True] * 4
