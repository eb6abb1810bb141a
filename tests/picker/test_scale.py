import h5py
import numpy as np
import pytest
import scipy.io
import scipy.signal

from keras_usmae.picker import Scale
from keras_usmae.picker.scale import as_scale, choose_scale
from keras_usmae.signals import tone_burst


def recording(sampling_rate, frequency, num_cycles, num_traces=16, num_samples=3000, snr_db=30.0, seed=0):
    """Traces with two Gaussian bursts each, in white noise, with an offset."""
    rng = np.random.default_rng(seed)
    length = num_cycles / frequency * sampling_rate
    burst = tone_burst(frequency, length, sampling_rate, envelope="gaussian")
    signals = rng.standard_normal((num_traces, num_samples)) * np.sqrt(np.mean(burst**2)) * 10 ** (-snr_db / 20)
    for row in signals:
        for gain, start in zip((1, 0.4), rng.integers(length, num_samples - 2 * length, 2), strict=True):
            row[start : start + len(burst)] += gain * burst
    return signals + 0.3


def check(scale, sampling_rate, frequency):
    """Bursts get a period and a length that the network knows."""
    assert abs(scale.frequency / frequency - 1) < 0.15
    assert 20 <= sampling_rate / frequency * scale.ratio <= 100
    assert 110 <= scale.burst_length * scale.ratio <= 520
    assert max(scale.up, scale.down) <= 16


@pytest.mark.parametrize(
    ("sampling_rate", "frequency", "num_cycles", "ratios"),
    [
        (12.5e6, 2.25e6, 6, (6, 12)),
        (100e6, 2.25e6, 8, (0.75, 1.5)),
        (50e6, 3.5e6, 6, (2, 4)),
        (20.8333e6, 2.25e6, 6, (4, 7)),
        (60e6, 5e6, 6, (3, 5)),
        (100e6, 5e6, 3, (2, 5)),
        (25e6, 5e6, 3, (8, 16)),
        (64e6, 3.5e6, 10, (1.5, 3)),
        (400e6, 2.25e6, 3, (0.2, 0.5)),
    ],
)
def test_bursts_come_to_the_length_that_the_network_knows(sampling_rate, frequency, num_cycles, ratios):
    scale = choose_scale(recording(sampling_rate, frequency, num_cycles), sampling_rate)
    check(scale, sampling_rate, frequency)
    assert ratios[0] <= scale.ratio <= ratios[1]
    assert f"{sampling_rate / 1e6:g} to " in scale.why


@pytest.mark.parametrize("snr_db", [14, 20, 40])
def test_noise_does_not_change_the_choice_much(snr_db):
    scale = choose_scale(recording(50e6, 3.5e6, 6, snr_db=snr_db), 50e6)
    check(scale, 50e6, 3.5e6)
    assert 2 <= scale.ratio <= 4


def test_clipping_does_not_mislead_by_its_harmonics():
    signals = np.clip(recording(12.5e6, 2.25e6, 8) - 0.3, -0.1, 0.1)
    check(choose_scale(signals, 12.5e6), 12.5e6, 2.25e6)


def test_transmit_pulse_and_its_drift_are_passed_over():
    signals = recording(60e6, 5e6, 6, num_samples=6000)
    time = np.arange(6000)
    signals += 8 * np.exp(-time / 60) * np.sin(2 * np.pi * 1.5e6 / 60e6 * time) - 2 * np.exp(-time / 1000)
    check(choose_scale(np.clip(signals, -2, 2), 60e6), 60e6, 5e6)


def test_dead_and_broken_traces_have_no_say():
    signals = recording(50e6, 3.5e6, 6)
    broken = np.concatenate([signals, np.zeros((20, signals.shape[1])), np.full((20, signals.shape[1]), np.nan)])
    check(choose_scale(broken, 50e6), 50e6, 3.5e6)


@pytest.mark.parametrize("signals", [np.random.default_rng(0).standard_normal((8, 2048)), np.zeros((3, 500))])
def test_without_a_burst_the_rate_decides(signals):
    scale = choose_scale(signals, 12.5e6)
    assert (scale.up, scale.down) == (8, 1)
    assert np.isnan(scale.frequency)
    assert "no burst stands out" in scale.why


def test_no_trace_at_all():
    assert choose_scale(np.zeros((0, 2048)), 50e6).ratio == 2


def test_one_trace_and_a_long_record():
    signals = recording(50e6, 3.5e6, 6, num_traces=2, num_samples=300_000)
    check(choose_scale(signals, 50e6), 50e6, 3.5e6)
    check(choose_scale(signals[0], 50e6), 50e6, 3.5e6)


def test_any_integer_type_and_unit():
    signals = recording(50e6, 3.5e6, 6)
    expected = choose_scale(signals, 50e6)
    for other in ((signals * 1000).astype("int16"), signals * 1e30, (signals * 100 + 2000).astype("uint16")):
        scale = choose_scale(other, 50e6)
        assert (scale.up, scale.down) == (expected.up, expected.down)


@pytest.mark.parametrize(
    ("given", "ratio"), [(8, 8), (1.5, 1.5), ("3/2", 1.5), ("0.25", 0.25), (4.8, 4.8), (np.float64(2), 2)]
)
def test_scales_as_users_write_them(given, ratio):
    assert as_scale(given).ratio == pytest.approx(ratio)
    assert as_scale(as_scale(given)) is not None


@pytest.mark.parametrize("given", [0, -2, 17, "1/20", "fast", float("nan"), float("inf"), "1/0", None, [2]])
def test_scales_that_are_none(given):
    with pytest.raises(ValueError, match="samples for the network in each sample of the recording"):
        as_scale(given)


def test_a_scale_prints_as_its_ratio():
    assert str(Scale(3, 2, np.nan, np.nan, "")) == "3/2"
    assert str(Scale(8, 1, np.nan, np.nan, "")) == "8"


@pytest.mark.measured
def test_measured_recordings(measured_dir):
    scans, array, boards = (
        measured_dir / name for name in ("synaptus_immersion_scans", "synaptus_array_fmc", "openhw_pic0rick_un0rick")
    )
    plane = scipy.io.loadmat(scans / "PlaneScan3D_PlexiAluFBH.mat")["ptxy"].reshape(564, -1).T
    assert choose_scale(plane, 12.5e6).ratio == 8
    assert choose_scale(scipy.io.loadmat(scans / "CopperBlock_2degtTilt.mat")["ptx"].T, 100e6).ratio == 1
    for file in ("ArrayCuBlockStationary.mat", "ArraySteelPins.mat"):
        data = scipy.io.loadmat(array / file, variable_names=["data"])["data"]
        assert 2 <= choose_scale(np.concatenate(list(data[:, 0]), axis=1).T, 50e6).ratio <= 4
    with h5py.File(boards / "calibration_block_5steps_1018steel.h5") as file:
        signals = np.stack([group["signal"][:] for group in file.values()])
    assert 3 <= choose_scale(signals, 60e6).ratio <= 5
    for file in ("20210117173109.npz", "20240208182809_ndt.npz"):
        assert 1.5 <= choose_scale(np.load(boards / file)["signal"], 64e6).ratio <= 3
