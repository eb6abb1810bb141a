"""The names of `import keras_usmae`, and what an import of them costs and needs."""

import ast
import os
import subprocess
import sys

import pytest

import keras_usmae as ku

# What comes with an extra, or is of use to the commands alone.
OPTIONAL = (
    "array_record",
    "importlib_resources",
    "keras_tuner",
    "matplotlib",
    "nptdms",
    "sklearn",
    "tensorboard",
    "tensorflow_datasets",
    "tqdm",
    "typer",
)
HEAVY = ("h5py", "keras", "jax", "scipy", "tensorflow", "torch", *OPTIONAL)


def run(code, blocked=(), backend=None):
    """Runs code in a process of its own, in which some packages cannot be imported."""
    block = f"import sys\nfor name in {tuple(blocked)!r}:\n    sys.modules[name] = None\n"
    environment = os.environ | ({"KERAS_BACKEND": backend} if backend else {})
    return subprocess.run([sys.executable, "-c", block + code], capture_output=True, text=True, env=environment)


def test_every_name_is_there_and_listed():
    names = [name for name in ku.__all__ if name not in ("__version__", "export", "tuning")]
    assert len(names) > 25
    assert not [name for name in names if not hasattr(ku, name)]
    assert set(ku.__all__) <= set(dir(ku))


def test_a_name_is_the_one_of_its_module():
    from keras_usmae.models import MAEEncoder
    from keras_usmae.signals import synthesize

    assert ku.MAEEncoder is MAEEncoder
    assert ku.synthesize is synthesize


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'keras_usmae' has no attribute 'MaskedAutoencoderr'"):
        _ = ku.MaskedAutoencoderr


def test_the_import_costs_nothing_and_signals_no_keras():
    done = run(f"import keras_usmae as ku\nprint([name for name in {HEAVY!r} if name in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr
    done = run("import keras_usmae as ku\nku.synthesize, ku.read_recordings\nprint('keras' in sys.modules)")
    assert done.stdout.strip() == "False", done.stderr


USES = {
    "an encoder": "ku.MAEEncoder.from_preset('nano', weights='synthetic')",
    "an autoencoder": "ku.MaskedAutoencoder.from_preset('nano').compile(optimizer='adamw')",
    "a classifier": "ku.ToFClassifier(ku.MAEEncoder.from_preset('nano'), bin_width=16, sampling_rate=100e6)",
    "a picker": """
import numpy as np
print(ku.EchoPicker.from_preset('nano').pick(np.random.default_rng(0).standard_normal((1, 2048)), 100e6).first().tof)
""",
    "a recording": """
import numpy as np, pathlib, tempfile
with tempfile.TemporaryDirectory() as folder:
    signals = np.random.default_rng(0).standard_normal((4, 64))
    np.savez(pathlib.Path(folder) / "scan.npz", signals=signals, sampling_rate=50e6)
    (pathlib.Path(folder) / "scan.toml").write_text("axis = 1")
    ku.read_recordings(folder)
""",
}


@pytest.mark.parametrize("use", USES)
def test_no_extra_is_needed(use):
    done = run(f"import keras_usmae as ku\n{USES[use]}", blocked=OPTIONAL)
    assert done.returncode == 0, done.stderr


ASKS = [
    ("data", "ku.load_builder('ultrasound_synthetic/quickstart')"),
    ("train", "ku.training.RunLog('runs/mine')"),
    ("train", "from keras_usmae.evaluation.probes import linear_probe; linear_probe({}, {})"),
    ("tuner", "ku.tuning"),
]


@pytest.mark.parametrize(("extra", "use"), ASKS)
def test_a_missing_extra_is_named_with_the_command_that_installs_it(extra, use):
    done = run(f"import keras_usmae as ku\n{use}", blocked=OPTIONAL)
    assert done.returncode == 1
    assert f"pip install 'keras-usmae[{extra}]'" in done.stderr.splitlines()[-1]


def test_no_name_of_the_face_needs_a_private_module(repository):
    tree = ast.parse((repository / "keras_usmae" / "__init__.py").read_text())
    names = next(node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "_NAMES")
    for module, listed in ast.literal_eval(names).items():
        public = __import__(f"keras_usmae.{module}", fromlist=["__all__"])
        assert set(listed) <= set(public.__all__), module
