import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_usmae.picker.windows import complete_short, window_starts, window_weights


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 40000))
def test_windows_cover_a_record_on_one_grid_of_bins(num_samples):
    starts = window_starts(num_samples, 2048, 16)
    assert starts[0] == 0
    assert (starts % 16 == 0).all()
    assert (np.diff(starts) > 0).all()
    assert (np.diff(starts) <= 1024).all()
    if num_samples >= 2048:
        assert 0 <= num_samples - (starts[-1] + 2048) < 16


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40000))
def test_what_windows_say_of_a_bin_sums_up_to_one_and_margins_count_nowhere(num_samples):
    starts = window_starts(num_samples, 2048, 16)
    weights = window_weights(starts, 2048, 16)
    total = np.zeros(starts[-1] // 16 + 128)
    for row, start in zip(weights, starts // 16, strict=True):
        total[start : start + 128] += row
    np.testing.assert_allclose(total, 1, rtol=1e-5)
    assert (weights[1:, :16] == 0).all()
    assert (weights[:-1, -16:] == 0).all()


@pytest.mark.parametrize("num_samples", [1, 10, 100, 700, 2047])
def test_a_short_record_goes_on_without_a_step(num_samples):
    rng = np.random.default_rng(0)
    signals = rng.standard_normal((20, num_samples)).astype("float32")
    signals[:, : num_samples // 3] *= 30
    signals += 5
    completed = complete_short(signals, 2048)
    assert completed.shape == (20, 2048)
    assert completed.dtype == np.float32
    np.testing.assert_array_equal(completed[:, :num_samples], signals)
    added = completed[:, num_samples:]
    assert np.abs(added[:, :1] - signals[:, -1:]).max() < 1e-5  # it goes on from where the record ends


def test_what_is_added_has_the_level_of_the_quiet_part():
    rng = np.random.default_rng(0)
    signals = rng.standard_normal((20, 700)).astype("float32")
    signals[:, :230] *= 30
    added = complete_short(signals + 5, 2048)[:, 764:]
    np.testing.assert_allclose(added.std(axis=1), 1, atol=0.35)
    np.testing.assert_allclose(added.mean(axis=1), 5, atol=0.5)


def test_a_record_that_needs_nothing_is_left_alone():
    signals = np.ones((2, 2048), "float32")
    assert complete_short(signals, 2048) is signals
