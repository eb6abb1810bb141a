import importlib
import types

import pytest


def dataset_module(name):
    """A module of the dataset builders, such as `"ultrasound_measured.originals"`."""
    return importlib.import_module(f"usmae_datasets.{name}")


def pytest_collection_modifyitems(items):
    # TFDS's test case inherits this helper of TensorFlow's, which only looks like a test.
    items[:] = [item for item in items if item.name != "test_session"]


@pytest.fixture(scope="session")
def measured():
    """The parts of the measured dataset: originals, echoes, splits, holes, corpus."""
    parts = ("originals", "echoes", "splits", "holes", "corpus", "make_dummy_data")
    return types.SimpleNamespace(**{part: dataset_module(f"ultrasound_measured.{part}") for part in parts})


@pytest.fixture(scope="session")
def dummy_dir(repository):
    return repository / "datasets" / "ultrasound_measured" / "dummy_data"


@pytest.fixture(scope="session")
def dummy_paths(measured, dummy_dir):
    return {name: dummy_dir / original.filename for name, original in measured.originals.ORIGINALS.items()}


@pytest.fixture(scope="session")
def scans(measured, measured_dir):
    paths = measured.originals.find_local(measured_dir)
    return {name: measured.originals.read_scan(name, path) for name, path in paths.items()}


@pytest.fixture(scope="session")
def corpus(measured, scans):
    return measured.corpus.build_corpus(scans)


@pytest.fixture(scope="session")
def dummy_corpus(measured, dummy_paths):
    scans = {name: measured.originals.read_scan(name, path) for name, path in dummy_paths.items()}
    return measured.corpus.build_corpus(scans)
