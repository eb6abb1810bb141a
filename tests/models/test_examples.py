"""The examples in the docstrings of layers and models run, with the data that they take for given."""

import inspect
import re

import keras
import numpy as np
import pytest

from keras_usmae import layers, models
from keras_usmae.signals import standardize
from keras_usmae.training import echo_targets

BLOCKS = {
    f"{name} {i}" if i else name: block
    for package in (layers, models)
    for name in package.__all__
    for i, block in enumerate(re.findall(r"```python\n(.*?)```", inspect.getdoc(getattr(package, name)), re.DOTALL))
}


@pytest.fixture(scope="module")
def given():
    rng = np.random.default_rng(0)
    return {
        "encoder": models.MAEEncoder.from_preset("nano"),
        "signals": rng.standard_normal((8, 2048)).astype("float32"),
        "raw_signals": rng.standard_normal((8, 2048)),
        "onsets": rng.uniform(100, 1900, 8),
        "has_flaw": np.arange(8) % 2 > 0,
    }


@pytest.mark.parametrize("name", BLOCKS)
def test_example(name, given, tmp_path, monkeypatch, without_xla):
    monkeypatch.chdir(tmp_path)
    scope = {"np": np, "keras": keras, "standardize": standardize, "echo_targets": echo_targets}
    scope |= {name: getattr(package, name) for package in (layers, models) for name in package.__all__} | given
    if name == "EchoDetector":
        scope |= {"onsets": given["onsets"][:, None], "visibility": np.full((8, 1), 2)}
    if name == "load_trained":
        (tmp_path / "runs/mine").mkdir(parents=True)
        given["encoder"].save(tmp_path / "runs/mine/encoder.keras")
    exec(BLOCKS[name], scope)


def test_every_layer_and_model_has_an_example():
    packages = (layers, models)
    classes = {name for each in packages for name in each.__all__ if inspect.isclass(getattr(each, name))}
    assert not [name for name in classes - set(BLOCKS) if name != "ArgumentsInConfig"]
