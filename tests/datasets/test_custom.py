"""Recordings of the user's own, from files to arrays."""

import json

import numpy as np
import pytest
import scipy.signal
import tensorflow_datasets as tfds

from keras_usmae.data import load_arrays, load_builder, prepare
from keras_usmae.signals import SignalConfig, synthesize
from keras_usmae.signals.readers import read_preparation, read_recordings

NAME = "ultrasound_measured/custom"
RATE = 50e6


def write(folder, settings="windows_per_trace = 4\nguard = 2\n", labels=True, num_traces=24):
    """A scan of synthetic traces at 50 MHz of 2048 samples, with labels, one of them missing and one trace dead."""
    folder.mkdir(exist_ok=True)
    data = synthesize(SignalConfig.from_preset("paper"), num_signals=num_traces, seed=3)
    signals, onset = data["signal"] * 100, data["onset"].astype(float)
    onset[4], signals[7] = np.nan, 5.0
    np.savez(folder / "scan.npz", traces=signals, onset=onset)
    sidecar = f'sampling_rate = {RATE}\naxis = 1\nsignals = "traces"\nunit = "counts"\nfull_scale = [-400, 200]\n'
    sidecar += 'onset = { key = "onset", unit = "samples" }\n' if labels else ""
    (folder / "scan.toml").write_text(sidecar)
    (folder / "prepare.toml").write_text(settings)
    return signals, onset


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    root = tmp_path_factory.mktemp("custom")
    signals, onset = write(root / "raw")
    return prepare(load_builder(NAME, root / "data", root / "raw")), signals, onset


def arrays(builder):
    return {split: load_arrays(builder, split, tuple(builder.info.features)) for split in builder.info.splits}


def test_windows_are_slices_of_the_resampled_traces(prepared):
    builder, signals, onset = prepared
    for windows in arrays(builder).values():
        for i in range(len(windows["signal"])):
            trace, start = windows["trace"][i], windows["window_start"][i]
            line = scipy.signal.resample_poly(signals[trace].astype(np.float32), 2, 1, padtype="line")
            np.testing.assert_allclose(windows["signal"][i], line[start : start + 2048] / 400, atol=1e-6)
            assert windows["onset"][i] == pytest.approx(2 * onset[trace] - start, abs=1e-3)
            assert 0 <= windows["onset"][i] <= 2048 - 224
        assert (windows["padding"] == 0).all()
        assert (windows["source_sampling_rate"] == RATE).all()


def test_splits_share_no_trace_and_no_neighbours(prepared):
    traces = {split: set(windows["trace"].tolist()) for split, windows in arrays(prepared[0]).items()}
    assert set(traces) == {"train", "validation", "test"}
    for one, other in (("train", "validation"), ("validation", "test"), ("train", "test")):
        assert min(abs(a - b) for a in traces[one] for b in traces[other]) > 2
    assert not {4, 7} & set.union(*traces.values())


def test_the_prepared_folder_says_what_was_read(prepared):
    builder = prepared[0]
    metadata = json.loads((builder.data_path / "metadata.json").read_text())
    assert metadata == dict(builder.info.metadata)
    assert metadata["sampling_rate"] == 100e6
    (recording,) = metadata["recordings"]
    assert recording["num_traces"] == 23
    assert recording["rejected"] == [["traces[7]", "all samples are 5"]]
    assert "SNR estimate" in metadata["report"][0]
    reasons = dict(metadata["left_out"])
    assert "no label" in reasons["scan.npz: traces[4]"]
    assert sum("between two splits" in reason for reason in reasons.values()) >= 3
    assert metadata["windows"] == {name: split.num_examples for name, split in builder.info.splits.items()}


def test_tfds_reads_it(tmp_path):
    write(tmp_path / "raw")
    load_builder(NAME, data_dir="unused")  # makes the name known to TFDS
    arguments = {"data_dir": tmp_path / "data", "builder_kwargs": {"raw_dir": tmp_path / "raw"}}
    dataset = tfds.load(NAME, split="train", as_supervised=True, **arguments)
    signal, onset = next(iter(dataset))
    assert signal.shape == (2048,)
    assert 0 <= float(onset) <= 2048 - 224


def test_recordings_without_labels(tmp_path):
    write(tmp_path / "raw", settings="signal_length = 1024\nsampling_rate = 60e6\n", labels=False)
    builder = prepare(load_builder(NAME, tmp_path / "data", tmp_path / "raw"))
    assert builder.info.metadata["labelled"] is False
    train = arrays(builder)["train"]
    assert train["signal"].shape[1] == 1024
    assert np.isnan(train["onset"]).all()
    # Two windows of 1024 follow on each other in 2458 samples; the trace that is constant is not there.
    assert sorted(set(train["window_start"].tolist())) == [0, 1024]
    # Loaded again without its folder, the length comes from the metadata.
    assert load_arrays(load_builder(NAME, tmp_path / "data"), "train")["signal"].shape[1] == 1024


