import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from usmae_datasets.ultrasound_measured.labels import (
    envelope,
    envelope_peak,
    first_crossing,
    measure_extent,
    parabolic_offset,
)


def bursts(centers, num_samples=800, width=30.0, frequency=0.08):
    time = np.arange(num_samples) - np.asarray(centers, dtype=float)[:, None]
    return np.exp(-((time / width) ** 2)) * np.sin(2 * np.pi * frequency * time)


@given(st.floats(5.0, 55.0), st.floats(0.1, 5.0), st.sampled_from([-1.0, 1.0]))
def test_first_crossing_is_exact_on_a_ramp(start, slope, polarity):
    ramp = polarity * slope * np.maximum(np.arange(100) - start, 0)
    threshold = 20 * slope
    assert first_crossing(ramp[None], threshold, (0, 100))[0] == pytest.approx(start + 20, abs=1e-9)


def test_first_crossing_says_where_there_is_none():
    records = np.array([[0.0, 0.0, 0.5, 0.0], [9.0, 9.0, 9.0, 9.0], [0.0, 0.0, 0.0, 4.0]])
    np.testing.assert_array_equal(first_crossing(records, 1.0, (0, 4)), [np.nan, np.nan, 2.25])


def test_first_crossing_takes_one_threshold_a_record():
    records = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    np.testing.assert_allclose(first_crossing(records, [0.5, 1.5], (0, 3)), [0.5, 1.5])


@pytest.mark.parametrize("gate", [(-1, 3), (2, 2), (0, 5)])
def test_first_crossing_refuses_a_gate_outside_of_the_records(gate):
    with pytest.raises(ValueError, match=r"gate .* inside the records of 4 samples"):
        first_crossing(np.zeros((1, 4)), 1.0, gate)


def test_envelope_of_a_gaussian_burst():
    time = np.arange(800) - 400.25
    np.testing.assert_allclose(envelope(bursts([400.25]))[0], np.exp(-((time / 30) ** 2)), atol=1e-3)


@given(st.floats(200.0, 600.0))
@settings(max_examples=50)
def test_envelope_peak_is_found_between_samples(center):
    position, height = envelope_peak(bursts([center]), [center - 20], [center + 20])
    assert position[0] == pytest.approx(center, abs=0.05)
    assert height[0] == pytest.approx(1.0, abs=2e-3)


def test_envelope_peak_has_none_at_the_end_of_a_gate():
    position, _ = envelope_peak(bursts([400.0, 400.0]), [300, 410], [390, 500])
    assert np.isnan(position).all()


@given(st.floats(-0.5, 0.5), st.floats(0.1, 10.0))
def test_parabolic_offset_is_exact_on_a_parabola(vertex, curvature):
    before, peak, after = (-curvature * (x - vertex) ** 2 for x in (-1, 0, 1))
    assert parabolic_offset(before, peak, after) == pytest.approx(vertex, abs=1e-6)


def test_extent_is_measured_by_group_and_given_to_all_members():
    centers = np.array([300.0, 340.5, 380.25, 420.0])
    records = np.concatenate([bursts(centers[:2], width=30), bursts(centers[2:], width=40)])
    extent = measure_extent(records, centers, (-200, 200), used=np.array([1, 0, 1, 1], bool), groups=[7, 7, 9, 9])
    half = np.sqrt(-np.log(0.1)) * np.array([30, 30, 40, 40])
    np.testing.assert_allclose(extent.shift, -half, atol=0.3)
    np.testing.assert_allclose(extent.length, 2 * half, atol=0.6)
    assert (extent.spread < 0.2).all()


@given(st.floats(200.0, 600.0), st.floats(0.05, 0.9))
@settings(max_examples=50)
def test_extent_matches_the_analytic_flanks(center, fraction):
    extent = measure_extent(bursts([center]), [center], (-190, 190), np.ones(1, bool), [0], fraction)
    half = 30 * np.sqrt(-np.log(fraction))
    assert extent.shift[0] == pytest.approx(-half, abs=0.2)
    assert extent.length[0] == pytest.approx(2 * half, abs=0.4)


def test_extent_passes_over_a_weaker_echo_before_the_peak():
    records = bursts([400.0]) + 0.4 * bursts([200.0])
    extent = measure_extent(records, [400.0], (-400, 200), np.ones(1, bool), [0])
    assert extent.shift[0] == pytest.approx(-30 * np.sqrt(-np.log(0.1)), abs=0.3)


def test_extent_does_not_depend_on_where_in_a_long_record_the_burst_lies():
    here, there = bursts([500.0], 1000), bursts([5500.0], 6000)
    one = measure_extent(here, [500.0], (-190, 190), np.ones(1, bool), [0])
    other = measure_extent(there, [5500.0], (-190, 190), np.ones(1, bool), [0])
    assert one.shift[0] == pytest.approx(other.shift[0], abs=0.01)


def test_extent_refuses_a_group_without_a_burst():
    with pytest.raises(ValueError, match=r"No record of group 3 passes 0\.1 of its peak on both flanks"):
        measure_extent(bursts([400.0]), [400.0], (-10, 10), used=np.ones(1, bool), groups=[3])


def test_extent_refuses_a_fraction_of_one():
    with pytest.raises(ValueError, match=r"`fraction` must lie in \(0, 1\), but is 1.0"):
        measure_extent(bursts([400.0]), [400.0], (-100, 100), np.ones(1, bool), [0], fraction=1.0)
