"""Kinds of array files that programs of the field write, and that were once read wrongly, or refused."""

import struct

import h5py
import nptdms
import numpy as np
import pytest
import scipy.io
import scipy.sparse

from keras_usmae.signals.readers import read_recordings

RATE, START = 50e6, 2e-6
TIMES = START + np.arange(400) / RATE
_PLACES = np.arange(400) - 150 - np.arange(100)[:, None] % 9
TRACES = np.exp(-((_PLACES / 12) ** 2)) * np.sin(0.7 * _PLACES)
TRACES += 0.004 * np.random.default_rng(0).normal(size=TRACES.shape)


def read(path, **stated):
    (recording,) = read_recordings(path, **stated)
    return recording


def assert_read(recording, traces=TRACES, start=START):
    np.testing.assert_allclose(recording.signals, traces, rtol=1e-5, atol=1e-6)
    assert (recording.sampling_rate, recording.start_time) == (RATE, start)


def matlab_73(path, build):
    with h5py.File(path, "w", userblock_size=512) as file:
        build(file)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + b"\x00\x02IM")


@pytest.mark.parametrize(
    "beside",
    [
        {"x": np.arange(100.0), "t": TIMES},
        {"tx": np.ones(100), "rx": np.ones((1, 100)), "time": TIMES[:, None]},
        {"sample_times": TIMES, "tof": np.full(100, 3e-6)},
        {"tau": TIMES, "thickness": np.ones(100)},  # a name that nobody knows: its numbers are those of times
    ],
)
def test_vectors_along_an_axis_are_no_traces(tmp_path, beside):
    np.savez(tmp_path / "scan.npz", data=TRACES, **beside)
    scipy.io.savemat(tmp_path / "scan.mat", {"exp_data": {"time_data": TRACES.T, **beside}})
    assert_read(read(tmp_path / "scan.npz"))
    assert_read(read(tmp_path / "scan.mat"))


def test_steps_of_a_scan_are_no_times(tmp_path):
    np.savez(tmp_path / "scan.npz", data=TRACES, x=np.linspace(0, 0.05, 100))
    with pytest.raises(FileNotFoundError, match="does not say its sampling rate"):
        read(tmp_path / "scan.npz")


@pytest.mark.parametrize("suffix", [".h5", ".nc"])
def test_dimension_scales_tell_times_by_their_unit(tmp_path, suffix):
    path = tmp_path / f"scan{suffix}"
    with h5py.File(path, "w") as file:
        file["ascan"], file["tof"], file["x"] = TRACES.T, TIMES * 1e6, np.arange(100.0)
        for axis, (name, unit) in enumerate({"tof": "us", "x": "mm"}.items()):
            file[name].make_scale(name)
            file[name].attrs["units"] = unit
            file["ascan"].dims[axis].attach_scale(file[name])
    assert_read(read(path))


def test_attributes_in_the_words_of_programs(tmp_path):
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file["channel_data/data"] = TRACES.reshape(4, 25, 400)
        file["channel_data/sampling_frequency"], file["channel_data/initial_time"] = RATE, START
    assert_read(read(path))
    with h5py.File(path, "w") as file:
        file.attrs["samplingFrequencyMHz"], file["rf"] = 50.0, TRACES
        file["rf"].attrs.update({"Start": 0, "XOrg": START})
    assert_read(read(path))
    with h5py.File(path, "w") as file:
        file["rf"] = TRACES
        file["rf"].attrs.update({"SampleRate": "50 MS/s", "delay": "2 us"})
    recording = read(path)
    assert_read(recording, start=0.0)
    assert any("'delay'" in doubt and "'start_time'" in doubt for doubt in recording.provenance.doubts)


def test_where_a_scan_starts_is_no_start_time(tmp_path):
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["rf"] = TRACES
        file["rf"].attrs.update({"x_start": 0.005, "x_step": 5e-4, "sampling_rate": RATE})
    assert_read(read(tmp_path / "scan.h5"), start=0.0)


