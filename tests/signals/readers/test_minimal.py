"""The sidecar that an error prints for a file that has none."""

import numpy as np
import pytest
import scipy.io

from keras_usmae.signals.readers import read_recordings, read_sidecar
from tests import reader_files


def printed(path):
    """The text between the message and its end, of a file that is not read by itself."""
    with pytest.raises(FileNotFoundError, match=r"has no sidecar, and needs one") as error:
        read_recordings(path)
    return str(error.value).split(":\n\n", 1)[1]


@pytest.mark.parametrize(
    ("rate", "expected"), [(50.0, "50000000   # Hz, if in MHz"), (62500.0, "62500000   # Hz, if in kHz")]
)
def test_a_rate_without_a_unit_is_proposed_in_the_one_of_this_field(tmp_path, rate, expected):
    path = tmp_path / "scan.mat"
    scipy.io.savemat(path, {"fs": rate, "traces": reader_files.TRACES})
    text = printed(path)
    assert f"# sampling_rate = {expected}: 'fs' gives {rate:g} without a unit" in text


def test_once_its_comments_are_taken_off_it_reads_the_file(tmp_path):
    path = tmp_path / "scan.mat"
    scipy.io.savemat(path, {"fs": 50.0, "traces": reader_files.TRACES})
    lines = printed(path).splitlines()[1:]  # the first tells what the file holds
    path.with_suffix(".toml").write_text("\n".join(line.removeprefix("# ") for line in lines) + "\n")
    assert read_sidecar(path.with_suffix(".toml")).sampling_rate == 50e6
    (recording,) = read_recordings(path)
    np.testing.assert_allclose(recording.signals, reader_files.TRACES)
