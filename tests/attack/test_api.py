"""Every abuse of the API has the same outcome on three backends, and it is one kind of error."""

import json
import os
import subprocess
import sys

import pytest

from tests.attack.conftest import FILES, SEED

BACKENDS = ("tensorflow", "jax", "torch")


def outcomes(backend, repository):
    environment = {**os.environ, "KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(repository)}
    command = [sys.executable, "-m", "tests.attack.abuse", str(SEED), str(2 * FILES)]
    done = subprocess.run(command, env=environment, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]


@pytest.mark.skipif(os.environ["KERAS_BACKEND"] != "tensorflow", reason="all three at once, with TensorFlow's turn")
@pytest.mark.timeout(0)
def test_abuses_have_one_outcome_on_three_backends(repository, counts):
    found = {backend: outcomes(backend, repository) for backend in BACKENDS}
    assert [len(each) for each in found.values()] == [2 * FILES + 1] * 3
    different, unnamed = [], []
    for (name, first), second, third in zip(*found.values(), strict=True):
        counts[f"abuses of the API: {first}"] += 1
        if not first == second[1] == third[1]:
            different.append((name, first, second[1], third[1]))
        if first not in ("fine", "ValueError", "as they were"):
            unnamed.append((name, first))
    assert not different
    assert not unnamed


@pytest.mark.timeout(0)
@pytest.mark.parametrize("kind", ["classifier", "cross", "full", "signal"])
def test_models_of_another_process_are_loaded_after_import_of_the_package_alone(kind, repository, tmp_path, counts):
    from tests.models.test_loading import MODELS, SIGNALS

    model, labels = MODELS[kind]()
    model.fit(SIGNALS, labels, verbose=0)
    model.save(tmp_path / "model.keras")
    code = (
        "import keras_usmae, keras, sys; m = keras.saving.load_model(sys.argv[1]); "
        "print(type(m).__name__, type(m.optimizer).__name__, len(m.optimizer.variables))"
    )
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code, str(tmp_path / "model.keras")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    expected = f"{type(model).__name__} {type(model.optimizer).__name__} {len(model.optimizer.variables)}"
    assert done.stdout.splitlines()[-1:] == [expected], done.stdout + done.stderr
    counts["models loaded in a process that imported the package alone"] += 1