def test_counts_keep_no_unit_that_is_not_theirs(tmp_path):
    path, counts = tmp_path / "scan.h5", np.rint(1e4 * TRACES).astype("i2")
    for data, unit in ((counts, "counts"), (TRACES, "V")):
        with h5py.File(path, "w") as file:
            file["rf"] = data
            file["rf"].attrs.update({"XInc": 1 / RATE, "YInc": 1e-4, "YUnits": "Volt"})
        recording = read(path)
        assert recording.unit == unit
        assert any("of 0.0001 V each" in doubt for doubt in recording.provenance.doubts) == (unit == "counts")


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ({"fs": 50e6}, {"fs": 25e6}, "sampling rates: 50000000.0 .* and 25000000.0"),
        ({"fs": 50e6, "t0": 0.0}, {"fs": 50e6, "t0": 5e-6}, "start times"),
        ({"fs": 50e6, "unit": "V"}, {"fs": 50e6, "unit": "mV"}, "units"),
        ({"time": TIMES}, {"time": TIMES + 1e-6}, "start times"),
    ],
)
def test_arrays_that_are_read_together_have_one_clock_and_unit(tmp_path, first, second, message):
    array = np.zeros((1, 2), [("rf", "O"), *((name, "O") for name in first)])
    for place, facts in enumerate((first, second)):
        array[0, place] = (TRACES[place], *facts.values())
    scipy.io.savemat(tmp_path / "scan.mat", {"shot": array})
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        for name, trace, facts in (("ch1", TRACES[0], first), ("ch2", TRACES[1], second)):
            group = file.create_group(name)
            group["rf"] = trace
            group.update({key: value for key, value in facts.items() if np.ndim(value)})
            group.attrs.update({key: value for key, value in facts.items() if not np.ndim(value)})
    for suffix in (".h5",) if "unit" in first else (".mat", ".h5"):
        with pytest.raises(ValueError, match=rf"(?s){message}.*'signals'"):
            read(tmp_path / f"scan{suffix}")
    if "unit" not in first:
        assert read(tmp_path / "scan.mat", signals="shot(2)/rf").signals.shape == (1, 400)


def test_channels_of_labview_have_one_clock(tmp_path):
    with nptdms.TdmsWriter(tmp_path / "scan.tdms") as writer:
        properties = [{"wf_increment": 2e-8, "wf_start_offset": start} for start in (0.0, 5e-6)]
        writer.write_segment([nptdms.ChannelObject("g", f"c{i}", TRACES[i], properties[i]) for i in range(2)])
    with pytest.raises(ValueError, match="'g/c0' and 'g/c1' have other start times"):
        read(tmp_path / "scan.tdms", signals="g/c*")
    assert read(tmp_path / "scan.tdms", signals="g/c1").start_time == 5e-6


@pytest.mark.parametrize(("factor", "stated"), [(1.0, {}), (1e6, {"time_unit": "us"}), (1e6, {"sampling_rate": RATE})])
def test_a_first_column_of_times_shows_the_axis(tmp_path, factor, stated):
    scipy.io.savemat(tmp_path / "scan.mat", {"data": np.column_stack([factor * TIMES, *TRACES[:2]])})
    recording = read(tmp_path / "scan.mat", **stated)
    np.testing.assert_allclose(recording.signals, TRACES[:2], rtol=1e-5)
    assert (recording.sampling_rate, recording.start_time) == (RATE, pytest.approx(START, abs=1e-10))


def test_a_first_column_of_places_does_not(tmp_path):
    noise = np.random.default_rng(0).normal(size=(100, 400))
    np.save(tmp_path / "scan.npy", np.column_stack([np.arange(100) * 0.3, noise]))
    with pytest.raises(ValueError, match="'axis'"):
        read(tmp_path / "scan.npy", sampling_rate=RATE)


