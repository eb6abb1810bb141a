"""Files that older code saved are loaded by this one, and give what they gave."""

import keras
import numpy as np
import pytest

NAMES = ("mae_full", "mae_cross", "tof_per_patch", "tof_pooled", "signals", "detector")
SIGNALS = np.random.default_rng(0).normal(size=(4, 128)).astype("float32")


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_older_code_gives_what_it_gave_and_trains_on(name, repository):
    folder = repository / "tests" / "saved"
    model = keras.saving.load_model(folder / f"{name}.keras")
    part = model.encoder if name.startswith("mae") else model
    found = keras.ops.convert_to_numpy(part(SIGNALS))
    np.testing.assert_allclose(found, np.load(folder / "expected.npz")[name], atol=1e-5)
    assert int(model.optimizer.iterations) >= 1
