"""Fine-tuning from given weights depends on these, the labels and the seed alone, and learns."""

import keras
import numpy as np
import pytest

from keras_usmae.models import MAEEncoder, ToFClassifier
from keras_usmae.signals import SignalConfig, standardize, synthesize
from recipes.experiments.repeated_finetuning import FinetuneSettings, RepeatedFinetuning


@pytest.fixture(scope="module")
def labelled():
    config = SignalConfig(signal_length=256, burst_length=(60.0, 80.0))
    made = synthesize(config, 128, seed=0)
    return standardize(made["signal"]), made["onset"].astype("float32")


@pytest.fixture(scope="module")
def finetuning():
    keras.utils.set_random_seed(0)
    encoder = MAEEncoder(256, patch_size=16, hidden_dim=16, num_heads=2, head_dim=8, num_layers=1, mlp_dim=32)
    return RepeatedFinetuning(ToFClassifier(encoder), FinetuneSettings(steps=100, batch_size=32, max_shift=60))


def test_same_start_same_end_other_seed_other_end(finetuning, labelled):
    initial = finetuning.classifier.get_weights()
    ends = []
    for seed in (0, 1, 0):
        loss = finetuning.run(initial, *labelled, seed)
        ends.append(finetuning.classifier.get_weights())
        assert loss < np.log(16) - 0.3  # better than a guess
    for first, again in zip(ends[0], ends[2], strict=True):
        np.testing.assert_allclose(first, again, atol=1e-6)
    assert any(not np.allclose(first, other) for first, other in zip(ends[0], ends[1], strict=True))


@pytest.mark.parametrize("steps", [0, 75])
def test_steps_that_do_not_divide_are_refused(steps):
    with pytest.raises(ValueError, match=f"multiple of 50.*steps={steps}"):
        FinetuneSettings(steps=steps)
