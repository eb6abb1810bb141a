"""A short training in mixed bfloat16 against the same one in float32."""

import keras
import numpy as np
import pytest

from keras_usmae.models import MAEEncoder, MaskedAutoencoder, ToFClassifier
from keras_usmae.training import build_optimizer, compile_for_tof, jit_compile

STEPS, LENGTH, SIGNALS = 80, 256, 64


def draw():
    """Bursts at random places in little noise, standardised, and where they begin."""
    rng = np.random.default_rng(0)
    onset = rng.uniform(20, LENGTH - 60, SIGNALS)
    since = np.arange(LENGTH) - onset[:, None]
    signals = np.where(since > 0, np.sin(since / 2) * since * np.exp(-since / 6), 0)
    signals += 0.1 * rng.normal(size=signals.shape)
    signals = (signals - signals.mean(1, keepdims=True)) / signals.std(1, keepdims=True)
    return signals.astype("float32"), onset.astype("float32")


def pretrain(dtype, decoder):
    keras.utils.set_random_seed(0)
    signals, _ = draw()
    mae = MaskedAutoencoder.from_preset("nano", signal_length=LENGTH, dtype=dtype, seed=0, decoder=decoder)
    noise = np.random.default_rng(1).uniform(size=(SIGNALS, mae.encoder.num_patches)).astype("float32")
    mae.compile(build_optimizer(3e-3, STEPS, 5), jit_compile=jit_compile())
    return mae, mae.fit({"signals": signals, "noise": noise}, batch_size=SIGNALS, epochs=STEPS, verbose=0)


def finetune(dtype):
    keras.utils.set_random_seed(0)
    signals, onset = draw()
    classifier = ToFClassifier(MAEEncoder.from_preset("nano", signal_length=LENGTH, dtype=dtype), dtype=dtype)
    compile_for_tof(classifier, 3e-3, STEPS, 5)
    return classifier, classifier.fit(signals, onset, batch_size=SIGNALS, epochs=STEPS, verbose=0)


@pytest.mark.long
@pytest.mark.usefixtures("without_xla")
@pytest.mark.parametrize(
    "train",
    [
        pytest.param(lambda dtype: pretrain(dtype, "full"), marks=pytest.mark.slow),
        lambda dtype: pretrain(dtype, "cross"),
        finetune,
    ],
    ids=["full decoder", "cross decoder", "classifier"],
)
def test_loss_is_within_a_percent_of_that_in_float32(train, tmp_path):
    wide = np.array(train("float32")[1].history["loss"])
    model, history = train("mixed_bfloat16")
    mixed = np.array(history.history["loss"])
    assert wide[-1] < 0.8 * wide[0], "it learns"
    assert np.isfinite(mixed).all()
    assert np.mean(mixed[-5:]) == pytest.approx(np.mean(wide[-5:]), rel=0.01)
    assert all(keras.backend.standardize_dtype(weight.dtype) == "float32" for weight in model.trainable_weights)
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").dtype_policy.name == "mixed_bfloat16"


def test_masks_do_not_depend_on_the_precision():
    signals, _ = draw()
    noise = np.random.default_rng(1).uniform(size=(SIGNALS, 8)).astype("float32")
    masks = [
        MaskedAutoencoder.from_preset("nano", signal_length=LENGTH, dtype=dtype)(signals, noise=noise)["mask"]
        for dtype in ("float32", "mixed_bfloat16")
    ]
    np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, masks))
