"""A batch in parts against the batch as a whole."""

import keras
import numpy as np
import pytest

from keras_usmae.models import MAEDecoder, MAEEncoder, MaskedAutoencoder
from keras_usmae.training import (
    LAST_FILE,
    EpochBatches,
    build_optimizer,
    read_history,
    shuffled,
    train,
    with_mask_noise,
)

SIGNALS = np.random.default_rng(0).normal(size=(40, 128)).astype("float32").cumsum(axis=1)
EPOCHS = 2


def pretrain(folder, micro_batches, signals=SIGNALS[:24], epochs=EPOCHS):
    """Epochs of 16 signals a step; of 24, the last batch has 8."""
    keras.utils.set_random_seed(0)
    sizes = {"hidden_dim": 16, "num_heads": 2, "head_dim": 8, "num_layers": 1, "mlp_dim": 16}
    encoder = MAEEncoder(128, 16, **sizes)
    mae = MaskedAutoencoder(encoder, MAEDecoder(encoder.num_patches, 16, 16, **sizes), seed=0)
    masked = with_mask_noise(shuffled((signals,), 0), encoder.num_patches, 0)
    batches = EpochBatches(masked, 16, micro_batches)
    # Large steps and decay, so that clipping, weight decay and the schedule take part.
    optimizer = build_optimizer(1e-2, EPOCHS * batches.num_updates, 1, 0.5, gradient_accumulation_steps=micro_batches)
    optimizer.epsilon = 1e-4  # by default a gradient that is 0 but for rounding, of the keys' bias, makes whole steps
    # XLA takes longer to compile than this to train, but on JAX operations one by one take longer still.
    mae.compile(optimizer, jit_compile=keras.backend.backend() == "jax")
    folder.mkdir(exist_ok=True)
    train(mae, batches, masked(0), folder, epochs, verbose=0)
    return mae


def weights(mae):
    return [keras.ops.convert_to_numpy(weight) for weight in mae.trainable_weights]


def test_four_parts_give_the_weights_of_the_whole_batch(tmp_path):
    whole, parts = (pretrain(tmp_path / str(parts), parts) for parts in (1, 4))
    assert int(whole.optimizer.iterations) == int(parts.optimizer.iterations) == 4
    for one, other in zip(weights(whole), weights(parts), strict=True):
        np.testing.assert_allclose(other, one, atol=2e-5)
    for one, other in zip(*(read_history(tmp_path / name / "metrics.csv") for name in "14"), strict=True):
        assert other["loss"] == pytest.approx(one["loss"], rel=1e-4)
        assert other["val_loss"] == pytest.approx(one["val_loss"], rel=1e-4)


@pytest.mark.long
def test_a_resumed_run_in_parts_equals_an_uninterrupted_one(tmp_path):
    whole = pretrain(tmp_path / "whole", 2, SIGNALS[:16])
    pretrain(tmp_path / "cut", 2, SIGNALS[:16], epochs=1)
    assert (tmp_path / "cut" / LAST_FILE).exists()
    for one, other in zip(weights(whole), weights(pretrain(tmp_path / "cut", 2, SIGNALS[:16])), strict=True):
        np.testing.assert_array_equal(other, one)


def test_the_schedule_is_saved_with_the_model():
    optimizer = build_optimizer(1e-2, 10, 2, gradient_accumulation_steps=4)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    rates = [[float(o._learning_rate(step)) for step in range(40)] for o in (optimizer, again)]
    assert rates[0] == rates[1]
    assert rates[0][::4] == rates[0][3::4] == [float(build_optimizer(1e-2, 10, 2)._learning_rate(i)) for i in range(10)]


def test_parts_have_the_signals_of_the_batch_in_order():
    whole, parts = (EpochBatches(shuffled((SIGNALS,), 0), 16, parts) for parts in (1, 4))
    assert (len(whole), whole.num_updates, len(parts), parts.num_updates) == (3, 3, 12, 3)
    assert [len(parts[i][0]) for i in range(12)] == 8 * [4] + 4 * [2]
    for i in range(3):
        np.testing.assert_array_equal(np.concatenate([parts[4 * i + part][0] for part in range(4)]), whole[i][0])


def test_devices_share_each_part():
    batches = [EpochBatches(shuffled((SIGNALS,), 0), 16, 4) for _ in range(2)]
    for index, process in enumerate(batches):
        process.split(2, 2, index)
    together = [np.concatenate([process[i][0] for process in batches]) for i in range(12)]
    alone = EpochBatches(shuffled((SIGNALS,), 0), 16, 4)
    for i, part in enumerate(together):
        np.testing.assert_array_equal(part, alone[i][0])


def test_signals_that_do_not_fill_equal_parts_are_left_out():
    batches = EpochBatches(shuffled((SIGNALS[:38],), 0), 16, 4)  # 16, 16, and 6 of which 4 parts share 4
    assert [len(batches[i][0]) for i in range(len(batches))] == 8 * [4] + 4 * [1]


def test_parts_that_do_not_fit():
    with pytest.raises(ValueError, match=r"3 parts cannot share a batch of 16 .* such as 15"):
        EpochBatches(shuffled((SIGNALS,), 0), 16, 3)
    with pytest.raises(ValueError, match=r"must be 1 or more. Received: 0"):
        EpochBatches(shuffled((SIGNALS,), 0), 16, 0)
    with pytest.raises(ValueError, match=r"8 devices in 4 parts cannot share a batch of 16"):
        EpochBatches(shuffled((SIGNALS,), 0), 16, 4).split(8, 1, 0)
