"""What was saved is found again, by whoever imported no more than the package."""

import copy
import json
import pickle
import re
import subprocess
import sys
import time
import zipfile

import keras
import numpy as np
import pytest

from keras_usmae import registration
from keras_usmae.models import MAEEncoder, MaskedAutoencoder, SignalClassifier, ToFClassifier, load_trained
from keras_usmae.training import build_optimizer, compile_for_tof

RNG = np.random.default_rng(0)
SIGNALS = RNG.normal(size=(8, 128)).astype("float32")
ONSET = RNG.uniform(0, 127, size=8).astype("float32")
SIZES = {"signal_length": 128, "patch_size": 32, "hidden_dim": 8, "num_heads": 1, "head_dim": 8, "num_layers": 1}


def encoder():
    return MAEEncoder(**SIZES, mlp_dim=8)


def tof_classifier():
    classifier = ToFClassifier(encoder())
    compile_for_tof(classifier, 1e-3, total_steps=10, warmup_steps=2, layer_decay=0.9)
    return classifier, ONSET


def autoencoder(decoder):
    sizes = {name: SIZES[name] for name in ("hidden_dim", "num_heads", "head_dim", "num_layers")} | {"mlp_dim": 8}
    parts = {"encoder": {**SIZES, "mlp_dim": 8}, "decoder": sizes}
    mae = MaskedAutoencoder.from_preset(parts, mask_ratio=0.5, seed=0, decoder=decoder)
    mae.compile(build_optimizer(1e-3, 10, 2, gradient_accumulation_steps=2), jit_compile=False)
    return mae, None


def signal_classifier():
    classifier = SignalClassifier(encoder(), num_classes=3)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile("adamw", loss, metrics=["accuracy"], jit_compile=False)
    return classifier, np.arange(8) % 3


MODELS = {
    "classifier": tof_classifier,
    "full": lambda: autoencoder("full"),
    "cross": lambda: autoencoder("cross"),
    "signal": signal_classifier,
}


@pytest.fixture
def as_first_imported():
    """Keras's table of classes as `import keras_usmae` alone leaves it."""
    table = keras.saving.get_custom_objects()
    before = dict(table)
    for name in [name for name in table if name.startswith(f"{registration.PACKAGE}>")]:
        del table[name]
    registration._fill_table(keras)
    yield
    table.clear()
    table.update(before)


@pytest.fixture(autouse=True)
def without_compilation(monkeypatch):
    """Steps run as they are written: compiling them takes longer than everything else here."""
    monkeypatch.setattr("keras_usmae.training.finetuning.jit_compile", lambda: False)


def assert_same(model, again):
    assert type(again) is type(model)
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert again.optimizer.get_config() == model.optimizer.get_config()
    assert len(again.optimizer.variables) == len(model.optimizer.variables)
    assert again.get_compile_config() == model.get_compile_config()


@pytest.mark.usefixtures("as_first_imported")
@pytest.mark.parametrize("kind", MODELS)
def test_a_compiled_model_is_loaded_with_metrics_and_optimizer_before_its_class_was_imported(kind, tmp_path):
    model, labels = MODELS[kind]()
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert_same(model, again)
    if kind == "classifier":
        scores = [each.evaluate(SIGNALS, labels, verbose=0, return_dict=True) for each in (model, again)]
        assert scores[0] == pytest.approx(scores[1], rel=1e-5)
        assert set(scores[0]) == {"loss", "accuracy", "within_one_bin", "error_samples"}


@pytest.mark.parametrize("kind", ["classifier", "cross"])
def test_copies_by_pickle_deepcopy_and_clone_give_the_same_numbers(kind):
    model, _ = MODELS[kind]()
    model.optimizer.build(model.trainable_variables)
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert_same(model, again)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert type(clone) is type(model)
    if kind == "classifier":
        inputs = keras.Input((128,))
        functional = keras.Model(inputs, model(inputs))
        for other in (clone, functional):
            np.testing.assert_allclose(*(keras.ops.convert_to_numpy(m(SIGNALS)) for m in (other, model)), atol=1e-6)


