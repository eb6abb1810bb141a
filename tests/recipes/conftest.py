"""What the tests of the recipes share."""

import importlib
import json
import sys

import pytest

from keras_usmae import options


@pytest.fixture(scope="module")
def tfds_dir(tmp_path_factory):
    """Prepared datasets, shared by the tests of a file."""
    return tmp_path_factory.mktemp("tfds")


@pytest.fixture
def recipe_here(tfds_dir, monkeypatch, capsys):
    """Runs a recipe, such as `"predict"` or `"experiments.run"`, in this process: its exit code and what it printed."""
    monkeypatch.delenv("DATA_DIR", raising=False)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tfds_dir))

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [f"{name.split('.')[-1]}.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            options.run(importlib.import_module(f"recipes.{name}").main)
        printed = capsys.readouterr()
        return exit_.value.code, printed.out + printed.err

    return run


@pytest.fixture
def small_preset(tmp_path):
    """A model that trains within seconds."""
    sizes = {"hidden_dim": 8, "num_heads": 1, "head_dim": 8, "num_layers": 1, "mlp_dim": 8}
    path = tmp_path / "small.json"
    path.write_text(json.dumps({"encoder": {"signal_length": 2048, "patch_size": 64, **sizes}, "decoder": sizes}))
    return path
