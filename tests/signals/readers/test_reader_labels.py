"""Labels and groups beside the traces or in a table elsewhere; folders of files that hold one trace each."""

import types

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_usmae.signals.readers import iterate_recordings, read_recordings

TRACES = np.random.default_rng(0).normal(size=(12, 400))
SHARED = 'sampling_rate = 25e6\naxis = 0\nfiles = "*.npy"\n'
TABLE = "file,front,back,ok,specimen\n" + "".join(
    f"shot_{i}.npy,{100 + i},{200 + i},{int(i != 4)},{'AB'[i // 6]}\n" for i in range(12)
)


def write(folder, sidecar, table=TABLE):
    """Twelve files of one trace, more than ten so that the order is that of numbers."""
    for i, trace in enumerate(TRACES):
        np.save(folder / f"shot_{i}.npy", trace)
    (folder / "sidecar.toml").write_text(SHARED + sidecar)
    (folder / "labels.csv").write_text(table)
    return folder


@pytest.mark.parametrize("match", ['match = "file", ', ""])
def test_a_row_for_each_file_and_a_column_that_says_which_are_sure(tmp_path, match):
    onset = f'onset = {{ file = "labels.csv", key = "front", unit = "samples", {match}sure = "ok" }}\n'
    groups = 'groups = { file = "labels.csv", key = "specimen", match = "file" }\n'
    recordings = read_recordings(write(tmp_path, onset + groups))
    found = [recording.onset[0] for recording in recordings]
    np.testing.assert_array_equal(found, [np.nan if i == 4 else 100 + i for i in range(12)])
    assert [recording.groups for recording in recordings] == [(letter,) for letter in "AAAAAABBBBBB"]


def test_several_echoes_from_one_table(tmp_path):
    onset = 'onset = { file = "labels.csv", key = ["front", "back"], unit = "samples", match = "file" }\n'
    (recording,) = read_recordings(write(tmp_path, onset) / "shot_7.npy", tmp_path / "sidecar.toml")
    assert recording.onset.tolist() == [107]
    assert {key: onset.tolist() for key, onset in recording.later_onsets.items()} == {"back": [207]}


def test_a_table_beside_the_sidecar_speaks_of_data_elsewhere(tmp_path):
    onset = 'onset = { file = "labels.csv", key = "front", unit = "samples" }\n'
    data = tmp_path / "data"
    data.mkdir()
    write(data, onset)
    for name in ("sidecar.toml", "labels.csv"):
        (data / name).rename(tmp_path / name)
    assert read_recordings(data, tmp_path / "sidecar.toml")[11].onset[0] == 111


def numbered(folder, table, more=""):
    """A file of 12 traces, and a table of some of them."""
    np.save(folder / "scan.npy", np.sin(np.arange(12 * 400).reshape(12, 400) / 7.0))
    (folder / "labels.csv").write_text(table)
    onset = f'onset = {{ file = "labels.csv", key = "tof", unit = "samples", trace = "trace"{more} }}\n'
    (folder / "scan.toml").write_text("sampling_rate = 50e6\naxis = 1\n" + onset)
    return folder / "scan.npy"


def test_a_table_may_have_rows_of_the_labelled_traces_alone(tmp_path):
    (recording,) = read_recordings(numbered(tmp_path, "trace,tof,ok\n7,120.5,1\n2,90,1\n9,50,0\n", ', sure = "ok"'))
    assert np.flatnonzero(np.isfinite(recording.onset)).tolist() == [2, 7]
    assert recording.onset[[2, 7]].tolist() == [90.0, 120.5]


@given(st.dictionaries(st.integers(0, 11), st.floats(1, 399), min_size=1))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbered_rows_are_the_labels_of_their_traces(tmp_path, labels):
    rows = "".join(f"{trace},{onset!r}\n" for trace, onset in labels.items())
    (recording,) = read_recordings(numbered(tmp_path, "trace,tof\n" + rows))
    assert {int(i): recording.onset[i] for i in np.flatnonzero(np.isfinite(recording.onset))} == labels


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("12,90\n", "row 1 has trace '12'; the number of a trace, from 0 to 11"),
        ("1,90\n1.5,80\n", "row 2 has trace '1.5'"),
        ("-1,90\n", "row 1 has trace '-1'"),
        ("3,90\n3,80\n", "trace 3 more than once"),
    ],
)
def test_numbers_that_are_none_of_a_trace_are_refused(tmp_path, rows, told):
    with pytest.raises(ValueError, match=told):
        read_recordings(numbered(tmp_path, "trace,tof\n" + rows))


