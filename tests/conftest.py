"""Settings for all tests: one backend a process, chosen by KERAS_BACKEND, on one thread."""

import os
import signal
from pathlib import Path

import pytest

from keras_usmae.data.builders import import_builders

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# A shell starts what runs in the background with Ctrl-C ignored, for which tests of interruptions would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).parents[1]
import_builders(REPOSITORY / "datasets")  # tests import their modules as `usmae_datasets`


def measured_folder():
    """Folder of the measured originals, or None."""
    folder = Path(os.environ.get("DATA_DIR") or REPOSITORY.parent / "shared" / "data" / "measured")
    return folder if folder.is_dir() else None


def pytest_configure(config):
    if os.environ["KERAS_BACKEND"] == "torch":
        # Two threads of torch were many times slower than one while the other core was busy.
        import torch

        torch.set_num_threads(1)


def pytest_collection_modifyitems(items):
    if measured_folder() is None:
        skip = pytest.mark.skip(reason="the measured originals are not here; set DATA_DIR to their folder")
        for item in items:
            if "measured" in item.keywords:
                item.add_marker(skip)


@pytest.fixture(autouse=True)
def _seed():
    import keras

    keras.utils.set_random_seed(1)


@pytest.fixture
def without_xla(monkeypatch):
    """On TensorFlow, trains without XLA: to compile takes many times as long as these trainings."""
    import keras

    compile_ = keras.Model.compile
    if keras.backend.backend() == "tensorflow":
        monkeypatch.setattr(keras.Model, "compile", lambda *a, **k: compile_(*a, **{**k, "jit_compile": False}))


@pytest.fixture(scope="session")
def measured_dir():
    """Folder of the measured originals; mark tests that use it with `measured`."""
    return measured_folder()


@pytest.fixture(scope="session")
def repository():
    """Root of the checkout."""
    return REPOSITORY
