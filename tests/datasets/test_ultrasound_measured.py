import types

import numpy as np
import pytest
import requests
import tensorflow_datasets as tfds

from keras_usmae.data import load_arrays, load_builder, prepare

NAME = "ultrasound_measured"
FILES = {
    "plane_scan": "PlaneScan3D_PlexiAluFBH.mat",
    "copper_block": "CopperBlock_2degtTilt.mat",
    "copper_array": "ArrayCuBlockStationary.mat",
    "steel_pins": "ArraySteelPins.mat",
}


def builder_class():
    return type(load_builder(NAME, data_dir="unused"))


def small_config(with_noise=True):
    template = builder_class().builder_configs["paper"]
    return type(template)(
        name="small",
        description="A few windows.",
        num_windows={"train": 12, "validation": 6, "test": 6},
        with_noise=with_noise,
    )


class UltrasoundMeasuredTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = builder_class()
    SPLITS = {"train": 12, "validation": 6, "test": 6}  # noqa: RUF012
    BUILDER_CONFIG_NAMES_TO_TEST = [small_config()]  # noqa: RUF012
    DL_DOWNLOAD_RESULT = FILES

    def setUp(self):
        patch = pytest.MonkeyPatch()
        patch.delenv("DATA_DIR", raising=False)  # the dummies stand for a download
        self.addCleanup(patch.undo)
        super().setUp()


@pytest.fixture(autouse=True)
def server(monkeypatch):
    """A server that answers; what it sends is up to each test."""
    monkeypatch.setattr("requests.head", lambda url, **options: types.SimpleNamespace(close=lambda: None))


def test_no_answer_is_told_at_once_with_the_way_out(tmp_path, monkeypatch):
    def silent(url, **options):
        raise requests.ConnectTimeout(url)

    monkeypatch.setattr("requests.head", silent)
    monkeypatch.delenv("DATA_DIR", raising=False)
    with pytest.raises(ConnectionError, match=r"no answer from https.*Set DATA_DIR"):
        prepare(load_builder(f"{NAME}/paper", data_dir=tmp_path / "data"))
    assert not (tmp_path / "data").exists()


def test_configs_and_splits():
    configs = builder_class().builder_configs
    assert set(configs) == {"paper", "clean", "custom"}
    for name in ("paper", "clean"):
        config = configs[name]
        assert config.num_windows == {"train": 6400, "validation": 1600, "test": 1600}
    assert load_builder(NAME, data_dir="unused").builder_config.name == "paper"


@pytest.mark.parametrize("damage", ["missing", "corrupt", "no folder"])
def test_bad_originals_leave_nothing_behind(tmp_path, damage):
    raw, data = tmp_path / "raw", tmp_path / "data"
    if damage != "no folder":
        raw.mkdir()
    if damage == "corrupt":
        for name in FILES.values():
            (raw / name).write_bytes(b"not the original")
    error = ValueError if damage == "corrupt" else FileNotFoundError
    builder = load_builder(f"{NAME}/paper", data_dir=data, raw_dir=raw)
    with pytest.raises(error, match=r"Fetch it again|Complete the folder"):
        prepare(builder)
    assert not builder.is_prepared()
    assert not data.exists()


def test_a_download_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.delenv("DATA_DIR", raising=False)

    def fail(self, url, destination_path, verify=True):
        raise ConnectionError("no network")

    monkeypatch.setattr("tensorflow_datasets.core.download.downloader._Downloader._sync_download", fail)
    with pytest.raises(ConnectionError):
        prepare(load_builder(f"{NAME}/paper", data_dir=tmp_path / "data"))
    assert not (tmp_path / "data").exists()


def test_a_wrong_download_is_refused(tmp_path, monkeypatch, dummy_dir):
    """A server that sends something else: TFDS compares with checksums.tsv."""
    monkeypatch.delenv("DATA_DIR", raising=False)
    monkeypatch.setattr(
        "tensorflow_datasets.core.download.downloader._Downloader._sync_download",
        lambda self, url, destination_path, verify=True: _serve(dummy_dir, url, destination_path),
    )
    builder = load_builder(f"{NAME}/paper", data_dir=tmp_path)
    with pytest.raises(Exception, match=r"Artifact https://.*\.mat.*has wrong checksum"):
        prepare(builder)
    assert not builder.is_prepared()


def _serve(folder, url, destination):
    from tensorflow_datasets.core.download import checksums, downloader

    name = url.rsplit("/", 1)[-1]
    path = destination / name
    path.write_bytes((folder / name).read_bytes())
    return downloader.DownloadResult(path=path, url_info=checksums.compute_url_info(path))


@pytest.mark.measured
def test_from_the_originals_to_arrays(tmp_path, measured, measured_dir, corpus):
    """The whole way: files, checksums, labels, windows, ArrayRecord, arrays."""
    cls = builder_class()
    builder = cls(config=small_config(), data_dir=tmp_path, raw_dir=measured_dir, file_format="array_record")
    prepare(builder)
    for split, num_windows in builder.builder_config.num_windows.items():
        expected = measured.corpus.make_examples(corpus, split, num_windows, True, builder.builder_config.seed)
        arrays = load_arrays(builder, split, features=tuple(builder.info.features))
        assert set(arrays) == set(expected)
        for key, value in expected.items():
            np.testing.assert_array_equal(arrays[key], value.astype(arrays[key].dtype), err_msg=key)
    assert builder.info.metadata["sampling_rate"] == 100e6
    assert "GPL" in builder.info.description
    assert "Skjelvareid" in builder.info.citation
