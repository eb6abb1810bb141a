import numpy as np
import pytest

from keras_usmae.models import EchoDetector, MAEEncoder, ToFClassifier
from keras_usmae.training import take_head


@pytest.fixture(scope="module")
def detector():
    return EchoDetector.from_preset("nano")


def test_a_classifier_takes_the_head_of_a_picker(detector):
    classifier = ToFClassifier(MAEEncoder.from_preset("nano", weights="picker"))
    signals = np.random.default_rng(0).standard_normal((3, 2048)).astype("float32")
    theirs = detector.predict(signals, verbose=0)
    assert not np.allclose(classifier.predict(signals, verbose=0), theirs, atol=1e-2)
    assert take_head(classifier, detector)
    np.testing.assert_allclose(classifier.predict(signals, verbose=0), theirs, atol=1e-4)


@pytest.mark.parametrize("changes", [{"bin_width": 32}, {"head": "pooled"}])
def test_a_head_of_another_kind_stays_fresh(detector, changes):
    classifier = ToFClassifier(MAEEncoder.from_preset("nano"), **changes)
    before = classifier.head_layer.get_weights()
    assert not take_head(classifier, detector)
    assert all(np.array_equal(a, b) for a, b in zip(before, classifier.head_layer.get_weights(), strict=True))
