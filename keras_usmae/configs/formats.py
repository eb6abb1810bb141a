"""Formats of an export."""

TFLITE_FORMATS = ("float32", "float16", "dynamic", "int8", "int16x8")
FORMATS = ("saved_model", *TFLITE_FORMATS, "onnx")
DEFAULT_FORMATS = ("saved_model", "float32", "int8", "int16x8")
