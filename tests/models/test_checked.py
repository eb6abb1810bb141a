"""What cannot be trained on is told in one way on every backend, and no weight moves."""

import re

import keras
import numpy as np
import pytest

from keras_usmae.layers import RandomMasking
from keras_usmae.models import (
    CNNEncoder,
    MAEEncoder,
    MaskedAutoencoder,
    SignalClassifier,
    ToFClassifier,
    ToFCrossentropy,
)
from keras_usmae.models.tof_metrics import ToFAccuracy, ToFError

RNG = np.random.default_rng(0)
SIGNALS = RNG.normal(size=(8, 128)).astype("float32")
ONSET = RNG.uniform(0, 127, size=8).astype("float32")
SIZES = {"hidden_dim": 8, "num_heads": 1, "head_dim": 8, "num_layers": 1, "mlp_dim": 8}


def encoder(**others):
    return MAEEncoder(**{"signal_length": 128, "patch_size": 32, **SIZES, **others})


@pytest.fixture(scope="module")
def classifier():
    """Compiled steps: an error has to come from outside of them."""
    keras.utils.set_random_seed(0)
    classifier = ToFClassifier(encoder())
    metrics = [ToFAccuracy(16), ToFError(16)]
    classifier.compile(keras.optimizers.SGD(0.0), ToFCrossentropy(16, 8.0), metrics=metrics)
    return classifier


@pytest.fixture(scope="module")
def mae():
    parts = {"encoder": {"signal_length": 128, "patch_size": 32, **SIZES}, "decoder": SIZES}
    mae = MaskedAutoencoder.from_preset(parts, mask_ratio=0.5, seed=0)
    mae.compile(keras.optimizers.SGD(0.0))
    return mae


def changed(values, index, value):
    values = values.astype("float64")
    values[index] = value
    return values


class Batches(keras.utils.PyDataset):
    def __init__(self, signals, labels):
        super().__init__()
        self.arrays = signals, labels

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return tuple(array[4 * index : 4 * index + 4] for array in self.arrays)


def as_generator(signals, labels):
    batches = Batches(signals, labels)
    return (batches[i] for i in range(2))


def as_tf_dataset(signals, labels):
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((signals, labels)).batch(4)


def as_loader(signals, labels):
    torch = pytest.importorskip("torch")
    with np.errstate(over="ignore"):  # 1e300 becomes inf, which is an impossible onset too
        pairs = list(zip(signals.astype("float32"), labels.astype("float32"), strict=True))
    return torch.utils.data.DataLoader(pairs, batch_size=4)


FORMS = {"arrays": lambda *a: a, "PyDataset": Batches, "generator": as_generator, "tf.data": as_tf_dataset}
FORMS["DataLoader"] = as_loader


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", [np.nan, -1.0, 128.0, 1e300])
def test_an_impossible_onset_is_named_and_no_weight_moves(classifier, form, value):
    data = FORMS[form](SIGNALS, changed(ONSET, 6, value))
    data = {"x": data[0], "y": data[1]} if form == "arrays" else {"x": data}
    before = classifier.get_weights()
    with pytest.raises(ValueError, match=r"onset at index \d is (nan|-1|128|1e\+300|inf)"):
        classifier.fit(**data, shuffle=False, verbose=0)  # Keras shuffles no data sets of others, and says so
    for ours, theirs in zip(before, classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_an_impossible_onset_is_told_in_validation_and_on_one_batch(classifier):
    wrong = changed(ONSET, 3, np.nan)
    for call in (
        lambda: classifier.fit(SIGNALS, ONSET, validation_data=(SIGNALS, wrong), verbose=0),
        lambda: classifier.fit(SIGNALS, ONSET, validation_data=Batches(SIGNALS, wrong), verbose=0),
        lambda: classifier.evaluate(SIGNALS, wrong, verbose=0),
        lambda: classifier.train_on_batch(SIGNALS, wrong),
        lambda: classifier.test_on_batch(SIGNALS, wrong),
    ):
        with pytest.raises(ValueError, match="onset at index 3 is nan"):
            call()
    assert np.isfinite(classifier.predict(SIGNALS, verbose=0)).all()


@pytest.mark.parametrize("sigma", [0.0, 8.0])
@pytest.mark.parametrize("value", [np.nan, -1.0, 128.0])
def test_the_loss_of_an_impossible_onset_is_nan_and_has_no_gradient(sigma, value):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8)])
    model.compile(keras.optimizers.SGD(0.1), ToFCrossentropy(16, sigma), metrics=[ToFAccuracy(16), ToFError(16)])
    logs = model.train_on_batch(RNG.normal(size=(2, 4)), np.array([20.0, value]), return_dict=True)
    assert all(np.isnan(score) for score in logs.values()), logs
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_an_impossible_class_is_named():
    model = SignalClassifier(encoder(), num_classes=3)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for value in (np.nan, -1, 3, 0.5):
        with pytest.raises(ValueError, match=f"label at index 5 is {value}"):
            model.fit(SIGNALS, changed(np.arange(8) % 3, 5, value), verbose=0)


