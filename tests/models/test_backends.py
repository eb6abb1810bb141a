"""The same weights give the same numbers on every backend."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_usmae.models import MaskedAutoencoder, ToFClassifier

BACKENDS = ("tensorflow", "jax", "torch")

OTHER_SIDE = """
import sys
import keras, numpy as np
import keras_usmae.models
data = np.load(sys.argv[1] + "/inputs.npz")
mae = keras.saving.load_model(sys.argv[1] + "/mae.keras")
classifier = keras.saving.load_model(sys.argv[1] + "/classifier.keras")
np.savez(sys.argv[1] + "/outputs_" + keras.backend.backend() + ".npz",
    prediction=mae.reconstruct(data["signals"], data["noise"])["prediction"],
    logits=classifier.predict(data["signals"], verbose=0))
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_saved_here_loaded_there(tmp_path, backend):
    rng = np.random.default_rng(0)
    mae = MaskedAutoencoder.from_preset("nano", seed=0)
    classifier = ToFClassifier(mae.encoder)
    for weight in classifier.trainable_weights:
        weight.assign(weight + 0.05 * rng.normal(size=weight.shape))
    signals = rng.normal(size=(4, 2048)).astype("float32")
    noise = rng.uniform(size=(4, 64)).astype("float32")
    mae.save(tmp_path / "mae.keras")
    classifier.save(tmp_path / "classifier.keras")
    np.savez(tmp_path / "inputs.npz", signals=signals, noise=noise)
    environment = {**os.environ, "KERAS_BACKEND": backend}
    command = [sys.executable, "-c", OTHER_SIDE, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    there = np.load(tmp_path / f"outputs_{backend}.npz")
    here = {
        "prediction": mae.reconstruct(signals, noise)["prediction"],
        "logits": classifier.predict(signals, verbose=0),
    }
    for name, value in here.items():
        np.testing.assert_allclose(
            value, there[name], atol=1e-5, err_msg=f"{name}: {keras.backend.backend()} to {backend}"
        )


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_package_works_without_tensorflow(backend):
    block = "import sys; sys.modules['tensorflow'] = None\n"
    code = (
        block + "import numpy as np, keras_usmae, keras_usmae.training, keras_usmae.training.plots\n"
        "from keras_usmae.models import MAEEncoder\n"
        "print(MAEEncoder.from_preset('nano')(np.zeros((1, 2048), 'float32')).shape)"
    )
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "64, 32" in done.stdout
