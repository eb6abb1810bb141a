import keras
import numpy as np
import pytest

from keras_usmae.export import (
    DEPLOYMENT_FORMS,
    FIELD_CALIBRATION_SEED,
    FIELD_JUDGING_SEED,
    DeploymentForm,
    DeploymentGraph,
    TFLMInterpreter,
    check_calibration,
    check_integer,
    check_operators,
    convert,
    estimate_instructions,
    field_signals,
    read_operators,
    reference_of,
    write_static_saved_model,
)
from keras_usmae.models import CNNEncoder, EchoDetector, MAEEncoder, ToFClassifier
from keras_usmae.signals import standardize

SMALL = {"signal_length": 256, "patch_size": 32, "hidden_dim": 32, "num_heads": 2, "head_dim": 8, "mlp_dim": 16}


def randomized(classifier, seed=0):
    """Weights as training leaves them: no normalisation with a scale of 1 and an offset of 0 is left."""
    rng = np.random.default_rng(seed)
    classifier.set_weights([w + rng.normal(scale=0.2, size=w.shape) for w in classifier.get_weights()])
    return classifier


@pytest.mark.parametrize(
    "form",
    [
        DeploymentForm(),
        DeploymentForm(loudness_slope=0.5),
        DeploymentForm(fused_norm=False),
        DeploymentForm(fused_norm=False, rotated=True),
        DeploymentForm(fused_norm=False, loudness_slope=0.5),
        DeploymentForm(loudness_slope=0.5, rotated=True),
        DeploymentForm(loudness_slope=0.5, centered_values=True),
    ],
)
@pytest.mark.parametrize(
    ("head", "bin_width", "activation", "position"),
    [
        ("per_patch", 16, "tanh_gelu", "sincos"),
        ("per_patch", 64, "silu", "learned"),
        ("pooled", 16, "relu", "sincos"),
        ("pooled", 128, "gelu", "learned"),
    ],
)
def test_computes_what_keras_computes(form, head, bin_width, activation, position):
    keras.utils.set_random_seed(0)
    encoder = MAEEncoder(**SMALL, num_layers=2, activation=activation, position=position)
    classifier = randomized(ToFClassifier(encoder, bin_width=bin_width, head=head))
    signals = standardize(np.random.default_rng(1).normal(size=(3, 256)) * np.linspace(0.01, 1, 256) ** 2)
    graph = DeploymentGraph(classifier, form, signals[:2])
    found = np.concatenate([graph(signal[None]) for signal in signals])
    np.testing.assert_allclose(found, classifier.predict(signals, verbose=0), rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("form", [*DEPLOYMENT_FORMS.values(), DeploymentForm(centered_values=True)])
@pytest.mark.parametrize(("normalization", "stem_dim"), [("tanh", None), ("tanh", 24), ("layer", 24)])
def test_computes_what_keras_computes_in_a_network_for_chips(form, normalization, stem_dim):
    keras.utils.set_random_seed(0)
    encoder = MAEEncoder(**SMALL, num_layers=2, activation="relu", normalization=normalization, stem_dim=stem_dim)
    detector = randomized(EchoDetector(encoder))
    signals = standardize(np.random.default_rng(1).normal(size=(3, 256)) * np.linspace(0.01, 1, 256) ** 2)
    graph = DeploymentGraph(detector, form, signals[:2])
    found = np.concatenate([graph(signal[None]) for signal in signals])
    np.testing.assert_allclose(found, detector.predict(signals, verbose=0), rtol=2e-4, atol=2e-4)


def test_another_encoder_is_called_as_it_is():
    keras.utils.set_random_seed(0)
    classifier = ToFClassifier(CNNEncoder(signal_length=256, hidden_dim=8, num_layers=1))
    signals = np.random.default_rng(1).normal(size=(1, 256)).astype("float32")
    np.testing.assert_allclose(DeploymentGraph(classifier)(signals), classifier(signals), atol=1e-6)


@pytest.mark.parametrize("tflite_format", ["int8", "int16x8"])
def test_the_convolutional_baseline_is_integer_throughout(tmp_path, tflite_format):
    keras.utils.set_random_seed(0)
    classifier = ToFClassifier(CNNEncoder(signal_length=256, hidden_dim=8, num_layers=1))
    write_static_saved_model(DeploymentGraph(classifier, DEPLOYMENT_FORMS[tflite_format]), tmp_path)
    signals = standardize(np.random.default_rng(1).normal(size=(32, 256)))
    content = convert(tmp_path, tflite_format, signals)
    operators = read_operators(content)
    check_operators(operators)
    check_integer(operators)
    logits, expected = TFLMInterpreter(content).run(signals)[0], classifier.predict(signals, verbose=0)
    assert np.abs(logits - expected).mean() < 0.1 * expected.std()


def test_normalisation_becomes_one_operator(tmp_path):
    keras.utils.set_random_seed(0)
    write_static_saved_model(DeploymentGraph(ToFClassifier(MAEEncoder(**SMALL, num_layers=2))), tmp_path)
    names = [operator.name for operator in read_operators(convert(tmp_path, "float32"))]
    assert names.count("L2_NORMALIZATION") == 2 * 2 + 1
    assert "RSQRT" not in names


def test_the_ready_picker_for_chips_is_of_cheap_operators_and_loses_little_in_int8(tmp_path):
    detector = EchoDetector.from_preset("nano_mcu")
    signals = check_calibration(field_signals(128, 2048, FIELD_CALIBRATION_SEED)[0], 2048)
    write_static_saved_model(DeploymentGraph(detector, DEPLOYMENT_FORMS["int8"]), tmp_path)
    content = convert(tmp_path, "int8", signals)
    operators = read_operators(content)
    names = {operator.name for operator in operators}
    assert names == {"ADD", "BATCH_MATMUL", "FULLY_CONNECTED", "LOGISTIC", "RESHAPE", "SOFTMAX", "TRANSPOSE"}
    assert sum(estimate_instructions(operators, "Cortex-M4", tables=True).values()) < 8e6
    reference = reference_of(detector, *field_signals(256, 2048, FIELD_JUDGING_SEED), "synthetic")
    logits, _ = TFLMInterpreter(content).run(reference.inputs)
    int8, keras_ = reference.compare(logits), reference.compare(reference.logits)
    assert int8["found"] > keras_["found"] - 0.02
    assert int8["mean_error_ns"] < 1.2 * keras_["mean_error_ns"]


def test_evening_out_loudness_changes_nothing_in_float():
    keras.utils.set_random_seed(0)
    classifier = randomized(ToFClassifier(MAEEncoder(**SMALL, num_layers=1)))
    signal = standardize(np.random.default_rng(2).normal(size=(1, 256)) * np.repeat([0.02, 8.0], 128))
    quieted, plain = (DeploymentGraph(classifier, DeploymentForm(loudness_slope=s))(signal) for s in (0.5, 0.0))
    np.testing.assert_allclose(quieted, plain, rtol=1e-3, atol=1e-3)


def test_a_width_that_no_hadamard_matrix_has_is_not_rotated():
    classifier = ToFClassifier(MAEEncoder(**{**SMALL, "hidden_dim": 24}, num_layers=1))
    with pytest.raises(ValueError, match=r"power of two\. Received: 24"):
        DeploymentGraph(classifier, DeploymentForm(rotated=True))