BAD_SIGNALS = {
    "empty": (SIGNALS[:0], "no signals in this batch"),
    "rank 1": (SIGNALS[0], re.escape("shape (128,); write `signals[None]`")),
    "rank 3": (SIGNALS[:, :, None], re.escape("Expected signals of shape (batch, 128)")),
    "three samples": (SIGNALS[:, :3], "takes signals of 128 samples"),
    "NaN": (changed(SIGNALS, (2, 7), np.nan), "index 2 holds NaN"),
    "beyond float32": (changed(SIGNALS, (2, 7), 1e300), "index 2 holds NaN or infinity"),
    "text": (np.full((8, 128), "a"), "real numbers"),
}


@pytest.mark.parametrize("kind", BAD_SIGNALS)
def test_bad_signals_are_one_kind_of_error_and_leave_the_model_whole(classifier, mae, kind):
    signals, message = BAD_SIGNALS[kind]
    labels = ONSET[: len(signals)]
    before = [each.get_weights() for each in (classifier, mae)]
    for call in (
        lambda: classifier.fit(signals, labels, verbose=0),
        lambda: classifier.evaluate(signals, labels, verbose=0),
        lambda: classifier.predict(signals, verbose=0),
        lambda: classifier.train_on_batch(signals, labels),
        lambda: classifier.predict_on_batch(signals),
        lambda: mae.fit(signals, verbose=0),
        lambda: mae.train_on_batch(signals),
        lambda: mae.reconstruct(signals),
        lambda: classifier.encoder.predict(signals, verbose=0),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    for weights, model in zip(before, (classifier, mae), strict=True):
        for ours, theirs in zip(weights, model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", ["empty", "rank 1", "rank 3", "three samples"])
def test_a_call_tells_of_bad_shapes_too(classifier, mae, kind):
    signals, message = BAD_SIGNALS[kind]
    for call in (classifier, mae, classifier.encoder, CNNEncoder(128, 8, 8, 1)):
        with pytest.raises(ValueError, match=message):
            call(signals)


@pytest.mark.parametrize("width", [3, 5])
def test_noise_of_another_width_is_told(mae, width):
    noise = RNG.integers(100, size=(8, width)).astype("int32")
    for call in (
        lambda: mae(SIGNALS, noise=noise),
        lambda: mae.reconstruct(SIGNALS, noise=noise),
        lambda: mae.fit({"signals": SIGNALS, "noise": noise}, verbose=0),
        lambda: mae(SIGNALS, noise=noise[0]),
        lambda: RandomMasking(0.5)(np.zeros((8, 4, 8), "float32"), noise=noise),
    ):
        with pytest.raises(ValueError, match=r"`noise` must have shape \(\w+, 4\)"):
            call()
    with pytest.raises(ValueError, match=r"must have shape \(8, 4\)"):
        mae(SIGNALS, noise=np.zeros((7, 4)))


@pytest.mark.parametrize("seed", [-1, 2**31, 2**70, 1.5, "1", True])
def test_bad_seeds_are_told(mae, seed):
    with pytest.raises(ValueError, match="`seed` must be an integer from 0 to 2147483647"):
        RandomMasking(0.5, seed=seed)
    with pytest.raises(ValueError, match="`seed` must be"):
        MaskedAutoencoder(mae.encoder, mae.decoder, seed=seed)


def test_the_largest_seed_is_drawn_from():
    mask = keras.ops.convert_to_numpy(RandomMasking(0.5, seed=2**31 - 1)(np.zeros((2, 4, 8), "float32"))[1])
    np.testing.assert_array_equal(mask.sum(axis=1), 2)


@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf, "1"])
def test_bad_temperatures_spreads_and_rates_are_told(classifier, value):
    for name, call in (
        ("temperature", lambda: classifier.predict_tof(SIGNALS, temperature=value)),
        ("sigma", lambda: ToFCrossentropy(16, sigma=value or -1)),
        ("sampling_rate", lambda: ToFClassifier(classifier.encoder, sampling_rate=value)),
    ):
        with pytest.raises(ValueError, match=f"`{name}` must be a positive, finite number"):
            call()


