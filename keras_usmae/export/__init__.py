"""Export to SavedModel, ONNX and TFLite, verified in LiteRT and in TensorFlow Lite for Microcontrollers.

The only part of the package that needs TensorFlow: import it in a process that runs Keras with
`KERAS_BACKEND=tensorflow`, whichever backend trained the model.
"""

from keras_usmae.configs import DEFAULT_FORMATS, FORMATS, TFLITE_FORMATS
from keras_usmae.export.cmsis_nn import check_cmsis_nn
from keras_usmae.export.cost import count_macs, estimate_instructions, estimate_rates
from keras_usmae.export.deployment import DEPLOYMENT_FORMS, DeploymentForm, DeploymentGraph
from keras_usmae.export.engine import write_engine
from keras_usmae.export.export import export_model, parse_formats
from keras_usmae.export.firmware import write_firmware
from keras_usmae.export.folder import check_output
from keras_usmae.export.interpreters import LiteRTInterpreter, TFLMInterpreter, dequantize, quantize
from keras_usmae.export.onnx import ONNXInterpreter, write_onnx
from keras_usmae.export.operators import TFLM_OPERATORS, check_integer, check_operators, read_operators
from keras_usmae.export.reference import Reference, reference_of
from keras_usmae.export.report import format_report
from keras_usmae.export.run import ExportSignals, load_model, load_signals, signals_for
from keras_usmae.export.saved_model import in_float32, write_saved_model, write_static_saved_model
from keras_usmae.export.streaming import stream_picks
from keras_usmae.export.synthetic import (
    FIELD_CALIBRATION_SEED,
    FIELD_JUDGING_SEED,
    field_signals,
)
from keras_usmae.export.tflite import INTEGER_FORMATS, TFLM_FORMATS, check_calibration, convert
from keras_usmae.export.verify import verify_onnx, verify_tflite

__all__ = [
    "DEFAULT_FORMATS",
    "DEPLOYMENT_FORMS",
    "FIELD_CALIBRATION_SEED",
    "FIELD_JUDGING_SEED",
    "FORMATS",
    "INTEGER_FORMATS",
    "TFLITE_FORMATS",
    "TFLM_FORMATS",
    "TFLM_OPERATORS",
    "DeploymentForm",
    "DeploymentGraph",
    "ExportSignals",
    "LiteRTInterpreter",
    "ONNXInterpreter",
    "Reference",
    "TFLMInterpreter",
    "check_calibration",
    "check_cmsis_nn",
    "check_integer",
    "check_operators",
    "check_output",
    "convert",
    "count_macs",
    "dequantize",
    "estimate_instructions",
    "estimate_rates",
    "export_model",
    "field_signals",
    "format_report",
    "in_float32",
    "load_model",
    "load_signals",
    "parse_formats",
    "quantize",
    "read_operators",
    "reference_of",
    "signals_for",
    "stream_picks",
    "verify_onnx",
    "verify_tflite",
    "write_engine",
    "write_firmware",
    "write_onnx",
    "write_saved_model",
    "write_static_saved_model",
]
