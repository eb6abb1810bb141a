import numpy as np
import pytest

from keras_usmae.signals import example_scan, pick_threshold


def test_the_spacing_of_front_and_back_is_the_thickness():
    scan = example_scan(lines=15, traces=18)
    assert scan.signals.shape == (15, 18, 1500)
    spacing = (scan.back - scan.front) * scan.speed_of_sound / 2 * 1e3
    np.testing.assert_allclose(spacing, scan.thickness)
    assert scan.thickness.min() < 7 < 10 < scan.thickness.max()
    assert scan.thickness[0, 9] == pytest.approx(8, abs=0.2)
    assert scan.thickness[7, 9] < 6, "there is a pit in the middle of the middle step"


def test_the_front_echo_lies_where_the_scan_says():
    scan = example_scan(lines=4, traces=6, snr_db=60)
    traces = scan.signals.reshape(24, -1).astype("float32")
    picked = pick_threshold(traces, scan.sampling_rate) / scan.sampling_rate + scan.start_time
    error = (picked - scan.front.ravel()) * scan.sampling_rate
    assert np.abs(error - np.median(error)).max() < 1.5
    assert abs(np.median(error)) < 8, "the threshold picker has an offset of its own"


def test_the_same_seed_draws_the_same_scan():
    first, same, other = (example_scan(2, 3, seed=seed).signals for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()
    with pytest.raises(ValueError, match="lines=0"):
        example_scan(lines=0)
