import keras
import numpy as np
import pytest

from keras_usmae.models import MAEEncoder
from keras_usmae.training import build_optimizer


def test_schedule_rises_and_falls():
    schedule = build_optimizer(1e-2, total_steps=100, warmup_steps=10)._learning_rate
    rates = np.array([float(keras.ops.convert_to_numpy(schedule(step))) for step in range(101)])
    np.testing.assert_allclose(rates[:11], np.linspace(0, 1e-2, 11), atol=1e-8)
    assert rates.argmax() == 10
    assert rates[55] == pytest.approx(5e-3, rel=1e-3)
    assert rates[100] == pytest.approx(0, abs=1e-8)


def test_only_kernels_decay():
    encoder = MAEEncoder.from_preset("nano", signal_length=256, position="learned")
    optimizer = build_optimizer(1e-2, 10, 0, weight_decay=0.5)
    optimizer.build(encoder.trainable_variables)
    before = {w.path: keras.ops.convert_to_numpy(w).copy() for w in encoder.trainable_weights}
    optimizer.apply([keras.ops.zeros(w.shape) for w in encoder.trainable_weights])
    changed = {w.name for w in encoder.trainable_weights if (keras.ops.convert_to_numpy(w) != before[w.path]).any()}
    assert changed == {"kernel"}


def test_warmup_longer_than_training():
    with pytest.raises(ValueError, match="warmup_steps=10, total_steps=10"):
        build_optimizer(1e-3, 10, 10)
