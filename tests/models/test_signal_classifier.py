import keras
import numpy as np
import pytest

from keras_usmae.models import CNNEncoder, MAEEncoder, SignalClassifier

RNG = np.random.default_rng(0)


def signals_with_a_burst(count):
    """Half of them hold a short burst anywhere, which a mean over the signal hides."""
    signals = RNG.normal(size=(count, 256)).astype("float32")
    label = (np.arange(count) % 2).astype("int32")
    burst = 4 * np.sin(2 * np.pi * np.arange(24) / 8)
    for row, start in zip(np.flatnonzero(label), RNG.integers(232, size=label.sum()), strict=True):
        signals[row, start : start + 24] += burst
    return signals, label


@pytest.mark.parametrize("cnn", [False, True])
def test_it_learns_saves_and_loads(cnn, tmp_path):
    keras.utils.set_random_seed(0)
    encoder = MAEEncoder.from_preset("nano", signal_length=256)
    classifier = SignalClassifier(CNNEncoder.from_encoder(encoder) if cnn else encoder, 2)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(keras.optimizers.AdamW(3e-3), loss)
    signals, label = signals_with_a_burst(512)
    classifier.fit(signals, label, batch_size=64, epochs=8, verbose=0)
    others, truth = signals_with_a_burst(200)
    logits = classifier.predict(others, verbose=0)
    assert np.mean(logits.argmax(axis=1) == truth) > 0.8
    classifier.save(tmp_path / "classifier.keras")
    again = keras.saving.load_model(tmp_path / "classifier.keras")
    np.testing.assert_allclose(again.predict(others, verbose=0), logits, atol=1e-5)


def test_logits_stay_float32_in_mixed_precision():
    encoder = MAEEncoder.from_preset("nano", signal_length=256, dtype="mixed_bfloat16")
    logits = SignalClassifier(encoder, 3, dtype="mixed_bfloat16")(np.zeros((2, 256), "float32"))
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="num_classes=1"):
        SignalClassifier(MAEEncoder.from_preset("nano", signal_length=256), 1)
