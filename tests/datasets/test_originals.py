"""Reading of the originals: what is right is read, what is wrong is refused by name. Uses the synthetic dummy files."""

import hashlib

import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SHAPES = {
    "plane_scan": (4440, 564, 12.5e6, 81e-6),
    "copper_block": (301, 5700, 100e6, 55e-6),
    "copper_array": (1024, 1250, 50e6, 28e-6),
    "steel_pins": (1024, 1750, 50e6, 40e-6),
}


@pytest.fixture
def folder(measured, dummy_paths, tmp_path, monkeypatch):
    """A local folder whose files, the dummies, are taken for the originals."""
    monkeypatch.delenv("DATA_DIR", raising=False)
    for name, path in dummy_paths.items():
        content = path.read_bytes()
        (tmp_path / path.name).write_bytes(content)
        genuine = measured.originals.Original(path.name, len(content), hashlib.sha256(content).hexdigest())
        monkeypatch.setitem(measured.originals.ORIGINALS, name, genuine)
    return tmp_path


@pytest.mark.parametrize("name", SHAPES)
def test_scans_have_their_shape_and_clock(measured, dummy_paths, name):
    scan = measured.originals.read_scan(name, dummy_paths[name])
    num_records, num_samples, sampling_rate, start_time = SHAPES[name]
    assert scan.records.shape == (num_records, num_samples)
    assert scan.records.dtype == np.float32
    assert scan.position.shape == (num_records, 2)
    assert len(np.unique(scan.position, axis=0)) == num_records
    assert (scan.sampling_rate, scan.start_time) == pytest.approx((sampling_rate, start_time))


def test_rows_of_the_plane_scan_are_where_their_position_says(measured, dummy_paths):
    data = scipy.io.loadmat(dummy_paths["plane_scan"])["ptxy"]
    scan = measured.originals.read_scan("plane_scan", dummy_paths["plane_scan"])
    for row in (0, 39, 40, 4439):
        ix, iy = scan.position[row]
        np.testing.assert_array_equal(scan.records[row], data[:, ix, iy])


def test_rows_of_an_array_are_where_their_position_says(measured, dummy_paths):
    cells = scipy.io.loadmat(dummy_paths["steel_pins"])["data"]
    scan = measured.originals.read_scan("steel_pins", dummy_paths["steel_pins"])
    for row in (0, 31, 32, 1023):
        tx, rx = scan.position[row]
        np.testing.assert_array_equal(scan.records[row], cells[tx - 1, 0][:, rx - 1])


def test_dummy_files_are_what_the_script_makes(measured, dummy_paths, tmp_path):
    measured.make_dummy_data.main(tmp_path)
    for name, path in dummy_paths.items():
        made = measured.originals.read_scan(name, tmp_path / path.name)
        np.testing.assert_array_equal(made.records, measured.originals.read_scan(name, path).records)
    assert sum(path.stat().st_size for path in dummy_paths.values()) < 200_000


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.0, 0.999), name=st.sampled_from(sorted(SHAPES)))
def test_a_truncated_file_is_refused_wherever_it_ends(measured, dummy_paths, tmp_path, name, share):
    content = dummy_paths[name].read_bytes()
    path = tmp_path / "truncated.mat"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"truncated\.mat'.*(fetch it again|Fetch it again)"):
        measured.originals.read_scan(name, path)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0.0, 0.999), value=st.integers(0, 255), name=st.sampled_from(sorted(SHAPES)))
