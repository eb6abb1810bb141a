import os
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_usmae.export import load_classifier, load_signals

RECIPE = Path(__file__).parents[2] / "recipes" / "export.py"


def export(*arguments):
    # The recipe must choose TensorFlow by itself.
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    command = [sys.executable, str(RECIPE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_the_recipe_exports_a_run_folder(run_folder, tmp_path):
    done = export("--run", run_folder, "--output", tmp_path / "out", "--formats", "int8", "--seconds", 1)
    assert done.returncode == 0, done.stderr
    assert "TFLM" in done.stdout
    assert (tmp_path / "out" / "model_int8.tflite").stat().st_size < 150_000


def test_the_recipe_tells_what_is_wrong_without_a_traceback(tmp_path):
    done = export("--run", tmp_path, "--formats", "int8")
    assert done.returncode == 1
    assert "calibration.npz" in done.stderr
    assert "Traceback" not in done.stderr


def test_refuses_a_missing_classifier(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"classifier.keras.*recipes/finetune.py"):
        load_classifier(tmp_path / "classifier.keras")


def test_refuses_a_corrupt_classifier(run_folder, tmp_path):
    path = tmp_path / "classifier.keras"
    path.write_bytes((run_folder / "classifier.keras").read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"cannot be (read|loaded)"):
        load_classifier(path)


def test_refuses_weights_that_do_not_fit_the_configuration(run_folder, tmp_path):
    path = tmp_path / "classifier.keras"
    with zipfile.ZipFile(run_folder / "classifier.keras") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(
                name, content.replace(b'"hidden_dim": 32', b'"hidden_dim": 48') if "config" in name else content
            )
    with pytest.raises(ValueError, match=r"classifier.keras cannot be loaded"):
        load_classifier(path)


def test_refuses_another_model(tmp_path):
    path = tmp_path / "other.keras"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(path)
    with pytest.raises(ValueError, match="holds a Sequential, where ToFClassifier is expected"):
        load_classifier(path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"signal": np.zeros((3, 8))}, "with `signal` and `onset`"),
        ({"signal": np.zeros((3, 8)), "onset": np.zeros(2)}, "3 signals and 2 onsets"),
        ({"signal": np.zeros((2, 8)), "onset": np.array([1, np.nan])}, "1 of them not finite"),
    ],
)
def test_refuses_arrays_that_do_not_fit(tmp_path, arrays, message):
    np.savez(tmp_path / "test.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        load_signals(tmp_path / "test.npz")


def test_refuses_a_file_that_is_not_an_archive(tmp_path):
    (tmp_path / "test.npz").write_bytes(b"not an archive")
    with pytest.raises(ValueError, match=r"is not an \.npz file"):
        load_signals(tmp_path / "test.npz")
