import keras
import numpy as np
import pytest

from keras_usmae.signals import SignalConfig, standardize, synthesize
from keras_usmae.training import EpochBatches, fresh_signals, shuffled

X = np.arange(10, dtype="float32")[:, None]


def seen(batches):
    return np.concatenate([batches[i][0][:, 0] for i in range(len(batches))])


def test_each_epoch_has_every_signal_once_in_another_order():
    batches = EpochBatches(shuffled((X, X[:, 0]), seed=1), batch_size=4)
    first = seen(batches)
    assert len(batches) == 3
    assert [len(batches[i][0]) for i in range(3)] == [4, 4, 2]
    np.testing.assert_array_equal(batches[1][0][:, 0], batches[1][1])
    batches.set_epoch(1)
    assert not np.array_equal(seen(batches), first)
    np.testing.assert_array_equal(np.sort(seen(batches)), X[:, 0])


@pytest.mark.parametrize("initial_epoch", [0, 2])
def test_fit_trains_on_the_epochs_in_turn(initial_epoch):
    model = keras.Sequential([keras.layers.Dense(1, kernel_initializer="ones")])  # built by `fit`
    model.compile(keras.optimizers.SGD(0.0), "mae")
    batches = EpochBatches(lambda epoch: (np.full((4, 1), epoch, "float32"), np.zeros((4, 1), "float32")), 2)
    history = model.fit(batches, initial_epoch=initial_epoch, epochs=4, callbacks=[batches.callback], verbose=0).history
    assert history["loss"] == [float(epoch) for epoch in range(initial_epoch, 4)]


def test_fresh_signals_are_never_repeated_and_depend_on_the_epoch_alone():
    config = SignalConfig.from_preset("quickstart")
    load_epoch = fresh_signals(config, 8, seed=3)
    first, second = load_epoch(0)[0], load_epoch(1)[0]
    assert np.abs(first - second).max() > 0.1
    whole = standardize(synthesize(config, 16, 3)["signal"])
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)
    np.testing.assert_allclose(first.std(axis=1), 1, rtol=1e-4)


def test_an_empty_epoch_is_an_error():
    with pytest.raises(ValueError, match="no signals to train on"):
        EpochBatches(shuffled((X[:0],), seed=0), 4)
