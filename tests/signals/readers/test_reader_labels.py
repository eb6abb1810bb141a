"""Labels and groups beside the traces or in a table elsewhere; folders of files that hold one trace each."""

import types

import numpy as np
import pytest

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
