"""From a SavedModel to TFLite files, in float or integers."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_usmae.configs import TFLITE_FORMATS
from keras_usmae.signals import check_signals, standardize

# What computes in integers from input to output; their first word is the type of activations.
INTEGER_FORMATS = ("int8", "int16x8")
# TensorFlow Lite for Microcontrollers has no kernels that mix float activations with narrower weights.
TFLM_FORMATS = ("float32", "int8", "int16x8")
MIN_CALIBRATION = 32


def check_calibration(signals: np.ndarray, signal_length: int) -> np.ndarray:
    """Checks and standardises the signals that set the scales of an integer model.

    Args:
        signals: array of shape `(n, signal_length)`, raw signals from the training split; at least 32 of them.
        signal_length: int, samples in a signal.

    Returns:
        float32 array of shape `(n, signal_length)`, standardised.

    Raises:
        ValueError: if there are fewer than 32 signals, or they have another length, NaN, infinity, or no variance.
    """
    try:
        signals = standardize(check_signals(signals, signal_length))
    except ValueError as error:
        raise ValueError(f"The calibration signals cannot be used. {error}") from error
    if len(signals) < MIN_CALIBRATION:
        raise ValueError(
            f"Calibration needs at least {MIN_CALIBRATION} signals, better 256, to see the range of every activation. "
            f"Received: {len(signals)}. Draw more from the training split."
        )
    return signals


def convert(saved_model: str | Path, tflite_format: str, calibration: np.ndarray | None = None) -> bytes:
    """Converts a SavedModel of static shape to a TFLite flatbuffer of builtin operators.

    Args:
        saved_model: path of a folder from `write_static_saved_model`.
        tflite_format: str. `"float32"`; `"float16"` (weights stored in half precision); `"dynamic"` (int8 weights,
            float activations); `"int8"` (all int8, biases int32); `"int16x8"` (int16 activations, int8 weights). Input
            and output of the last two are integers of the type of the activations.
        calibration: float32 array of shape `(n, signal_length)` from `check_calibration`; for the last two formats.

    Raises:
        ValueError: for an unknown format, or integers without calibration.

    Reference:
        - [Jacob et al., 2017](https://arxiv.org/abs/1712.05877), the scheme of integer-only inference
    """
    if tflite_format not in TFLITE_FORMATS:
        raise ValueError(f"`tflite_format` must be one of {TFLITE_FORMATS}. Received: {tflite_format!r}")
    if tflite_format in INTEGER_FORMATS and calibration is None:
        raise ValueError(f"The format {tflite_format!r} needs `calibration` signals to set its scales.")
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model), signature_keys=["serve"])
    if tflite_format != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if tflite_format == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if tflite_format in INTEGER_FORMATS and calibration is not None:
        int8 = tflite_format == "int8"
        # CMSIS-NN's fully connected kernel takes weights per channel in int8 only; see cmsis_nn.py.
        converter._experimental_disable_per_channel_quantization_for_dense_layers = not int8
        converter.representative_dataset = lambda: ([signal[np.newaxis]] for signal in calibration)
        converter.target_spec.supported_ops = [
            tf.lite.OpsSet.TFLITE_BUILTINS_INT8
            if int8
            else tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]
        converter.inference_input_type = converter.inference_output_type = tf.int8 if int8 else tf.int16
    return converter.convert()
