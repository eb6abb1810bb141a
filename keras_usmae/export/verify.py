"""Exported files against the Keras model, number by number."""

import collections
from pathlib import Path

import numpy as np

from keras_usmae.evaluation.scores import score_onsets
from keras_usmae.export.cost import count_macs, estimate_cycles
from keras_usmae.export.interpreters import LiteRTInterpreter, TFLMInterpreter
from keras_usmae.export.onnx import ONNXInterpreter
from keras_usmae.export.operators import check_integer, check_operators, read_operators
from keras_usmae.export.tflite import INTEGER_FORMATS, TFLM_FORMATS
from keras_usmae.models import decode_onset
from keras_usmae.signals import standardize

# A float32 file computes what Keras computes: more than rounding apart is a fault of the conversion.
FLOAT32_TOLERANCE = 1e-3


def compare_with_keras(logits, keras_logits, onset, classifier, speed_of_sound, output_scale=0.0):
    """Scores the logits of a runtime against Keras's, and both against the labels.

    Args:
        logits: float32 array of shape `(n, num_classes)`, of the runtime.
        keras_logits: float32 array of shape `(n, num_classes)`.
        onset: array of shape `(n,)`, labelled onsets in samples.
        classifier: `ToFClassifier`, for its bins and its sampling rate.
        speed_of_sound: float, m/s.
        output_scale: float, logit of one LSB of a quantised output. Defaults to `0.0`, a float output.

    Returns:
        A dict of floats: `argmax_agreement` and `argmax_within_one_bin_of_keras` (shares),
        `probability_deviation_max` and `_mean` (absolute, over all classes), `logit_deviation_max_lsb` and `_mean_lsb`
        (`None` for a float output), `accuracy`, `within_one_bin` and the errors of `score_onsets`.

    Example:

    ```python
    compare_with_keras(logits, classifier.predict(signals), onset, classifier, 1480.0)["argmax_agreement"]
    ```
    """
    deviation = np.abs(_softmax(logits) - _softmax(keras_logits))
    in_lsb = np.abs(logits - keras_logits) / output_scale if output_scale else None
    likeliest = logits.argmax(axis=-1)
    distance = np.abs(likeliest - keras_logits.argmax(axis=-1))
    estimate = np.asarray(decode_onset(logits, classifier.bin_width))
    scores = score_onsets(
        onset, estimate, classifier.bin_width, classifier.sampling_rate, speed_of_sound, predicted_class=likeliest
    )
    return {
        "argmax_agreement": float((distance == 0).mean()),
        "argmax_within_one_bin_of_keras": float((distance <= 1).mean()),
        "probability_deviation_max": float(deviation.max()),
        "probability_deviation_mean": float(deviation.mean()),
        "logit_deviation_max_lsb": None if in_lsb is None else float(in_lsb.max()),
        "logit_deviation_mean_lsb": None if in_lsb is None else float(in_lsb.mean()),
        **scores,
    }