def test_short_traces_are_padded_only_if_that_is_stated(tmp_path):
    write(tmp_path / "raw", settings="signal_length = 4608\nroom = 1e-6", labels=False)
    with pytest.raises(ValueError, match=r"No trace of 'scan.npz' gives a window.*4,096 samples.*fewer than the 4,608"):
        prepare(load_builder(NAME, tmp_path / "data", tmp_path / "raw"))
    assert not (tmp_path / "data").exists()
    (tmp_path / "raw" / "prepare.toml").write_text("signal_length = 4608\npad = true")
    windows = arrays(prepare(load_builder(NAME, tmp_path / "data", tmp_path / "raw")))["train"]
    assert (windows["padding"] == 512).all()
    assert (windows["signal"][:, 4096:] == windows["signal"][:, -1:]).all()


def test_another_folder_is_not_taken_for_the_prepared_one(tmp_path):
    write(tmp_path / "raw")
    prepare(load_builder(NAME, tmp_path / "data", tmp_path / "raw"))
    load_builder(NAME, tmp_path / "data", tmp_path / "raw")
    write(tmp_path / "raw", settings="windows_per_trace = 5\nguard = 2\n")
    with pytest.raises(ValueError, match="prepared from other recordings, sidecars or settings"):
        load_builder(NAME, tmp_path / "data", tmp_path / "raw")


def test_stated_splits(tmp_path):
    splits = "splits = { train = [[0, 9], [20, 23]], validation = [[12, 18]] }\n"
    write(tmp_path / "raw", settings=splits)
    windows = arrays(prepare(load_builder(NAME, tmp_path / "data", tmp_path / "raw")))
    assert set(windows) == {"train", "validation"}
    assert set(windows["validation"]["trace"]) == set(range(12, 19))
    (tmp_path / "raw" / "prepare.toml").write_text('splits = { train = ["*.npz"], validation = [[12, 18]] }')
    with pytest.raises(ValueError, match=r"Trace 12 of 'scan.npz' is in two"):
        prepare(load_builder(NAME, tmp_path / "other", tmp_path / "raw"))


def write_files(folder, sidecar, settings, lengths=(4096,) * 12):
    """A file for each of some traces, with two echoes and a specimen in a table for all."""
    folder.mkdir()
    for i, length in enumerate(lengths):
        np.save(folder / f"shot_{i}.npy", np.random.default_rng(i).normal(size=length))
    rows = "".join(f"shot_{i}.npy,{300 + i},{2400 + i},{'abc'[i % 3]}\n" for i in range(len(lengths)))
    (folder / "labels.csv").write_text("file,front,back,specimen\n" + rows)
    (folder / "sidecar.toml").write_text('sampling_rate = 100e6\nfiles = "*.npy"\n' + sidecar)
    (folder / "prepare.toml").write_text(settings)
    return folder


def test_files_of_one_trace_are_split_whole(tmp_path):
    windows = arrays(prepare(load_builder(NAME, tmp_path / "data", write_files(tmp_path / "raw", "", "guard = 1"))))
    files = {split: sorted(set(part["recording"].tolist())) for split, part in windows.items()}
    assert files == {"train": [0, 1, 2, 3, 4, 5], "validation": [7, 8], "test": [10, 11]}


def test_groups_stay_together(tmp_path):
    groups = 'groups = { key = "specimen", file = "labels.csv", match = "file" }\n'
    windows = arrays(prepare(load_builder(NAME, tmp_path / "data", write_files(tmp_path / "raw", groups, ""))))
    assert [set(part["recording"] % 3) for part in windows.values()] == [{0}, {1}, {2}]
    (tmp_path / "raw" / "prepare.toml").write_text('splits = { train = ["b"], validation = ["a", "c"] }')
    windows = arrays(prepare(load_builder(NAME, tmp_path / "stated", tmp_path / "raw")))
    assert [set(part["recording"] % 3) for part in windows.values()] == [{1}, {0, 2}]


def test_each_of_several_echoes_has_windows_without_the_one_before(tmp_path):
    onset = 'onset = { key = ["front", "back"], unit = "samples", file = "labels.csv", match = "file" }\n'
    folder = write_files(tmp_path / "raw", onset, "signal_length = 1024\nwindows_per_trace = 3\n")
    train = arrays(prepare(load_builder(NAME, tmp_path / "data", folder)))["train"]
    absolute = train["onset"] + train["window_start"]
    assert set(absolute.tolist()) == {float(first + i) for i in range(6) for first in (300, 2400)}
    later = absolute > 2000
    assert (train["window_start"][later] >= 300 + 224).all()