def test_the_table_of_classes_is_what_the_modules_register():
    import keras_usmae.layers
    import keras_usmae.models
    import keras_usmae.models.tof_metrics
    import keras_usmae.training  # noqa: F401

    listed = {name: f"keras_usmae.{module}" for module, names in registration.REGISTERED.items() for name in names}
    table = keras.saving.get_custom_objects()
    ours = {name.partition(">")[2]: cls.__module__ for name, cls in table.items() if name.startswith("keras_usmae>")}
    assert ours == listed


def test_importing_the_package_and_its_signals_imports_no_keras():
    code = (
        "import sys, keras_usmae, keras_usmae.signals; print([m for m in ('keras', 'tensorflow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """An encoder as pretrain.py saves it."""
    path = tmp_path_factory.mktemp("saved") / "encoder.keras"
    encoder().save(path)
    return path


def edited(saved, path, change):
    """A copy of a saved model with another configuration."""
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, change(content) if name == "config.json" else content)
    return path


def sizes(**others):
    def change(content):
        config = json.loads(content)
        config["config"] |= others
        return json.dumps(config)

    return change


BAD_CONFIGS = {
    "half": (lambda content: content[:100], "cannot be loaded"),
    "no object": (lambda content: b"[1]", "its configuration is a list"),
    "deep": (lambda content: b"[" * 100_000, "cannot be loaded"),
    "bomb": (lambda content: content[:-1] + b" " * 2**23 + b"}", "8 MB of them configuration"),
    "wide": (sizes(hidden_dim=32_768, mlp_dim=32_768), "more than the"),
    "deep network": (sizes(num_layers=400), "must be at most 128"),
    "long": (sizes(signal_length=2**40), "more than the"),
    "text": (sizes(num_heads="four"), "cannot be loaded"),
    "other sizes": (sizes(hidden_dim=16), "cannot be loaded"),
    "unknown": (sizes(colour="red"), "cannot be loaded"),
    "another class": (lambda content: content.replace(b"keras_usmae>MAEEncoder", b"keras_usmae>CNNEncoder"), "holds a"),
    "Keras's own": (lambda content: content.replace(b"keras_usmae>MAEEncoder", b"Sequential"), "holds a Sequential"),
}


@pytest.mark.parametrize("kind", BAD_CONFIGS)
def test_an_edited_model_is_told_in_one_line_and_soon(saved, tmp_path, kind):
    change, message = BAD_CONFIGS[kind]
    path = edited(saved, tmp_path / "encoder.keras", change)
    started = time.monotonic()
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        load_trained(path, MAEEncoder)
    assert time.monotonic() - started < 5
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_foreign_and_swapped_files_are_told(saved, tmp_path):
    assert isinstance(load_trained(saved, MAEEncoder), MAEEncoder)
    with pytest.raises(ValueError, match="holds a MAEEncoder, where ToFClassifier or SignalClassifier is expected"):
        load_trained(saved, ToFClassifier, SignalClassifier)
    with pytest.raises(FileNotFoundError, match=r"no saved model at .*nowhere\.keras"):
        load_trained(tmp_path / "nowhere.keras", MAEEncoder)
    (tmp_path / "text.keras").write_text("weights")
    with pytest.raises(ValueError, match=r"text\.keras cannot be loaded: File is not a zip file"):
        load_trained(tmp_path / "text.keras", MAEEncoder)


def test_weights_that_are_not_finite_are_told(tmp_path):
    model = encoder()
    model.weights[3].assign(np.full(model.weights[3].shape, np.nan))
    model.save(tmp_path / "encoder.keras")
    with pytest.raises(ValueError, match="weights that are not finite, first in "):
        load_trained(tmp_path / "encoder.keras", MAEEncoder)
