"""The stand-ins for instruments' files in shared/cases, each with what it holds."""

import json
import shutil

import numpy as np
import pytest

from keras_usmae.signals.readers import read_recordings
from tests.conftest import REPOSITORY

CASES = REPOSITORY.parent / "shared" / "cases" / "readers"
EXPECTED = json.loads((CASES / "expected.json").read_text()) if CASES.is_dir() else {}
# What the files cannot say: which array of a structure, the axis of a bare array, the rate of bare files.
STATED = {
    "struct_v5.mat": {"signals": "capture/rf"},
    "struct_v73.mat": {"signals": "capture/rf"},
    "filters.h5": {"signals": "signals", "axis": 1},
}
COLUMNS = {
    "level4.mat": [0],
    "scope_sequence.csv": [0, 1],
    "scope_side_by_side.csv": [2],
    "scope_two_headers.csv": [3, 4],
    "scope_preamble.csv": [5],
    "scope_units_blank.csv": [6, 7],
    "semicolon_comma.csv": [8],
    "frames.mfmc": [*range(12), *range(11, -1, -1)],
    "matrix.nde": list(range(9)),
}

needs_cases = pytest.mark.skipif(not EXPECTED, reason="shared/cases is not here")


@needs_cases
@pytest.mark.parametrize("name", EXPECTED)
def test_case(name):
    expected = EXPECTED[name]
    recordings = read_recordings(CASES / name, **STATED.get(name, {}))
    assert sum(len(recording.signals) + len(recording.rejected) for recording in recordings) == expected["traces"]
    traces = np.load(CASES / "traces.npy")[COLUMNS.get(name, list(range(12)))]
    for recording in recordings:
        assert recording.signals.shape[1] == expected["samples"]
        assert recording.sampling_rate == expected["sampling_rate"]
        assert recording.start_time == expected.get("start_time", 0.0)
    wanted = traces if len(recordings) > 1 else traces[recordings[0].index]
    for found, trace in zip(np.concatenate([recording.signals for recording in recordings]), wanted, strict=True):
        assert np.corrcoef(found, trace)[0, 1] > 0.998  # counts are rounded


@needs_cases
@pytest.mark.parametrize("name", sorted(set(EXPECTED) - {"one_per_file"}))
def test_another_rate_than_the_file_states_is_refused(name):
    with pytest.raises(ValueError, match=r"25000000 Hz, but its sidecar 20000000 Hz"):
        read_recordings(CASES / name, **{**STATED.get(name, {}), "sampling_rate": 20e6})


@needs_cases
def test_labels_of_files_of_one_trace(tmp_path):
    folder = tmp_path / "one"
    shutil.copytree(CASES / "one_per_file", folder, copy_function=shutil.copyfile)
    folder.chmod(0o755)
    onset = {"file": "labels.csv", "key": "onset", "unit": "samples", "sure": "ok"}
    recordings = read_recordings(folder, onset=onset)
    onsets = [recording.onset[0] for recording in recordings]
    np.testing.assert_array_equal(onsets, [np.nan if i in (0, 5, 10) else 120 + 3.5 * i for i in range(12)])
