"""What was saved is found again, by whoever imported no more than the package."""

import copy
import pickle
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_usmae import registration
from keras_usmae.models import MAEEncoder, MaskedAutoencoder, SignalClassifier, ToFClassifier
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
    mae.compile(build_optimizer(1e-3, 10, 2, accumulate=2), jit_compile=False)
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
    import keras_usmae.metrics
    import keras_usmae.models
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
