import os
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_usmae.export import load_model, load_signals, reference_of
from keras_usmae.models import EchoDetector, MAEEncoder

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


@pytest.mark.long
def test_the_recipe_exports_a_ready_picker_without_data(tmp_path, monkeypatch):
    monkeypatch.delenv("DATA_DIR", raising=False)
    done = export("--preset", "nano", "--output", tmp_path / "out", "--formats", "int8", "--seconds", 1)
    assert done.returncode == 0, done.stderr
    assert "synthetic ones of the preset `field`" in done.stdout
    readme = (tmp_path / "out" / "firmware_int8" / "README.md").read_text()
    assert "synthetic ones of the preset `field`" in readme
    assert "| TFLM |" in readme


def test_the_recipe_takes_one_model(tmp_path):
    for arguments in ((), ("--preset", "nano", "--run", tmp_path)):
        done = export(*arguments)
        assert done.returncode == 1
        assert "Export takes one model" in done.stderr


def test_refuses_a_detector_whose_picks_nobody_trusts(tmp_path):
    detector = EchoDetector(MAEEncoder.from_preset("nano"))
    with pytest.raises(ValueError, match=r"has no min_confidence.*recipes/train_picker.py"):
        reference_of(detector, np.zeros((1, 2048)), np.zeros(1))


def test_the_recipe_tells_what_is_wrong_without_a_traceback(tmp_path):
    done = export("--run", tmp_path, "--formats", "int8")
    assert done.returncode == 1
    assert "There is no trained model" in done.stderr
    assert "Traceback" not in done.stderr


def test_refuses_a_missing_classifier(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"neither classifier.keras.*recipes/finetune.py.*--preset nano"):
        load_model(tmp_path)


def test_refuses_a_corrupt_classifier(run_folder, tmp_path):
    path = tmp_path / "classifier.keras"
    path.write_bytes((run_folder / "classifier.keras").read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"cannot be (read|loaded)"):
        load_model(tmp_path)


def test_refuses_weights_that_do_not_fit_the_configuration(run_folder, tmp_path):
    path = tmp_path / "classifier.keras"
    with zipfile.ZipFile(run_folder / "classifier.keras") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(
                name, content.replace(b'"hidden_dim": 32', b'"hidden_dim": 48') if "config" in name else content
            )
    with pytest.raises(ValueError, match=r"classifier.keras cannot be loaded"):
        load_model(tmp_path)


def test_refuses_another_model(tmp_path):
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(tmp_path / "classifier.keras")
    with pytest.raises(ValueError, match="holds a Sequential, where ToFClassifier is expected"):
        load_model(tmp_path)


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
