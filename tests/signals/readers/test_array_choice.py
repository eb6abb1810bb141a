"""Which array, and which axis, where nobody says it."""

import h5py
import numpy as np
import pytest
import scipy.io

from keras_usmae.signals import example_scan, pick_threshold
from keras_usmae.signals.readers import read_recordings
from keras_usmae.signals.readers.array_choice import axis_of_time, family
from keras_usmae.signals.readers.guards import ArrayHeader

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def scan():
    return example_scan(lines=6, traces=9, step=2.0).signals.astype("float32")  # (6, 9, samples)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_time_runs_where_bursts_stand_out(scan, axis):
    assert axis_of_time(np.moveaxis(scan, 2, axis)) == axis
    assert axis_of_time(np.moveaxis(scan + 2048, 2, axis)) == axis  # counts about the middle of their range


@pytest.mark.parametrize(
    "array",
    [
        RNG.standard_normal((300, 512)),
        np.ones((300, 512)),
        np.zeros((300, 512)),
        np.full((300, 512), np.nan),
        np.eye(256),  # bursts stand out along both axes
        np.outer(RNG.standard_normal(512) ** 9, np.ones(512)).T[:, :32],  # where it would, there are too few samples
    ],
)
def test_nothing_is_said_where_axes_are_alike(array):
    assert axis_of_time(array) is None


def test_a_large_array_is_looked_at_in_part(scan):
    large = np.tile(scan.reshape(54, -1), (400, 1))
    assert large.size > 2**24
    assert axis_of_time(large) == 1


def test_an_array_beside_short_ones_is_taken_with_a_word(tmp_path, scan):
    path = tmp_path / "scan.mat"
    rf = scan.reshape(54, -1).T
    scipy.io.savemat(path, {"cc": [[1.0, 2.0]], "gain": np.ones(32), "fs": 50e6, "tDelay": 25e-6, "ptx": rf})
    (recording,) = read_recordings(path)
    np.testing.assert_array_equal(recording.signals, rf.T)
    assert (recording.sampling_rate, recording.start_time) == (50e6, 25e-6)
    assert recording.provenance.origins["axis"] == "where bursts stand out"
    assert "write 'axis' where that is wrong" in recording.provenance.doubts[0]
    onset = pick_threshold(recording.signals, 50e6)
    assert np.ptp(onset[np.isfinite(onset)]) < 0.2 * rf.shape[0]


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_tables_of_numbers_show_it_too(tmp_path, scan, axis, delimiter):
    path = tmp_path / "scan.csv"
    signals = scan.reshape(54, -1)
    np.savetxt(path, signals if axis else signals.T, delimiter=delimiter, fmt="%.6g")
    (recording,) = read_recordings(path, sampling_rate=50e6)
    np.testing.assert_allclose(recording.signals, signals, rtol=1e-5)
    assert recording.provenance.origins["axis"] == "where bursts stand out"
    assert "write 'axis' where that is wrong" in recording.provenance.doubts[0]


def test_a_family_of_arrays_is_taken_whole(tmp_path):
    path = tmp_path / "shots.h5"
    with h5py.File(path, "w") as file:
        for shot in (2, 10, 1):
            group = file.create_group(f"acq_{shot:04d}")
            group["signal"] = RNG.standard_normal(400) + 0.01 * shot
            group["signal"].attrs["Fech"] = 60e6
    (recording,) = read_recordings(path)
    assert recording.names == ("acq_0001/signal", "acq_0002/signal", "acq_0010/signal")
    assert recording.sampling_rate == 60e6
    assert "traces of 'acq_*/signal', all 3 arrays of one shape" in recording.provenance.doubts


def test_two_that_may_be_meant_are_asked_for_with_the_larger_family(tmp_path):
    path = tmp_path / "scan.npz"
    data = {f"shot{k}": RNG.standard_normal(400) for k in range(5)}
    np.savez(path, reference=RNG.standard_normal(400), other=RNG.standard_normal((3, 500)), **data)
    with pytest.raises(FileNotFoundError, match=r'"shot\*" for 5 of them') as told:
        read_recordings(path)
    assert '# signals = "shot*"' in str(told.value)


def test_a_family_has_one_shape():
    shapes = {"a1": (400,), "a2": (400,), "a3": (500,), "b": (400,)}
    headers = {name: ArrayHeader(shape, np.dtype("f4")) for name, shape in shapes.items()}
    assert family(headers) == ["a1", "a2"]