def test_channels_with_letters_are_one_family(tmp_path):
    channels = {"A": TRACES[:1].T, "B": TRACES[1:2].T, "Tinterval": 1 / RATE, "Tstart": START, "Version": "6.14"}
    scipy.io.savemat(tmp_path / "scan.mat", channels)
    recording = read(tmp_path / "scan.mat")
    assert_read(recording, TRACES[:2])
    assert recording.provenance.doubts == ("traces of 'A' and 'B', all 2 arrays of one shape",)


def _table_73(file):
    table = file.create_dataset("T", data=np.arange(200, dtype="u4")[None])
    table.attrs.update({"MATLAB_class": np.bytes_("timetable"), "MATLAB_object_decode": np.int32(3)})


def _sparse_73(file):
    group = file.create_group("S")
    group.attrs.update({"MATLAB_class": np.bytes_("double"), "MATLAB_sparse": np.uint64(400)})
    group["data"], group["ir"] = np.ones(90), np.arange(90, dtype="u8")


def _table_5(path):
    """A timetable as MATLAB saves it: an opaque element, and one without name that holds its insides as bytes."""

    def element(kind, body):
        return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)

    texts = element(1, b"T") + element(1, b"MCOS") + element(1, b"timetable")
    insides = np.random.default_rng(0).integers(0, 255, 512, "u1").tobytes()
    workspace = element(6, struct.pack("<II", 9, 0)) + element(5, struct.pack("<ii", 1, 512)) + element(1, b"")
    content = element(14, element(6, struct.pack("<II", 17, 0)) + texts) + element(14, workspace + element(2, insides))
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + content)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: matlab_73(path, _table_73),
        lambda path: matlab_73(path, _sparse_73),
        _table_5,
        lambda path: scipy.io.savemat(path, {"S": scipy.sparse.csc_matrix(TRACES)}),
    ],
)
def test_the_insides_of_tables_and_sparse_matrices_are_no_traces(tmp_path, write):
    write(tmp_path / "scan.mat")
    with pytest.raises(ValueError, match=r"table2array\(T\) or full\(S\)"):
        read(tmp_path / "scan.mat", sampling_rate=RATE)


def test_records_are_refused_with_their_fields(tmp_path):
    np.save(tmp_path / "scan.npy", np.zeros(99, [("t", "f8"), ("ch1", "f4")]))
    with pytest.raises(ValueError, match=r"fields \['t', 'ch1'\]\. Save each"):
        read(tmp_path / "scan.npy", sampling_rate=RATE)


def test_traces_too_small_for_float32_are_refused_with_the_factor(tmp_path):
    np.save(tmp_path / "scan.npy", 1e-24 * TRACES)
    with pytest.raises(ValueError, match=r"Multiply the traces by some 1e\+24"):
        read(tmp_path / "scan.npy", sampling_rate=RATE)


def test_stacks_of_many_channels_are_doubtful(tmp_path):
    np.save(tmp_path / "scan.npy", np.hstack([TRACES[:50], TRACES[50:], TRACES[:50]]))
    assert "repeats itself every 400" in read(tmp_path / "scan.npy", sampling_rate=RATE, axis=1).provenance.doubts[0]
    np.save(tmp_path / "scan.npy", np.tile(TRACES[:5], 700))  # longer than what is looked at
    assert "repeats itself every 400" in read(tmp_path / "scan.npy", sampling_rate=RATE, axis=1).provenance.doubts[0]
    decaying = np.hstack([TRACES[:50], 0.5 * TRACES[:50], 0.25 * TRACES[:50]])
    np.save(tmp_path / "scan.npy", decaying)  # echoes of a plate
    assert read(tmp_path / "scan.npy", sampling_rate=RATE, axis=1).provenance.doubts == ()


def test_rates_of_sound_cards_are_doubtful(tmp_path):
    for rate, doubtful in ((44_100, True), (2_000_000, False)):
        scipy.io.wavfile.write(tmp_path / "scan.wav", rate, TRACES[0].astype("f4"))
        doubts = read(tmp_path / "scan.wav").provenance.doubts
        assert any("sound cards" in doubt for doubt in doubts) == doubtful
