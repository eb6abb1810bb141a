import keras
import numpy as np
import pytest
from scipy.stats import norm

from keras_usmae.models import (
    CNNEncoder,
    MAEEncoder,
    PerPatchHead,
    PooledHead,
    ToFClassifier,
    ToFCrossentropy,
    decode_onset,
)
from keras_usmae.models.tof_metrics import ToFAccuracy, ToFError
from tests.layer_test import run_layer_test

RNG = np.random.default_rng(0)
TOKENS = RNG.normal(size=(3, 8, 4)).astype("float32")


def numpy_of(tensor):
    return keras.ops.convert_to_numpy(tensor)


def nano(**kwargs):
    return MAEEncoder.from_preset("nano", signal_length=256, **kwargs)


@pytest.mark.parametrize("cls", [PooledHead, PerPatchHead])
@pytest.mark.parametrize("num_classes", [16, 8, 4])  # two bins a patch, one, and two patches a bin
def test_heads(cls, num_classes):
    run_layer_test(cls, {"num_classes": num_classes, "dropout": 0.1}, (TOKENS,), [(3, num_classes)], num_weights=2)


def test_pooled_head_sees_what_occurs_once():
    run_layer_test(PooledHead, {"num_classes": 2, "pooling": "mean_max"}, (TOKENS,), [(3, 2)], num_weights=2)
    head = PooledHead(2, pooling="mean_max")
    head.build(TOKENS.shape)
    kernel = np.zeros((8, 2), "float32")
    kernel[4, 0] = 1  # the maximum of the first channel
    head.set_weights([kernel, np.zeros(2, "float32")])
    np.testing.assert_allclose(numpy_of(head(TOKENS))[:, 0], TOKENS[:, :, 0].max(axis=1))
    with pytest.raises(ValueError, match="pooling='median'"):
        PooledHead(2, pooling="median")


def test_per_patch_head_reads_each_bin_from_its_own_patch():
    head = PerPatchHead(16)
    before = numpy_of(head(TOKENS))
    changed = TOKENS.copy()
    changed[:, 5] += 1
    np.testing.assert_array_equal(np.flatnonzero(np.abs(numpy_of(head(changed)) - before).max(axis=0)), [10, 11])


def test_per_patch_head_needs_nesting():
    with pytest.raises(ValueError, match="num_classes=12 is neither a multiple nor a whole fraction of num_patches=8"):
        PerPatchHead(12)(TOKENS)


def test_decoding_a_normal_distribution_recovers_fractions_of_a_bin():
    onset = RNG.uniform(100, 1900, size=200).astype("float32")
    edges = np.arange(129) * 16.0
    mass = np.diff(norm.cdf(edges[None], onset[:, None], 12.0), axis=1)
    logits = np.log(mass + 1e-30).astype("float32")
    np.testing.assert_allclose(numpy_of(decode_onset(logits, 16)), onset, atol=0.7)
    np.testing.assert_array_equal(numpy_of(decode_onset(logits, 16, "argmax")), (np.floor(onset / 16) + 0.5) * 16)


def test_decoding_is_not_pulled_by_a_far_second_guess():
    probabilities = np.full((1, 128), 1e-9)
    probabilities[0, 20], probabilities[0, 100] = 0.6, 0.4
    assert numpy_of(decode_onset(np.log(probabilities), 16))[0] == pytest.approx(20.5 * 16, abs=1e-3)
    with pytest.raises(ValueError, match="Received: method='median'"):
        decode_onset(probabilities, 16, "median")


def test_targets_are_the_normal_distribution_over_the_bins():
    loss = ToFCrossentropy(bin_width=16, sigma=10.0)
    targets = numpy_of(loss.targets(np.array([0.0, 100.0, 255.9], "float32"), 16))
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(targets[1], np.diff(norm.cdf(np.arange(17) * 16.0, 100.0, 10.0)), atol=1e-6)
    np.testing.assert_array_equal(targets.argmax(axis=1), [0, 6, 15])