def _softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def verify_tflite(
    content, tflite_format, classifier, keras_logits, signals, onset, speed_of_sound=1480.0, seconds=60.0
):
    """Measures a TFLite file: operators, size, arena, and its results in each runtime.

    Integer files are judged by TFLM and by LiteRT's reference kernels, which share their arithmetic. What LiteRT runs
    by default (XNNPACK) is reported beside them.

    Args:
        content: bytes of the file.
        tflite_format: str, its format; see `convert`.
        classifier: the `ToFClassifier` it was made from.
        keras_logits: float32 array of shape `(n, num_classes)`, what the classifier gives.
        signals: array of shape `(n, signal_length)`, raw signals of the test split.
        onset: array of shape `(n,)`, labelled onsets in samples.
        speed_of_sound: float, m/s, for errors in mm. Defaults to `1480.0`.
        seconds: float, longest time for one runtime in s; the first signals that fit into it count, and their number
            is reported. Defaults to `60.0`.

    Returns:
        A dict: `bytes`, `operators` (count of each), `macs` and `cycles` (of each core, estimated; see
        `estimate_cycles`) of one signal, `arena_bytes` (`None` where TFLM does not run the format), and `runtimes`,
        from name to the scores of `compare_with_keras` with `num_signals` and `latency_ms`.

    Raises:
        ValueError: if an operator is not in TFLM, an integer file holds floats, or a float32 file disagrees with Keras.

    Example:

    ```python
    report = verify_tflite(content, "int8", classifier, classifier.predict(standardize(signals)), signals, onset)
    report["runtimes"]["TFLM"]["argmax_agreement"]
    ```
    """
    operators = read_operators(content)
    on_tflm = tflite_format in TFLM_FORMATS
    if on_tflm:
        check_operators(operators)
    if tflite_format in INTEGER_FORMATS:
        check_integer(operators)
    interpreters = {"TFLM": TFLMInterpreter(content)} if on_tflm else {}
    interpreters["LiteRT reference"] = LiteRTInterpreter(content)
    interpreters["LiteRT XNNPACK"] = LiteRTInterpreter(content, delegate=True)
    exact = tflite_format == "float32"
    runtimes = {
        name: _judge(name, interpreter, classifier, keras_logits, signals, onset, speed_of_sound, seconds, exact)
        for name, interpreter in interpreters.items()
    }
    return {
        "bytes": len(content),
        "operators": dict(collections.Counter(operator.name for operator in operators)),
        "macs": count_macs(operators),
        "cycles": estimate_cycles(operators) if tflite_format in INTEGER_FORMATS else None,
        "arena_bytes": interpreters["TFLM"].arena_bytes() if on_tflm else None,
        "runtimes": runtimes,
    }


def verify_onnx(path, classifier, keras_logits, signals, onset, speed_of_sound=1480.0, seconds=60.0):
    """Measures an ONNX file in ONNX Runtime.

    Args:
        path: path of the file.
        classifier: the `ToFClassifier` it was made from.
        keras_logits: float32 array of shape `(n, num_classes)`, what the classifier gives.
        signals: array of shape `(n, signal_length)`, raw signals of the test split.
        onset: array of shape `(n,)`, labelled onsets in samples.
        speed_of_sound: float, m/s, for errors in mm. Defaults to `1480.0`.
        seconds: float, longest time in s; see `verify_tflite`. Defaults to `60.0`.

    Returns:
        A dict with `bytes` and `runtimes`, as `verify_tflite` gives them.

    Raises:
        ValueError: if the file disagrees with Keras.

    Example:

    ```python
    verify_onnx("model.onnx", classifier, classifier.predict(standardize(signals)), signals, onset)
    ```
    """
    name, interpreter = "ONNX Runtime", ONNXInterpreter(path)
    scores = _judge(name, interpreter, classifier, keras_logits, signals, onset, speed_of_sound, seconds, exact=True)
    return {"bytes": Path(path).stat().st_size, "runtimes": {name: scores}}


def _judge(name, interpreter, classifier, keras_logits, signals, onset, speed_of_sound, seconds, exact):
    """Scores of one runtime; one that should compute what Keras computes (`exact`) must."""
    logits, latency = interpreter.run(standardize(signals), seconds)
    n = len(logits)
    scale = interpreter.output_scale[0]
    scores = compare_with_keras(logits, keras_logits[:n], onset[:n], classifier, speed_of_sound, scale)
    deviation = scores["probability_deviation_max"]
    if exact and deviation > FLOAT32_TOLERANCE:
        raise ValueError(
            f"The float32 file disagrees with Keras in {name}: a probability is {deviation:.2g} off, and rounding "
            f"explains at most {FLOAT32_TOLERANCE:g}. The conversion is wrong; please report it with the model."
        )
    return {"num_signals": n, "latency_ms": latency * 1e3, **scores}
