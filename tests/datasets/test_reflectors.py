import numpy as np
import pytest
from usmae_datasets.ultrasound_measured.point_reflectors import delay_and_sum, find_points, fit_point, point_travel_time
from usmae_datasets.ultrasound_measured.reflectors import fit_plane, plane_travel_time

CLOCK = {"sampling_rate": 50e6, "start_time": 28e-6, "speed_of_sound": 1480.0}
ELEMENTS = (np.indices((16, 16)).reshape(2, -1) - 7.5) * 1e-3
RX, TX = ELEMENTS


def wavelet(time):
    """A burst of 3.5 MHz that starts at zero, with its peak at 0.6 us."""
    envelope = np.where((time > 0) & (time < 1.2e-6), np.sin(np.pi * np.clip(time, 0, 1.2e-6) / 1.2e-6) ** 2, 0)
    return envelope * np.sin(2 * np.pi * 3.5e6 * time)


def record(travel_times, num_samples=1000, noise=0.0):
    time = np.arange(num_samples) / CLOCK["sampling_rate"] + CLOCK["start_time"]
    signals = sum(amplitude * wavelet(time - travel[:, None]) for amplitude, travel in travel_times)
    return signals + noise * np.random.default_rng(0).standard_normal(signals.shape)


def test_travel_times_agree_with_geometry():
    assert plane_travel_time(-3e-3, 3e-3, 4e-3, 0.0, 1000.0) == pytest.approx(10e-6)
    assert point_travel_time(-3e-3, 3e-3, 0.0, 4e-3, 1000.0) == pytest.approx(10e-6)


def test_travel_times_are_reciprocal():
    np.testing.assert_allclose(
        plane_travel_time(TX, RX, 0.024, 0.01, 1480.0), plane_travel_time(RX, TX, 0.024, 0.01, 1480.0)
    )
    np.testing.assert_allclose(
        point_travel_time(TX, RX, 3e-3, 0.02, 1480.0), point_travel_time(RX, TX, 3e-3, 0.02, 1480.0)
    )


def test_plane_is_recovered():
    truth = plane_travel_time(TX, RX, 24e-3, 2e-3, 1480.0)
    fit = fit_plane(
        record([(1.0, truth)], noise=0.01),
        TX,
        RX,
        fitted=np.ones(TX.size, bool),
        wavelet_length=100,
        max_lag=6,
        gate=(100, 600),
        **CLOCK,
    )
    samples = (truth - CLOCK["start_time"]) * CLOCK["sampling_rate"]
    offset = fit.model - samples
    # The wavelet reaches 10 % of its peak at about 0.2 us; what counts is that the offset is one constant.
    assert offset.mean() == pytest.approx(10, abs=3)
    assert offset.std() < 0.05
    assert fit.sigma < 0.1
    assert fit.slope == pytest.approx(2e-3, abs=2e-4)
    assert fit.depth + fit.delay * 1480 / 2 == pytest.approx(24e-3 + offset.mean() / 50e6 * 1480 / 2, abs=2e-6)


def test_plane_needs_first_arrivals():
    with pytest.raises(ValueError, match=r"Only 0 records have a first arrival in the gate \(100, 600\)"):
        fit_plane(
            np.zeros((256, 1000)),
            TX,
            RX,
            fitted=np.ones(256, bool),
            wavelet_length=100,
            max_lag=6,
            gate=(100, 600),
            **CLOCK,
        )


def test_points_are_found_and_refined():
    truth = [(3.1e-3, 26.2e-3), (-4.3e-3, 29.7e-3)]
    travel = [(a, point_travel_time(TX, RX, *point, 1480.0)) for a, point in zip((1.0, 0.6), truth, strict=True)]
    records = record(travel, noise=0.01)
    delay = 0.6e-6  # from the start of the wavelet to its peak
    x, z = np.arange(-8e-3, 8.1e-3, 0.25e-3), np.arange(22e-3, 34e-3, 0.25e-3)
    image = delay_and_sum(records, TX, RX, x, z, delay=delay, **CLOCK)
    found = find_points(image, x, z, num_points=2, separation=2e-3)
    for start, (px, pz) in zip(found, truth, strict=True):
        assert np.hypot(start[0] - px, start[1] - pz) < 0.5e-3
        fit = fit_point(records, TX, RX, start, 0.01, delay=delay, gate=12, min_snr_db=20, **CLOCK)
        assert np.hypot(fit.x - px, fit.z - pz) < 0.05e-3
        assert fit.sigma < 2.0


def test_point_needs_peaks_above_the_noise():
    with pytest.raises(ValueError, match="Only 0 records have a peak above 20 dB within 12 samples"):
        fit_point(np.zeros((256, 1000)), TX, RX, (0.0, 26e-3), 1.0, delay=0.0, gate=12, min_snr_db=20, **CLOCK)


def test_find_points_keeps_them_apart():
    image = np.array([[5.0, 4.0, 0.0, 1.0]])
    assert find_points(image, np.zeros(1), np.arange(4.0), 2, separation=1.0) == [(0.0, 0.0), (0.0, 3.0)]