def test_hard_loss_is_sparse_crossentropy():
    logits, onset = RNG.normal(size=(5, 16)).astype("float32"), RNG.uniform(0, 256, 5).astype("float32")
    expected = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(onset // 16, logits)
    ours = ToFCrossentropy(16)(onset, logits)
    assert float(numpy_of(ours)) == pytest.approx(float(numpy_of(expected)), rel=1e-5)
    np.testing.assert_allclose(numpy_of(ToFCrossentropy(16)(onset[:, None], logits)), numpy_of(ours), rtol=1e-6)
    with pytest.raises(ValueError, match="sigma=-1"):
        ToFCrossentropy(16, -1)


def test_metrics():
    logits = np.full((4, 16), -30, "float32")
    logits[np.arange(4), [3, 4, 5, 9]] = 0
    onset = np.array([56, 56, 56, 56], "float32")  # the centre of bin 3
    results = [numpy_of(metric(onset, logits)) for metric in (ToFAccuracy(16), ToFAccuracy(16, 1), ToFError(16))]
    np.testing.assert_allclose(results, [0.25, 0.5, (0 + 16 + 32 + 96) / 4], atol=1e-4)


@pytest.mark.parametrize("head", ["per_patch", "pooled"])
@pytest.mark.parametrize("make_encoder", [nano, lambda: CNNEncoder(256, hidden_dim=16, num_layers=2)])
def test_classifier_learns_saves_and_loads(head, make_encoder, tmp_path):
    signals = 0.1 * RNG.normal(size=(256, 256))
    onset = RNG.uniform(0, 255, size=256)
    for signal, start in zip(signals, onset, strict=True):
        signal[int(start) :] += np.sin(np.arange(256 - int(start)) * 0.3)
    signals, onset = signals.astype("float32"), onset.astype("float32")
    classifier = ToFClassifier(make_encoder(), head=head)
    metrics = [ToFAccuracy(16), ToFError(16)]
    classifier.compile(keras.optimizers.Adam(5e-3), ToFCrossentropy(16, 8.0), metrics=metrics)
    history = classifier.fit(signals, onset, epochs=6, batch_size=32, verbose=0).history
    assert history["loss"][-1] < 0.85 * history["loss"][0]
    assert set(history) == {"loss", "accuracy", "error_samples"}
    classifier.save(tmp_path / "classifier.keras")
    again = keras.saving.load_model(tmp_path / "classifier.keras")
    for name, value in classifier.predict_tof(signals[:8]).items():
        np.testing.assert_array_equal(value, again.predict_tof(signals[:8])[name])


def test_predict_tof_gives_seconds_and_ignores_gain_and_offset():
    classifier = ToFClassifier(nano(), sampling_rate=50e6)
    signals = RNG.normal(size=(4, 256)).astype("float32")
    result, scaled = classifier.predict_tof(signals), classifier.predict_tof(300 * signals + 7)
    np.testing.assert_allclose(result["tof"], result["onset"] / 50e6)
    np.testing.assert_allclose(result["onset"], scaled["onset"], atol=0.05)
    assert ((result["confidence"] > 0) & (result["confidence"] < 1)).all()


def test_bad_input():
    classifier = ToFClassifier(nano())
    signals = RNG.normal(size=(4, 256)).astype("float32")
    signals[2, 7] = np.nan
    with pytest.raises(ValueError, match="2"):
        classifier.predict_tof(signals)
    with pytest.raises(ValueError, match="256"):
        classifier.predict_tof(signals[:, :200])
    with pytest.raises(ValueError, match="Received: head='linear'"):
        ToFClassifier(nano(), head="linear")
    with pytest.raises(ValueError, match=r"divide the signal length 256\. Received: bin_width=15"):
        ToFClassifier(nano(), bin_width=15)


def test_cnn_matches_the_size_of_a_transformer():
    for preset in ("nano", "tiny"):
        encoder = MAEEncoder.from_preset(preset)
        cnn = CNNEncoder.from_encoder(encoder)
        assert sum(np.prod(w.shape) for w in cnn.trainable_weights) == pytest.approx(encoder.count_params(), rel=0.05)
        assert cnn(np.zeros((1, 2048), "float32")).shape[:2] == (1, encoder.num_patches)
    with pytest.raises(ValueError, match="power of 2"):
        CNNEncoder(240, 24)
