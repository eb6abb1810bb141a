import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_usmae.signals import (
    class_to_onset,
    mm_to_samples,
    onset_to_class,
    samples_to_mm,
    samples_to_seconds,
    seconds_to_samples,
)

BINS = st.tuples(st.floats(0.01, 1e3), st.integers(1, 1000))


def test_default_classes_are_16_samples_wide():
    onset = [0.0, 15.999, 16.0, 2047.999]
    np.testing.assert_array_equal(onset_to_class(onset), [0, 0, 1, 127])
    np.testing.assert_array_equal(class_to_onset([0, 127]), [8.0, 2040.0])
    assert onset_to_class(onset).dtype == np.int32


@given(bins=BINS, share=st.floats(0, 1, exclude_max=True))
def test_an_onset_lies_within_half_a_bin_of_the_center_of_its_class(bins, share):
    bin_width, num_classes = bins
    end = num_classes * bin_width
    onset = min(share * end, np.nextafter(end, 0))  # the product may round up to the end, which is outside
    tof_class = onset_to_class(onset, bin_width, num_classes)
    assert 0 <= tof_class < num_classes
    center = class_to_onset(tof_class, bin_width, num_classes)
    assert abs(center - onset) <= bin_width / 2 * (1 + 1e-9) + 1e-9 * onset


@given(bins=BINS, data=st.data())
def test_the_center_of_a_class_is_of_that_class(bins, data):
    bin_width, num_classes = bins
    tof_class = data.draw(st.integers(0, num_classes - 1))
    assert onset_to_class(class_to_onset(tof_class, bin_width, num_classes), bin_width, num_classes) == tof_class


@pytest.mark.parametrize("onset", [-0.001, 2048.0, np.nan, np.inf])
def test_onsets_outside_are_named_with_a_way_out(onset):
    with pytest.raises(ValueError, match=rf"index 1 is {onset} samples, outside \[0, 2048\).*1 of 2.*windows"):
        onset_to_class([0.0, onset])


def test_classes_outside_are_named():
    with pytest.raises(ValueError, match="Class 128 is not one of 0 to 127"):
        class_to_onset([3, 128])
    with pytest.raises(ValueError, match=r"float64.*argmax"):
        class_to_onset([0.5])


def test_bins_are_checked():
    with pytest.raises(ValueError, match=r"`bin_width`.*0"):
        onset_to_class(1.0, bin_width=0)
    with pytest.raises(ValueError, match=r"`num_classes`.*2.5"):
        class_to_onset(1, num_classes=2.5)


def test_pulse_echo_counts_half_of_the_path():
    # 1000 samples at 100 MHz are 10 us, in which sound travels 14.8 mm of water, there and back.
    assert samples_to_seconds(1000, 100e6) == pytest.approx(10e-6)
    assert samples_to_mm(1000, 100e6, 1480.0) == pytest.approx(7.4)
    # The record of a measured scan starts 81 us after the pulse; its water path is 63 mm long.
    assert samples_to_mm(54, 12.5e6, 1480.0, start_time=81e-6) == pytest.approx(63.1, abs=0.1)


@given(
    samples=st.floats(-1e5, 1e5),
    sampling_rate=st.floats(1e6, 1e9),
    speed=st.floats(300, 7000),
    start_time=st.floats(0, 1e-3),
)
def test_conversions_are_inverted(samples, sampling_rate, speed, start_time):
    seconds = samples_to_seconds(samples, sampling_rate, start_time)
    assert seconds_to_samples(seconds, sampling_rate, start_time) == pytest.approx(samples, abs=1e-6)
    distance = samples_to_mm(samples, sampling_rate, speed, start_time)
    assert mm_to_samples(distance, sampling_rate, speed, start_time) == pytest.approx(samples, abs=1e-6)


@pytest.mark.parametrize("rate", [0.0, -1.0, np.nan, np.inf])
def test_rates_and_speeds_are_checked(rate):
    with pytest.raises(ValueError, match=f"`sampling_rate` must be a positive, finite number in Hz, but is {rate}"):
        samples_to_seconds(1.0, rate)
    with pytest.raises(ValueError, match=f"`speed_of_sound` must be a positive, finite number in m/s, but is {rate}"):
        samples_to_mm(1.0, 100e6, rate)