def test_logits_and_losses_of_another_number_of_classes_are_told(classifier):
    for logits in (np.zeros((2, 9)), np.zeros(8), np.zeros((0, 8))):
        with pytest.raises(ValueError, match="has 8 classes"):
            classifier.decode(logits)
    other = ToFClassifier(encoder())
    for arguments in ({"loss": ToFCrossentropy(8)}, {"loss": ToFCrossentropy(16), "metrics": [ToFError(32)]}):
        with pytest.raises(ValueError, match=r"has bin_width=(8|32), but .* of 16 samples"):
            other.compile("sgd", **arguments)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"num_layers": 400}, "at most 128"),
        ({"hidden_dim": 32768, "mlp_dim": 32768}, "ask for some 1.1e"),
        ({"num_heads": 2**20, "head_dim": 2**20}, "ask for some"),
        ({"hidden_dim": 0}, "`hidden_dim` must be a positive integer"),
        ({"mlp_dim": -1}, "`mlp_dim`"),
        ({"num_layers": "6"}, "`num_layers`"),
        ({"hidden_dim": 8.5}, "`hidden_dim`"),
    ],
)
def test_sizes_that_no_machine_can_hold_are_told_at_once(sizes, message):
    with pytest.raises(ValueError, match=message):
        encoder(**sizes)


class Failing(Batches):
    """Ends in an error, or as Ctrl-C does, in the first batch."""

    def __init__(self, error):
        super().__init__(SIGNALS, ONSET)
        self.error = error

    def __getitem__(self, index):
        raise self.error


@pytest.mark.parametrize("error", [RuntimeError("the disk is gone"), KeyboardInterrupt()])
def test_a_model_is_whole_after_an_error_in_the_first_batch(classifier, error):
    expected = classifier.predict(SIGNALS, verbose=0)
    for method in (classifier.fit, classifier.evaluate, classifier.predict):
        with pytest.raises(type(error)):
            method(Failing(error), verbose=0)
    np.testing.assert_array_equal(classifier.predict(SIGNALS, verbose=0), expected)


class BadSecond(Batches):
    def __getitem__(self, index):
        batch = super().__getitem__(index)
        return batch if index == 0 else tuple(array[:0] for array in batch)


def test_an_empty_batch_among_others_is_told_and_what_was_learned_before_stays(classifier):
    with pytest.raises(ValueError, match="no signals in this batch"):
        classifier.fit(BadSecond(SIGNALS, ONSET), verbose=0)
    assert np.isfinite(classifier.predict(SIGNALS, verbose=0)).all()