def test_a_damaged_file_is_refused_or_read_whole(measured, dummy_paths, tmp_path, name, place, value):
    content = bytearray(dummy_paths[name].read_bytes())
    content[int(place * len(content))] = value
    path = tmp_path / "damaged.mat"
    path.write_bytes(content)
    try:
        scan = measured.originals.read_scan(name, path)
    except ValueError:
        return  # any other error is a failure
    assert scan.records.shape == SHAPES[name][:2]
    assert np.isfinite(scan.records).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"ptx": np.zeros((5700, 300))},
            r"'ptx' in .* must hold numbers of shape \(5700, 301\), but holds float64 of shape",
        ),
        ({"ptx": np.full((5700, 301), np.nan)}, r"holds 1715700 samples that are NaN or infinite"),
        ({"ptx": np.array(["text"])}, r"must hold numbers of shape \(5700, 301\)"),
        ({"fs": 50e6}, r"'fs' in .* must be 1e\+08, but is \[\[50000000.0\]\]"),
        ({"tDelay": None}, r"holds no variable 'tDelay'"),
    ],
)
def test_a_file_with_other_content_is_refused(measured, tmp_path, changes, message):
    content = {"ptx": np.zeros((5700, 301)), "fs": 100e6, "tDelay": 55e-6} | changes
    path = tmp_path / "other.mat"
    scipy.io.savemat(path, {key: value for key, value in content.items() if value is not None}, do_compression=True)
    with pytest.raises(ValueError, match=message):
        measured.originals.read_scan("copper_block", path)


def test_a_file_that_is_no_matlab_file_is_refused(measured, tmp_path):
    path = tmp_path / "page.mat"
    path.write_text("<html>404: Not Found</html>" * 20)
    with pytest.raises(ValueError, match=r"page\.mat' cannot be read as a MATLAB 5 file"):
        measured.originals.read_scan("copper_block", path)


def test_an_array_with_a_short_cell_is_refused(measured, tmp_path):
    cells = np.empty((32, 1), dtype=object)
    for index in range(32):
        cells[index, 0] = np.zeros((1250, 31 if index == 4 else 32), np.int16)
    path = tmp_path / "short.mat"
    scipy.io.savemat(path, {"data": cells, "fs": 50, "MWB": 28, "cp": 1480})
    with pytest.raises(ValueError, match=r"'data\{5\}' in .* must hold numbers of shape \(1250, 32\)"):
        measured.originals.read_scan("copper_array", path)


def test_no_folder_means_a_download(measured, monkeypatch):
    monkeypatch.delenv("DATA_DIR", raising=False)
    assert measured.originals.find_local() is None


def test_files_are_found_side_by_side_and_in_their_folders(measured, folder, monkeypatch):
    assert set(measured.originals.find_local(folder)) == set(SHAPES)
    (folder / "synaptus_array_fmc").mkdir()
    (folder / "ArraySteelPins.mat").rename(folder / "synaptus_array_fmc" / "ArraySteelPins.mat")
    monkeypatch.setenv("DATA_DIR", str(folder))
    assert measured.originals.find_local()["steel_pins"].parent.name == "synaptus_array_fmc"


def test_a_missing_folder_is_named(measured, tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"nowhere', does not exist.*unset DATA_DIR"):
        measured.originals.find_local()


def test_a_missing_file_is_named(measured, folder):
    (folder / "CopperBlock_2degtTilt.mat").unlink()
    with pytest.raises(FileNotFoundError, match=r"CopperBlock_2degtTilt\.mat is neither in .* Complete the folder"):
        measured.originals.find_local(folder)


def test_a_wrong_checksum_is_named(measured, folder):
    with (folder / "CopperBlock_2degtTilt.mat").open("ab") as file:
        file.write(b"\0")
    genuine = measured.originals.ORIGINALS["copper_block"].sha256
    with pytest.raises(
        ValueError, match=rf"not the original: its SHA-256 is .* expected {genuine} .*Fetch it again from"
    ):
        measured.originals.find_local(folder)


def test_checksums_file_agrees_with_the_table(measured, repository):
    lines = (repository / "datasets/ultrasound_measured/checksums.tsv").read_text().splitlines()
    expected = {
        f"{original.url}\t{original.size}\t{original.sha256}\t{original.filename}"
        for original in measured.originals.ORIGINALS.values()
    }
    assert set(lines) == expected
    assert all(measured.originals.COMMIT in line for line in lines)


@pytest.mark.measured
def test_the_measured_originals_pass_their_checksums(measured, measured_dir):
    assert set(measured.originals.find_local(measured_dir)) == set(SHAPES)
