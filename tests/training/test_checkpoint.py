import h5py
import keras
import numpy as np
import pytest

from keras_usmae.models import MaskedAutoencoder
from keras_usmae.training import (
    BEST_FILE,
    LAST_FILE,
    EpochBatches,
    RunCheckpoint,
    RunLog,
    build_optimizer,
    read_history,
    shuffled,
)

SIGNALS = np.random.default_rng(0).normal(size=(24, 256)).astype("float32")
EPOCHS = 4


class Killed(Exception):
    """Stands for the power cut."""


class KillAfter(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.last = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.last:
            raise Killed


def train(folder, kill_after=None, seed=3):
    keras.utils.set_random_seed(seed)
    mae = MaskedAutoencoder.from_preset("nano", signal_length=256, seed=seed)
    batches = EpochBatches(shuffled((SIGNALS,), seed), 8)
    mae.compile(build_optimizer(1e-3, EPOCHS * len(batches), 3))
    checkpoint = RunCheckpoint(folder)
    first_epoch = checkpoint.restore(mae)
    callbacks = [batches.callback, RunLog(folder), checkpoint] + ([] if kill_after is None else [KillAfter(kill_after)])
    mae.fit(
        batches,
        validation_data=(SIGNALS, None),
        initial_epoch=first_epoch,
        epochs=EPOCHS,
        callbacks=callbacks,
        shuffle=False,
        verbose=0,
    )
    return mae


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path):
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    whole = train(tmp_path / "whole")
    with pytest.raises(Killed):
        train(tmp_path / "cut", kill_after=1)
    assert len(read_history(tmp_path / "cut" / "metrics.csv")) == 2
    cut = train(tmp_path / "cut")
    rows = [read_history(tmp_path / name / "metrics.csv") for name in ("whole", "cut")]
    for ours, theirs in zip(*rows, strict=True):
        for name in ("epoch", "loss", "val_loss", "learning_rate"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-6), name
    for ours, theirs in zip(whole.weights, cut.weights, strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs), atol=1e-6)


def test_best_is_the_epoch_with_the_smallest_value(tmp_path):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    checkpoint = RunCheckpoint(tmp_path)
    checkpoint.set_model(model)
    for epoch, value in enumerate([3.0, 1.0, 2.0]):
        model.layers[0].bias.assign([epoch])
        checkpoint.on_epoch_end(epoch, {"val_loss": value})
    model.load_weights(tmp_path / BEST_FILE)
    assert float(keras.ops.convert_to_numpy(model.layers[0].bias)[0]) == 1
    again = RunCheckpoint(tmp_path)
    assert again.restore(model) == 3
    assert again.best == 1.0
    assert float(keras.ops.convert_to_numpy(model.layers[0].bias)[0]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [BEST_FILE, LAST_FILE]


def test_a_damaged_checkpoint_is_told(tmp_path):
    (tmp_path / LAST_FILE).write_bytes(b"\x89HDF\r\n\x1a\n half of it")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"last\.weights\.h5 cannot be read"):
        RunCheckpoint(tmp_path).restore(model)


def test_logs_can_be_read_by_tensorboard(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((4, 1), "float32")
    model.fit(x, x, epochs=3, callbacks=[RunLog(tmp_path)], verbose=0)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    logged = [event.value for event in events.Scalars("loss")]
    np.testing.assert_allclose(logged, [row["loss"] for row in read_history(tmp_path / "metrics.csv")], rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs_done": 999}, "epochs_done=999, where 1 to 4 are possible"),
        ({"epochs_done": -5}, "epochs_done=-5"),
        ({"epochs_done": "two"}, "cannot be read"),
        ({"weights": np.nan}, "not finite"),
    ],
)
def test_a_checkpoint_that_somebody_changed_is_not_believed(tmp_path, change, message):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    checkpoint = RunCheckpoint(tmp_path)
    checkpoint.set_model(model)
    if "weights" in change:
        model.layers[0].bias.assign([change.pop("weights")])
    checkpoint.on_epoch_end(0, {"val_loss": 1.0})
    with h5py.File(tmp_path / LAST_FILE, "a") as file:
        file.attrs.update(change)
    with pytest.raises(ValueError, match=message):
        RunCheckpoint(tmp_path).restore(model, epochs=EPOCHS)
