import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from keras_usmae.evaluation import interval_over_records, number_records, split_error


def test_windows_of_one_place_are_one_record():
    source, position = np.array([1, 0, 1, 1]), np.array([[5, 6], [5, 6], [5, 6], [6, 5]])
    numbers = number_records(source, position)
    assert numbers[0] == numbers[2]
    assert sorted(set(numbers)) == [0, 1, 2]


def test_an_interval_over_records_is_that_of_the_textbook():
    rng = np.random.default_rng(0)
    values = rng.normal(3, 2, 400)
    low, high = interval_over_records(values, np.arange(400))
    assert (low, high) == pytest.approx((values.mean() - 0.196, values.mean() + 0.196), abs=0.03)
    # Each record ten times is no more evidence.
    again = interval_over_records(np.repeat(values, 10), np.repeat(np.arange(400), 10))
    assert again == pytest.approx((low, high))


def test_any_statistic_has_an_interval():
    values = np.array([1.0, 2.0, 30.0, np.nan])
    low, high = interval_over_records(values, np.array([0, 1, 2, 2]), np.median, draws=500)
    assert (low, high) == (1.0, 30.0)
    assert np.isnan(interval_over_records(np.full(2, np.nan), np.arange(2))).all()
    with pytest.raises(ValueError, match="Each value needs its record"):
        interval_over_records(values, np.arange(3))


def test_the_parts_of_errors_are_found_again():
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(300), 12)
    record = np.repeat(np.arange(1200), 3)
    error = rng.normal(0, 3, 300)[group] + rng.normal(0, 2, 1200)[record] + rng.normal(0, 1, 3600)
    keep = rng.random(3600) < 0.7  # uneven sizes
    found = split_error(error[keep], group[keep], record[keep])
    assert found == pytest.approx({"group": 3, "record": 2, "window": 1}, rel=0.12)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(-100, 100), min_size=4, max_size=40), st.integers(1, 3))
def test_windows_that_agree_have_no_part_of_their_own(values, times):
    error = np.repeat(values, times + 1)
    record = np.repeat(np.arange(len(values)), times + 1)
    found = split_error(error, record % 2, record)
    assert found["window"] == pytest.approx(0, abs=1e-9)
    assert found["group"] >= 0
    # The same, shifted, and with a window that is not finite.
    shifted = split_error(np.append(error + 7, np.nan), np.append(record % 2, 0), np.append(record, 0))
    assert shifted == pytest.approx(found, abs=1e-6)


def test_what_the_data_cannot_show_is_not_told():
    alone = split_error(np.array([1.0, 2.0, 3.0]), np.zeros(3), np.arange(3))
    assert np.isnan([alone["group"], alone["record"], alone["window"]]).all()
    one_group = split_error(np.array([1.0, 1.0, 3.0, 3.0]), np.zeros(4), np.array([0, 0, 1, 1]))
    assert np.isnan(one_group["group"])
    assert one_group["record"] == pytest.approx(np.sqrt(2))
    with pytest.raises(ValueError, match="in two groups"):
        split_error(np.arange(2.0), np.array([0, 1]), np.array([5, 5]))
    with pytest.raises(ValueError, match="no finite"):
        split_error(np.array([np.nan]), np.zeros(1), np.zeros(1))
    with pytest.raises(ValueError, match="2 errors, 1 groups and 2 records"):
        split_error(np.arange(2.0), np.zeros(1), np.arange(2))