def test_room_is_that_of_the_rate(tmp_path):
    onset = 'onset = { key = "front", unit = "samples", file = "labels.csv", match = "file" }\n'
    folder = write_files(tmp_path / "raw", onset, "sampling_rate = 25e6\nsignal_length = 512\nwindows_per_trace = 64")
    assert read_preparation(folder).room_samples == 224
    windows = arrays(prepare(load_builder(NAME, tmp_path / "data", folder)))["train"]
    assert windows["onset"].max() <= 512 - 224


def test_a_file_that_gives_no_window_is_an_error_with_its_own_reason(tmp_path):
    folder = write_files(tmp_path / "raw", "", "guard = 0", lengths=(4096,) * 8 + (400,))
    with pytest.raises(ValueError, match=r"No trace of 'shot_8.npy'.*its 400 samples.*2,048.*'pad'.*leave_out"):
        prepare(load_builder(NAME, tmp_path / "data", folder))
    (folder / "prepare.toml").write_text('guard = 0\nleave_out = ["shot_8.npy"]')
    builder = prepare(load_builder(NAME, tmp_path / "data", folder))
    assert len(builder.info.metadata["recordings"]) == 8


def test_the_drift_of_an_odd_rate_is_in_the_report(tmp_path):
    write(tmp_path / "raw", labels=False)
    sidecar = (tmp_path / "raw" / "scan.toml").read_text().replace(str(RATE), "20.8333e6")
    (tmp_path / "raw" / "scan.toml").write_text(sidecar)
    builder = prepare(load_builder(NAME, tmp_path / "data", tmp_path / "raw"))
    assert "resampled by 24/5, the nearest simple ratio" in builder.info.metadata["report"][0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("split_by = 'row'", "'split_by' must be one of"),
        ("sampling_rat = 1e6", "Did you mean 'sampling_rate'"),
        ("guard = -1", "'guard' must be an integer of 0 or more"),
        ("splits = { train = [[3, 1]], validation = ['a'] }", "'splits' must be"),
        ("splits = { train = [[0, 1]] }", "'splits' must be"),
        ("data = 'elsewhere'", "'data' names"),
    ],
)
def test_errors_of_the_settings_come_before_any_work(tmp_path, text, message):
    write(tmp_path / "raw", settings=text)
    with pytest.raises(ValueError, match=rf"prepare\.toml.*{message}"):
        load_builder(NAME, tmp_path / "data", tmp_path / "raw")


def test_no_recordings(tmp_path, monkeypatch):
    monkeypatch.delenv("DATA_DIR", raising=False)
    with pytest.raises(FileNotFoundError, match=r"no recordings to prepare\. Pass a folder"):
        prepare(load_builder(NAME, tmp_path / "data"))
    with pytest.raises(FileNotFoundError, match="no file or folder"):
        load_builder(NAME, tmp_path / "data", tmp_path / "nowhere")


@pytest.mark.measured
def test_open_hardware_recordings(tmp_path, measured_dir, repository, monkeypatch):
    """The worked case: three set-ups of a step block in three splits, and recordings without labels."""
    sidecars = repository / "datasets" / "ultrasound_measured" / "sidecars"
    for name in ("pic0rick", "un0rick"):
        text = (sidecars / f"prepare_{name}.toml").read_text()
        text = text.replace("../../../../shared/data/measured", str(measured_dir.resolve()))
        (tmp_path / f"prepare_{name}.toml").write_text(text)
        (tmp_path / f"{name}.toml").write_bytes((sidecars / f"{name}.toml").read_bytes())
    labelled = prepare(load_builder(NAME, tmp_path / "labelled", tmp_path / "prepare_pic0rick.toml"))
    (recording,) = read_recordings(measured_dir / "openhw_pic0rick_un0rick", sidecars / "pic0rick.toml")
    for windows in arrays(labelled).values():
        absolute = (windows["onset"] + windows["window_start"]) * 0.6
        np.testing.assert_allclose(absolute, recording.onset[windows["trace"]], atol=1e-2)
    traces = [sorted(set(windows["trace"].tolist())) for windows in arrays(labelled).values()]
    assert traces == [list(range(22)), [22, 23, 24], [25, 26, 27]]
    unlabelled = prepare(load_builder(NAME, tmp_path / "unlabelled", tmp_path / "prepare_un0rick.toml"))
    assert unlabelled.info.metadata["labelled"] is False
    windows = arrays(unlabelled)
    assert [set(part["recording"].tolist()) for part in windows.values()] == [{0}, {1}]
    assert read_preparation(tmp_path / "prepare_un0rick.toml").skip == 10e-6