def test_numbers_need_a_table_and_of_several_files_their_names(tmp_path):
    path = numbered(tmp_path, "trace,tof\n1,90\n")
    text = (tmp_path / "scan.toml").read_text()
    (tmp_path / "scan.toml").write_text(text.replace('file = "labels.csv", ', ""))
    with pytest.raises(ValueError, match=r"onset\.trace.*needs 'onset\.file'"):
        read_recordings(path)
    (tmp_path / "scan.toml").rename(tmp_path / "all.toml")
    (tmp_path / "all.toml").write_text(text + 'files = "*.npy"\n')
    np.save(tmp_path / "other.npy", np.load(path))
    with pytest.raises(ValueError, match=r"numbers traces of 2 files.*'match'"):
        read_recordings(tmp_path, tmp_path / "all.toml")


def test_a_file_of_one_trace_may_hold_its_label_itself(tmp_path):
    for i in range(3):
        np.savez(tmp_path / f"shot_{i}.npz", scan=np.sin(np.arange(400.0) / 7)[None], tof=np.array([100.0 + i]))
    sidecar = 'sampling_rate = 50e6\naxis = 1\nsignals = "scan"\nonset = { key = "tof", unit = "samples" }\n'
    (tmp_path / "all.toml").write_text(sidecar)
    found = [recording.onset.tolist() for recording in read_recordings(tmp_path, tmp_path / "all.toml")]
    assert found == [[100.0], [101.0], [102.0]]


@pytest.mark.parametrize("rows", [11, 13])
def test_a_table_with_a_row_too_few_or_too_many_is_refused(tmp_path, rows):
    table = "onset\n" + "".join(f"{100 + i}\n" for i in range(rows))
    folder = write(tmp_path, 'onset = { file = "labels.csv", key = "onset", unit = "samples" }\n', table)
    with pytest.raises(ValueError, match=rf"labels 'onset' have {rows} rows, for 12 files.*'match'"):
        read_recordings(folder)


def test_a_linked_table_is_not_followed(tmp_path):
    folder = write(tmp_path, 'onset = { file = "link.csv", key = "onset", unit = "samples" }\n')
    (tmp_path / "secret").write_text("password\n1234\n")
    (folder / "link.csv").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match=r"link\.csv.* is a link") as caught:
        read_recordings(folder)
    assert "password" not in str(caught.value)


def test_files_are_read_one_after_the_other_with_an_error_each(tmp_path):
    folder = write(tmp_path, 'onset = { file = "labels.csv", key = "front", unit = "samples" }\n')
    (folder / "shot_3.npy").write_bytes(b"damaged")
    results = iterate_recordings(folder)
    assert isinstance(results, types.GeneratorType)
    results = dict((path.name, item) for path, item in results)
    assert list(results) == [f"shot_{i}.npy" for i in range(12)]
    failed = {name: item for name, item in results.items() if isinstance(item, Exception)}
    assert list(failed) == ["shot_3.npy"]
    assert "is damaged" in str(failed["shot_3.npy"])
    assert results["shot_4.npy"].onset.tolist() == [104]
    with pytest.raises(ValueError, match=r"shot_3\.npy"):
        read_recordings(folder)


def test_settings_stand_for_a_sidecar_and_come_before_one(tmp_path):
    path = tmp_path / "scan.npy"
    np.save(path, TRACES)
    (recording,) = read_recordings(path, sampling_rate=25e6, axis=1, start_time=1e-6, unit="V", signals=None)
    assert (recording.sampling_rate, recording.start_time, recording.unit) == (25e6, 1e-6, "V")
    path.with_suffix(".toml").write_text("sampling_rate = 1e6\naxis = 0\n")
    assert read_recordings(path, axis=1)[0].sampling_rate == 1e6
    with pytest.raises(ValueError, match=r"the settings.*'axis' must be an integer"):
        read_recordings(path, axis=-1)
    with pytest.raises(ValueError, match="Did you mean 'sampling_rate'"):
        read_recordings(path, sampling_rat=1e6)


def test_notes_in_a_folder_are_no_recordings_but_tables_of_any_name_are(tmp_path):
    np.save(tmp_path / "scan.npy", TRACES)
    (tmp_path / "notes.txt").write_text("gain 40 dB\n")
    assert len(read_recordings(tmp_path, sampling_rate=25e6, axis=1)) == 1
    table = "time,a\n" + "".join(f"{i * 4e-8:.9f},{TRACES[0, i]:.5f}\n" for i in range(400))
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "scope.txt").write_text(table)
    assert read_recordings(tmp_path / "only")[0].sampling_rate == 25e6


def test_a_label_that_is_left_empty_is_none_and_names_may_be_numbers(tmp_path):
    rows = "".join(f"{i:03d};{'' if i % 2 else f'{100.5 + i}'.replace('.', ',')};x\n" for i in range(12))
    onset = 'onset = { file = "labels.csv", key = "front", unit = "samples" }\n'
    groups = 'groups = { file = "labels.csv", key = "specimen" }\n'
    recordings = read_recordings(write(tmp_path, onset + groups, "specimen;front;note\n" + rows))
    found = [recording.onset[0] for recording in recordings]
    np.testing.assert_array_equal(found, [np.nan if i % 2 else 100.5 + i for i in range(12)])
    assert recordings[7].groups == ("007",)
