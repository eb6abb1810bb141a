import dataclasses

import keras
import numpy as np
import pytest

from keras_usmae.signals import SignalConfig, standardize, synthesize

SEED = 0
NUM_TRAIN, NUM_TEST = 1024, 256
EASY = dataclasses.replace(SignalConfig.from_preset("paper"), signal_length=1024, snr_db=(30.0, 38.0))

# Export exists on TensorFlow only.
collect_ignore_glob = [] if keras.backend.backend() == "tensorflow" else ["test_*.py"]


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory):
    """A run folder as finetune.py writes it: nano on 1,024 easy signals, long enough for logits that are not flat."""
    from keras_usmae.models import MAEEncoder, ToFClassifier, ToFCrossentropy

    keras.utils.set_random_seed(SEED)
    arrays = synthesize(EASY, NUM_TRAIN + NUM_TEST, seed=SEED)
    signals, onset = arrays["signal"], np.asarray(arrays["onset"], "float32").ravel()
    classifier = ToFClassifier(MAEEncoder.from_preset("nano", signal_length=EASY.signal_length))
    classifier.compile(keras.optimizers.AdamW(4e-3, weight_decay=1e-3), loss=ToFCrossentropy(16, sigma=12.0))
    classifier.fit(standardize(signals[:NUM_TRAIN]), onset[:NUM_TRAIN], batch_size=32, epochs=10, verbose=0)
    folder = tmp_path_factory.mktemp("run")
    classifier.save(folder / "classifier.keras")
    np.savez(folder / "calibration.npz", signal=signals[:256], onset=onset[:256], index=np.arange(256))
    np.savez(folder / "test.npz", signal=signals[NUM_TRAIN:], onset=onset[NUM_TRAIN:])
    return folder


@pytest.fixture(scope="session")
def classifier(run_folder):
    from keras_usmae.export import load_model

    return load_model(run_folder)


@pytest.fixture(scope="session")
def reference(run_folder, classifier):
    """The run's classifier and its test split."""
    from keras_usmae.export import load_signals, reference_of

    return reference_of(classifier, *load_signals(run_folder / "test.npz"))


@pytest.fixture(scope="session")
def exported(run_folder, reference):
    """The run exported in all formats: the output folder and the figures."""
    from keras_usmae.export import FORMATS, export_model, load_signals

    calibration, _ = load_signals(run_folder / "calibration.npz")
    output = run_folder / "export"
    return output, export_model(reference, output, calibration, FORMATS)


@pytest.fixture(scope="session")
def picker_reference():
    """The ready picker that ships as nano, and synthetic signals."""
    from keras_usmae.export import FIELD_JUDGING_SEED, field_signals, reference_of
    from keras_usmae.models import EchoDetector

    return reference_of(EchoDetector.from_preset("nano"), *field_signals(96, 2048, FIELD_JUDGING_SEED), "synthetic")


@pytest.fixture(scope="session")
def exported_picker(picker_reference, tmp_path_factory):
    """The ready picker exported in integers: the output folder and the figures."""
    from keras_usmae.export import FIELD_CALIBRATION_SEED, INTEGER_FORMATS, export_model, field_signals

    output = tmp_path_factory.mktemp("picker") / "export"
    calibration, _ = field_signals(128, 2048, FIELD_CALIBRATION_SEED)
    return output, export_model(picker_reference, output, calibration, INTEGER_FORMATS)
