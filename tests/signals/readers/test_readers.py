"""Round trips and damage: each file reads right, or a ValueError says what is wrong."""

import dataclasses
import io
import struct
import zipfile

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_usmae.signals import SignalConfig, synthesize
from keras_usmae.signals.readers import (
    estimate_snr,
    make_recording,
    read_recordings,
    report_recording,
    resample_recording,
)
from keras_usmae.signals.readers.plots import plot_recording
from tests.reader_files import FORMATS, RATE, TRACES, read, write

FUZZ = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("kind", FORMATS)
def test_round_trip(tmp_path, kind):
    recording = read(write(tmp_path, kind))
    np.testing.assert_array_equal(recording.signals, TRACES)
    assert recording.signals.dtype == np.float32
    assert recording.sampling_rate == RATE
    assert recording.onset is None


@pytest.mark.parametrize("dtype", [">f4", "<f8", ">i2", "u2", "i1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_byte_orders_and_integers(tmp_path, dtype, order):
    traces = np.asarray(np.abs(TRACES) % 100, dtype=dtype, order=order)
    np.testing.assert_array_equal(read(write(tmp_path, "npy", traces)).signals, traces.astype(np.float32))


@pytest.mark.parametrize("kind", ["npy", "npz", "mat", "h5"])
@pytest.mark.parametrize(
    ("traces", "message"),
    [(TRACES * 1j, "complex|dtype"), (TRACES[:0], "empty|no arrays"), (np.full((5, 64), np.nan), "none of 5 traces")],
)
def test_wrong_arrays(tmp_path, kind, traces, message):
    with pytest.raises(ValueError, match=message):
        read(write(tmp_path, kind, traces))


@pytest.mark.parametrize("kind", FORMATS)
def test_transposed_and_too_large(tmp_path, kind):
    with pytest.raises(ValueError, match="'samples' is 5"):
        read(write(tmp_path, kind, extra="samples = 5"))
    with pytest.raises(ValueError, match="max_bytes"):
        read(write(tmp_path, kind, extra="max_bytes = 500"))


def test_axis_is_never_guessed(tmp_path):
    path = write(tmp_path, "npy")
    (tmp_path / "scan.toml").write_text("sampling_rate = 1e6")
    with pytest.raises(ValueError, match=r"\(5, 64\).*'axis'"):
        read(path)


def test_bad_traces_are_left_out_with_a_reason(tmp_path):
    traces = TRACES.copy()
    traces[0, 3], traces[1], traces[2] = np.nan, 7, TRACES[2].view(np.int32).byteswap().view(np.float32)
    recording = read(write(tmp_path, "npy", traces))
    np.testing.assert_array_equal(recording.index, [3, 4])
    reasons = dict(recording.rejected)
    assert "1 of 64 samples are NaN" in reasons["scan[0]"]
    assert "all samples are 7" in reasons["scan[1]"]
    assert "scan[2]" in reasons


def test_labels_and_their_units(tmp_path):
    path = write(tmp_path, "npz", extra='start_time = 1e-6\nsignals = "traces"\nonset = { key = "tof", unit = "us" }')
    np.savez(path, traces=TRACES, tof=[1.0, 2.0, np.nan, 3.0, 90.0])
    recording = read(path)
    np.testing.assert_allclose(recording.onset, [0, 10, np.nan, 20], atol=1e-9)
    assert recording.rejected[0][0] == "traces[4]"
    report = report_recording(recording)
    np.testing.assert_allclose(report.tof_range, (1e-6, 3e-6))
    assert report.num_labels == 3
    assert "1 rejected" in report.to_text()
    assert '"num_traces": 4' in report.to_json()
    assert len(plot_recording(recording).subfigs) == 2


def test_csv_columns(tmp_path):
    path = write(tmp_path, "csv", extra='signals = "s*"\nonset = { key = "tof", unit = "samples" }')
    names = ",".join(f"s{i}" for i in range(20))
    rows = [",".join(str((i * i + row) % 7) for i in range(20)) for row in range(2)]
    path.write_text(f'note,{names},tof\n"a, b",{rows[0]},1\nc,{rows[1]},2\n')
    recording = read(path)
    np.testing.assert_array_equal(recording.signals, [[float(cell) for cell in row.split(",")] for row in rows])
    np.testing.assert_array_equal(recording.onset, [1, 2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sampling_rate = -1", "'sampling_rate' must be"),
        ("sampling_rat = 1", "Did you mean 'sampling_rate'"),
        ("axis = = 1", "line 1"),
        ("onset = { key = 'a', unit = 'h' }", "'onset.unit'"),
        ("onset = { key = 'a', unit = 's', file = '../b.csv' }", "'onset.file'"),
        ("axis = true", "'axis'"),
    ],
)
def test_sidecar_errors_name_file_and_key(tmp_path, text, message):
    path = write(tmp_path, "npy")
    (tmp_path / "scan.toml").write_text(text)
    with pytest.raises(ValueError, match=rf"scan\.toml.*{message}"):
        read(path)


def test_pickles_are_refused(tmp_path):
    path = write(tmp_path, "npy")
    np.save(path, np.array([{}, {}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="dtype object"):
        read(path)


@pytest.mark.parametrize("kind", ["npy", "npz", "h5", "wav"])
def test_enormous_headers(tmp_path, kind):
    path = write(tmp_path, kind)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**40, 2**10)})
    if kind == "npy":
        path.write_bytes(header.getvalue())
    elif kind == "npz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("traces.npy", header.getvalue())
    elif kind == "h5":
        with h5py.File(path, "w") as file:
            file.create_dataset("traces", (2**30, 2**20), "f8", chunks=(1, 64))
    else:
        data = bytearray(path.read_bytes())
        at = data.index(b"data")
        data[at + 4 : at + 8] = struct.pack("<I", 2**32 - 1)
        path.write_bytes(data)
    with pytest.raises(ValueError, match="states"):
        read(path)


def test_hdf5_links_out_of_the_file_are_not_followed(tmp_path):
    write(tmp_path, "h5").rename(tmp_path / "other.h5")
    path = write(tmp_path, "nde")
    with h5py.File(path, "w") as file:
        file["traces"] = h5py.ExternalLink("other.h5", "group/traces")
    with pytest.raises(ValueError, match="no arrays"):
        read(path)


@pytest.mark.parametrize("kind", FORMATS)
@FUZZ
@given(data=st.data())
def test_truncated_and_mutated(tmp_path, kind, data):
    path = write(tmp_path, kind)
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        recording = read(path)
    except ValueError as error:
        message = str(error)
    else:
        message = recording.source
        assert np.isfinite(recording.signals).all()
    assert "scan" in message


@pytest.mark.parametrize("kind", FORMATS)
def test_mislabelled(tmp_path, kind):
    path = write(tmp_path, kind)
    suffixes = {f".{other.removeprefix('v73.')}" for other in FORMATS} - {path.suffix}
    if kind in ("h5", "nde", "v73.mat"):
        suffixes -= {".h5", ".nde"}  # HDF5 under either name
    for suffix in sorted(suffixes):
        path = path.rename(path.with_suffix(suffix))
        with pytest.raises(ValueError, match="scan"):
            read(path)


def test_resampling_keeps_time(tmp_path):
    extra = 'signals = "traces"\nonset = { key = "onset", unit = "samples" }'
    path = write(tmp_path, "npz", extra=extra)
    pulse = np.exp(-(((np.arange(400) - 150) / 12.0) ** 2))[None]
    np.savez(path, traces=pulse, onset=[150.0])
    faster = resample_recording(read(path), RATE * 5 / 3)
    assert faster.onset[0] == 250
    assert abs(int(faster.signals[0].argmax()) - 250) <= 1


def test_rates_that_make_no_simple_ratio_drift_by_what_is_said(tmp_path):
    """20.8333 MHz is 5 / 24 of 100 MHz but for 1.6e-6; a long record at an odd rate is off by too much."""
    path = write(tmp_path, "npy", np.random.default_rng(0).standard_normal((1, 4000)))
    slow = resample_recording(read_recordings(path, sampling_rate=20.8333e6)[0], 100e6)
    assert slow.signals.shape == (1, 19_200)
    (doubt,) = slow.provenance.doubts
    assert "resampled by 24/5" in doubt
    assert "off by 0.031 samples" in doubt
    assert resample_recording(read(path), RATE * 2).provenance.doubts == ()
    long = make_recording("scan", np.tile(TRACES, (1, 6000)), RATE, None, list("abcde"), "", None, 0.0)
    with pytest.raises(ValueError, match="no ratio of integers up to 1000, and the nearest drifts by"):
        resample_recording(long, RATE * 1.0005123)


@pytest.mark.parametrize(
    ("preset", "snr_db", "stated"),
    [("paper", 0, (-1.3, 1.4, 6.2))]
    + [("paper", snr_db, (-1.7, 0.0, 1.7)) for snr_db in (10, 20, 30, 40)]
    + [("quickstart", snr_db, (-0.8, 1.2, 7.3)) for snr_db in (10, 20, 30, 40)],
)
def test_snr_estimate_errs_as_stated(preset, snr_db, stated):
    """5th, 50th and 95th percentile of the error, as its docstring has them, to 0.5 dB (1 dB at the upper end)."""
    config = dataclasses.replace(SignalConfig.from_preset(preset), snr_db=(snr_db, snr_db), adc_bits=())
    data = synthesize(config, num_signals=300, seed=1)
    error = np.percentile(estimate_snr(data["signal"]) - snr_db, [5, 50, 95])
    assert (np.abs(error - stated) < (0.5, 0.5, 1.0)).all(), error


def test_snr_estimate_is_that_of_a_known_burst():
    """A rectangular burst has no end to argue about: what is left is the error of the method."""
    time = np.arange(4000)
    burst = np.where((time >= 1500) & (time < 1900), np.sin(0.15 * time), 0)
    noise = np.random.default_rng(0).standard_normal((50, 4000))
    for snr_db in (5, 10, 20, 40):
        signals = burst + noise * np.sqrt(0.5) * 10 ** (-snr_db / 20)
        error = estimate_snr(signals + 3) - snr_db
        assert np.abs(error).max() < 1.5
    assert np.isinf(estimate_snr(burst[None])[0])


@pytest.mark.measured
def test_open_hardware_recordings(measured_dir, repository):
    sidecars = repository / "datasets" / "ultrasound_measured" / "sidecars"
    folder = measured_dir / "openhw_pic0rick_un0rick"
    (recording,) = read_recordings(folder, sidecars / "pic0rick.toml")
    report = report_recording(recording)
    assert (report.num_traces, report.num_samples, report.num_labels) == (28, 8000, 28)
    np.testing.assert_allclose(report.onset_range, (1008.15, 2235.6), atol=0.1)
    assert report.clipped_traces == pytest.approx(24 / 28)
    for recording in read_recordings(folder, sidecars / "un0rick.toml"):
        assert recording.signals.shape == (32, 16384)
        assert recording.sampling_rate == 64e6
