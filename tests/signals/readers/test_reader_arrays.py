"""What files of arrays say of themselves is used and compared, and their traces are found or asked for by name."""

import json

import h5py
import numpy as np
import pytest
import scipy.io

from keras_usmae.signals.readers import read_recordings, report_recording

RATE = 25e6
TRACES = np.random.default_rng(0).normal(size=(12, 400)).astype(np.float32).round(3)
TIMES = 5e-6 + np.arange(400) / RATE
STRUCTURE = {
    "rf": TRACES.T.astype(float),
    "time": TIMES[:, None],
    "tx": np.arange(12.0)[None],
    "gain": 40.0,
    "note": "x",
}


def read(path, **stated):
    (recording,) = read_recordings(path, **stated)
    return recording


def save_v73(path, variables, classes=True):
    """As MATLAB does: its axes reversed, structures as groups, a class on each."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            array = np.frombuffer(value.encode("utf-16-le"), "u2")[:, None] if isinstance(value, str) else value
            dataset = file.create_dataset(name, data=np.atleast_2d(array).T)
            dataset.attrs["MATLAB_class"] = np.bytes_("char" if isinstance(value, str) else "double")
            if "/" in name:
                file[name.rpartition("/")[0]].attrs["MATLAB_class"] = np.bytes_("struct")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + b"\x00\x02IM")


@pytest.fixture(params=["v5", "v5 packed", "v7.3"])
def structure(request, tmp_path):
    path = tmp_path / "scan.mat"
    if request.param == "v7.3":
        save_v73(path, {f"capture/{name}": value for name, value in STRUCTURE.items()})
    else:
        scipy.io.savemat(path, {"capture": STRUCTURE}, do_compression="packed" in request.param)
    return path


def test_fields_of_structures_are_alike_in_all_versions(structure):
    recording = read(structure, signals="capture/rf")
    np.testing.assert_array_equal(recording.signals, TRACES)
    assert (recording.sampling_rate, recording.start_time) == (RATE, 5e-6)
    assert recording.provenance.origins["axis"] == "the length of 'capture/time'"
    assert "'capture/gain' (1, 1): not asked for" in recording.provenance.left_out
    np.testing.assert_array_equal(read(structure).signals, TRACES)  # all else in it is too short for traces
    with pytest.raises(ValueError, match=r"no array 'capture/rff'.*'capture/rf' \(400, 12\)"):
        read(structure, signals="capture/rff")
    with pytest.raises(ValueError, match=r"'capture/time' states 25000000 Hz, but its sidecar 20000000 Hz"):
        read(structure, signals="capture/rf", sampling_rate=20e6)
    with pytest.raises(ValueError, match=r"400 times, but the sidecar's 'axis' is 1. Write axis = 0"):
        read(structure, signals="capture/rf", axis=1)


def test_arrays_of_structures_and_logical_arrays(tmp_path):
    path = tmp_path / "scan.mat"
    structures = np.array([(row, 3.0) for row in TRACES[:3]], dtype=[("rf", object), ("gain", object)])
    scipy.io.savemat(path, {"capture": structures, "gate": TRACES > 0})
    recording = read(path, signals="capture(*)/rf", sampling_rate=RATE)
    np.testing.assert_array_equal(recording.signals, TRACES[:3])
    assert recording.names == ("capture(1)/rf", "capture(2)/rf", "capture(3)/rf")
    np.testing.assert_array_equal(read(path, signals="gate", axis=1, sampling_rate=RATE).signals, TRACES > 0)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i2"])
def test_level_4_of_matlab(tmp_path, order, dtype):
    path = tmp_path / "scan.mat"
    code = {"f8": 0, "f4": 10, "i2": 30}[dtype] + (1000 if order == ">" else 0)
    trace = (100 * TRACES[0]).astype(order + dtype)

    def matrix(name, kind, values):
        header = np.array([kind, len(values), 1, 0, len(name) + 1], f"{order}i4")
        return header.tobytes() + name.encode() + b"\0" + values.tobytes()

    content = matrix("A", code, trace)
    for name, value in (("Tinterval", 4e-8), ("Tstart", -2e-6), ("Length", 400.0)):
        content += matrix(name, code // 1000 * 1000, np.array([value], f"{order}f8"))
    path.write_bytes(content)
    recording = read(path)
    np.testing.assert_array_equal(recording.signals[0], trace.astype("f4"))
    assert (recording.sampling_rate, recording.start_time, recording.unit) == (RATE, -2e-6, "")


@pytest.mark.parametrize(
    ("attributes", "rate"),
    [
        ({"sampling_rate": 25e6}, 25e6),
        ({"TIME_STEP": 4e-8}, 25e6),
        ({"fs_MHz": 25.0}, 25e6),
        ({"dt_ns": 40.0}, 25e6),
        ({"SampleRate": "25 MHz"}, 25e6),
        ({"sampling_frequency": np.float32(62.5e6)}, 62.5e6),
    ],
)
@pytest.mark.parametrize("holder", ["a/rf", "a", "/"])
def test_attributes_of_hdf5_give_the_rate_or_contradict_it(tmp_path, attributes, rate, holder):
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file["a/rf"] = TRACES
        file[holder].attrs.update(attributes)
        file["a/rf"].attrs.update({"units": "counts", "full_scale": [-128.0, 127.0], "t0": 5e-6})
    recording = read(path, axis=1)
    assert recording.sampling_rate == rate
    assert (recording.unit, recording.full_scale, recording.start_time) == ("counts", (-128.0, 127.0), 5e-6)
    assert "attribute" in recording.provenance.origins["sampling_rate"]
    with pytest.raises(ValueError, match=rf"states {rate:.10g} Hz, but its sidecar 20000000 Hz"):
        read(path, axis=1, sampling_rate=20e6)
    with pytest.raises(ValueError, match="'counts', but its sidecar 'V'"):
        read(path, axis=1, unit="V")
    with pytest.raises(ValueError, match="full scale"):
        read(path, axis=1, full_scale=(-1.0, 1.0))
    agreed = read(path, axis=1, sampling_rate=rate * (1 + 1e-6))
    assert "agrees" in agreed.provenance.origins["sampling_rate"]


def test_a_rate_without_a_unit_is_asked_for(tmp_path):
    path = tmp_path / "scan.npz"
    np.savez(path, rf=TRACES, fs=25.0)
    with pytest.raises(ValueError, match=r"SI units, which are not stated.*'sampling_rate'"):
        read(path, axis=1)
    assert read(path, axis=1, sampling_rate=25e6).sampling_rate == 25e6
    with pytest.raises(ValueError, match="states 25 Hz, but its sidecar 20000000 Hz"):
        read(path, axis=1, sampling_rate=20e6)


def test_sound_filters_links_and_names_of_hdf5(tmp_path):
    path, counts = tmp_path / "scan.hdf5", (100 * TRACES).astype("i2")
    with h5py.File(path, "w") as file:
        file.create_dataset("a/rf", data=counts, chunks=(4, 400), scaleoffset=0)
        file["a/rf"].attrs["sampling_rate"] = RATE
        file["signals"] = h5py.SoftLink("/a/rf")
        file["b"] = file["a"]
        file["out"] = h5py.ExternalLink("other.h5", "/rf")
        file["nowhere"] = h5py.SoftLink("/out")
    for name in ("signals", "a/rf", None):
        np.testing.assert_array_equal(read(path, signals=name, axis=1).signals, counts)
    with h5py.File(path, "w") as file:
        file.create_dataset("lzf", data=counts, chunks=(4, 400), fletcher32=True, compression="lzf")
        file.create_dataset("gzip", data=counts, chunks=(4, 400), shuffle=True, fletcher32=True, compression="gzip")
        if h5py.h5z.get_filter_info(h5py.h5z.FILTER_SZIP) & h5py.h5z.FILTER_CONFIG_ENCODE_ENABLED:
            file.create_dataset("szip", data=counts, chunks=(4, 400), compression="szip")
        chunked, twelve_bits = h5py.h5p.create(h5py.h5p.DATASET_CREATE), h5py.h5t.STD_I16LE.copy()
        chunked.set_chunk((4, 400))
        chunked.set_filter(h5py.h5z.FILTER_NBIT)
        twelve_bits.set_precision(12)
        dataset = h5py.h5d.create(file.id, b"nbit", twelve_bits, h5py.h5s.create_simple(counts.shape), chunked)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, counts)
        names = list(file)
    for name in names:
        np.testing.assert_array_equal(read(path, signals=name, axis=1, sampling_rate=RATE).signals, counts)


def test_what_is_not_read_is_not_called_damaged(tmp_path):
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        layout = h5py.VirtualLayout((12, 400), "f4")
        layout[:] = h5py.VirtualSource("other.h5", "rf", (12, 400))
        file.create_virtual_dataset("rf", layout)
    with pytest.raises(ValueError, match="keeps its data in other files") as caught:
        read(path, axis=1, sampling_rate=RATE)
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".mfmc", ".h5"])
def test_mfmc_is_frames_by_traces_by_samples(tmp_path, suffix):
    path = tmp_path / f"scan{suffix}"
    with h5py.File(path, "w") as file:
        sequence = file.create_group("SEQUENCE<1>")
        sequence.attrs.update({"TYPE": "SEQUENCE", "TIME_STEP": 4e-8, "START_TIME": 5e-6})
        sequence["MFMC_DATA"] = np.stack([TRACES, TRACES[::-1]])
        sequence["TRANSMIT_LAW"] = np.arange(12)
    recording = read(path)
    np.testing.assert_array_equal(recording.signals, np.concatenate([TRACES, TRACES[::-1]]))
    assert (recording.sampling_rate, recording.start_time) == (RATE, 5e-6)


def write_nde(path, array, dimensions):
    amplitude = {"path": "/Public/Groups/0/Datasets/0-AScanAmplitude", "dimensions": dimensions}
    with h5py.File(path, "w") as file:
        file["Public/Groups/0/Datasets/0-AScanAmplitude"] = array
        file["Public/Groups/0/Datasets/1-AScanStatus"] = np.zeros((1, 12), "u1")
        file["Public/Setup"] = json.dumps({"groups": [{"dataset": {"ascan": {"amplitude": amplitude}}}]})


def test_an_nde_is_cut_apart_as_its_set_up_says(tmp_path):
    path = tmp_path / "scan.nde"
    time = {"axis": "Ultrasound", "quantity": 400, "resolution": 4e-8, "offset": 5e-6}
    u, stack = {"axis": "UCoordinate", "quantity": 1}, {"axis": "StackedAScan", "quantity": 12}
    for array, dimensions in (
        (TRACES.reshape(1, -1), [u, stack, time]),
        (TRACES.reshape(1, 12, 400), [u, stack, time]),
    ):
        write_nde(path, array, dimensions)
        recording = read(path)
        np.testing.assert_array_equal(recording.signals, TRACES)
        assert (recording.sampling_rate, recording.start_time) == (RATE, 5e-6)
        assert "'Public/Setup'" in recording.provenance.origins["axis"]
    with pytest.raises(ValueError, match="'Public/Setup' states 25000000 Hz"):
        read(path, sampling_rate=20e6)


def test_stacked_traces_are_cut_apart_by_a_key_and_doubted_without(tmp_path):
    path = tmp_path / "scan.npy"
    burst = np.sin(0.5 * np.arange(500)) * np.exp(-(((np.arange(500) - 200) / 40.0) ** 2))
    np.save(path, np.tile(burst, 64) + 1e-3 * np.random.default_rng(0).normal(size=32_000))
    recording = read(path, sampling_rate=RATE, stacked=True, samples=500)
    assert recording.signals.shape == (64, 500)
    (doubt,) = read(path, sampling_rate=RATE).provenance.doubts
    assert "stacked = true and samples = 500" in doubt
    with pytest.raises(ValueError, match="Are 64 A-scans stacked in it"):
        read(path, sampling_rate=RATE, samples=500)
    with pytest.raises(ValueError, match="do not make up the 32000 samples"):
        read(path, sampling_rate=RATE, stacked=True, samples=501)
    np.save(path, np.random.default_rng(0).normal(size=(8, 20_000)))
    with pytest.raises(ValueError, match=r"20,000 traces have 8 samples each.*'axis'"):
        read(path, sampling_rate=RATE, axis=0)


def test_only_the_star_is_special_and_exact_names_come_first(tmp_path):
    path = tmp_path / "scan.npz"
    np.savez(path, **{"CH1 [V]": TRACES, "CH1 V": -TRACES, "CH*": 2 * TRACES, "time [us]": 1e6 * TIMES})
    np.testing.assert_array_equal(read(path, signals="CH1 [V]").signals, TRACES)
    np.testing.assert_array_equal(read(path, signals="CH*").signals, 2 * TRACES)
    assert read(path, signals="CH1*").signals.shape == (24, 400)
    recording = read(path, signals="CH1 [V]")
    assert (recording.sampling_rate, recording.start_time, recording.unit) == (RATE, 5e-6, "V")


def test_a_row_of_times_in_an_array_is_no_trace(tmp_path):
    path = tmp_path / "scan.npy"
    np.save(path, np.vstack([TIMES, TRACES]))
    recording = read(path, axis=1)
    np.testing.assert_array_equal(recording.signals, TRACES)
    assert recording.sampling_rate == pytest.approx(RATE, rel=1e-5)
    assert recording.index.tolist() == list(range(12))


def test_a_missing_sidecar_prints_one_for_this_very_file(tmp_path):
    path = tmp_path / "scan.npz"
    np.savez(path, rf=TRACES, envelope=TRACES, fs=RATE)
    with pytest.raises(FileNotFoundError) as caught:
        read(path)
    text = str(caught.value)
    assert "'rf' (12, 400)" in text
    assert "sampling_rate = 25000000   # Hz, by 'fs'" in text
    assert "Write 'scan.toml'" in text
    lines = text.partition("\n\n")[2].replace("# signals", "signals").replace("# axis", "axis")
    path.with_suffix(".toml").write_text(lines)
    np.testing.assert_array_equal(read(path).signals, TRACES)


def test_labview_channels_bring_their_rate(tmp_path):
    nptdms = pytest.importorskip("nptdms")
    path = tmp_path / "scan.tdms"
    properties = {"wf_increment": 4e-8, "wf_start_offset": -2e-6, "unit_string": "V"}
    channels = [nptdms.ChannelObject("scan", f"CH{i}", TRACES[i].astype(float), properties) for i in range(3)]
    with nptdms.TdmsWriter(path) as writer:
        writer.write_segment(channels)
    recording = read(path, signals="scan/CH*")
    np.testing.assert_array_equal(recording.signals, TRACES[:3])
    assert (recording.sampling_rate, recording.start_time, recording.unit) == (RATE, -2e-6, "V")


def test_formats_that_are_not_read_name_the_converter(tmp_path):
    path = tmp_path / "scan.trc"
    path.write_bytes(b"#9000000700WAVEDESC")
    with pytest.raises(ValueError, match=r"LeCroy.*save as \.csv"):
        read(path)


def test_the_report_says_where_everything_came_from(tmp_path):
    path = tmp_path / "scan.npz"
    np.savez(path, rf=TRACES, t_us=1e6 * TIMES)
    text = report_recording(read(path, unit="V")).to_text()
    for line in ("rate from       't_us'", "start from      't_us'", "unit from       the sidecar", "from 5 µs"):
        assert line in text
