"""Running TFLite files: LiteRT, and the interpreter of TensorFlow Lite for Microcontrollers (TFLM)."""

import contextlib
import os
import re
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_usmae.extras import import_extra

TFLM_ARENA = 64 * 2**20  # bytes to plan in; what the model needs of it is measured


@contextlib.contextmanager
def _captured_stderr():
    """Catches what C++ prints on file descriptor 2; read the yielded file afterwards."""
    with tempfile.TemporaryFile(mode="w+", errors="replace") as file:
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield file
        finally:
            os.dup2(kept, 2)
            os.close(kept)


class Interpreter:
    """An exported file in a runtime; subclasses set the types and scales of its tensors, and `invoke`."""

    input_type: type[np.generic]
    input_scale: tuple[float, int]
    output_scale: tuple[float, int]
    invoke: Callable[[np.ndarray], np.ndarray]

    def run(self, signals: np.ndarray, seconds: float = float("inf")) -> tuple:
        """Runs signals one by one.

        Args:
            signals: float32 array of shape `(n, signal_length)`, standardised.
            seconds: float, time to spend, in s; signals that are left over are not run. Defaults to no bound.

        Returns:
            A tuple of the logits, float32 of shape `(m, num_classes)` for the first `m <= n` signals, and the median
            time of one signal in s.
        """
        logits, times = [], []
        for signal in signals:
            quantized = quantize(signal[np.newaxis], self.input_type, *self.input_scale)
            start = time.perf_counter()
            output = self.invoke(quantized)
            times.append(time.perf_counter() - start)
            logits.append(dequantize(output, *self.output_scale)[0])
            if sum(times) > seconds:
                break
        return np.array(logits, "float32"), float(np.median(times))


def quantize(values: np.ndarray, dtype: Any, scale: float, zero_point: int) -> np.ndarray:
    """Turns real numbers into the integers of a tensor, rounding to nearest and saturating.

    Args:
        values: float array.
        dtype: NumPy dtype of the tensor; for a float dtype the values stay.
        scale: float, the real size of one step (LSB).
        zero_point: int, the integer that stands for 0.

    Returns:
        Array of the shape of `values` and of type `dtype`.
    """
    if np.issubdtype(dtype, np.floating):
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.round(values / np.float32(scale)) + zero_point, limits.min, limits.max).astype(dtype)


def dequantize(values: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """The real numbers that the integers of a tensor stand for; floats stay.

    Args:
        values: array of integers or floats.
        scale: float, the real size of one step (LSB).
        zero_point: int, the integer that stands for 0.

    Returns:
        float32 array of the shape of `values`.
    """
    if np.issubdtype(values.dtype, np.floating):
        return values.astype(np.float32)
    return (values.astype(np.float32) - zero_point) * np.float32(scale)


class LiteRTInterpreter(Interpreter):
    """A TFLite file in LiteRT.

    Args:
        content: bytes of the file.
        delegate: bool. `False` runs the reference kernels, whose arithmetic TFLM shares; `True` what LiteRT runs by
            default on this machine, with XNNPACK. Defaults to `False`.

    Raises:
        ImportError: if `ai-edge-litert` is not installed.
    """

    def __init__(self, content: bytes, delegate: bool = False) -> None:
        litert = import_extra("ai_edge_litert.interpreter")
        resolvers = litert.OpResolverType
        with _captured_stderr():  # says which delegate it made
            self._interpreter = litert.Interpreter(
                model_content=content,
                num_threads=1,
                experimental_op_resolver_type=resolvers.AUTO if delegate else resolvers.BUILTIN_REF,
            )
            self._interpreter.allocate_tensors()
        (self._input,) = self._interpreter.get_input_details()
        (self._output,) = self._interpreter.get_output_details()
        self.input_type = self._input["dtype"]
        self.input_scale, self.output_scale = self._input["quantization"], self._output["quantization"]

    def invoke(self, signal: np.ndarray) -> np.ndarray:
        """Runs one signal of the type of the input, `(1, signal_length)`, and gives the output tensor as it is."""
        self._interpreter.set_tensor(self._input["index"], signal)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output["index"])


class TFLMInterpreter(Interpreter):
    """A TFLite file in the interpreter that runs on microcontrollers, on this machine.

    Args:
        content: bytes of the file.

    Raises:
        ImportError: if `tflite-micro` is not installed.
        RuntimeError: if TFLM cannot run the file; with what it says about it.
    """

    def __init__(self, content: bytes) -> None:
        runtime = import_extra("tflite_micro.python.tflite_micro.runtime")
        with _captured_stderr() as messages:
            try:
                self._interpreter = runtime.Interpreter.from_bytes(content, arena_size=TFLM_ARENA)
            except RuntimeError as error:
                messages.seek(0)
                raise RuntimeError(f"TFLM cannot run the file: {messages.read().strip() or error}") from error
        details = self._interpreter.get_input_details(0), self._interpreter.get_output_details(0)
        self.input_type = details[0]["dtype"]
        self.input_scale, self.output_scale = (self._scale(d) for d in details)

    @staticmethod
    def _scale(details):
        parameters = details["quantization_parameters"]
        if not len(parameters["scales"]):
            return 0.0, 0
        return float(parameters["scales"][0]), int(parameters["zero_points"][0])

    def invoke(self, signal: np.ndarray) -> np.ndarray:
        """Runs one signal of the type of the input, `(1, signal_length)`, and gives the output tensor as it is."""
        self._interpreter.set_input(signal, 0)
        self._interpreter.invoke()
        return self._interpreter.get_output(0)

    def arena_bytes(self) -> int:
        """Measures the tensor arena on this machine.

        Returns:
            int, bytes. What persists over calls holds pointers, and is smaller on a 32-bit target.
        """
        with _captured_stderr() as messages:
            self._interpreter.print_allocations()
            messages.seek(0)
            text = messages.read()
        found = re.search(r"Arena allocation total (\d+) bytes", text)
        if found is None:
            raise RuntimeError(f"This version of tflite-micro does not print the size of its arena, but {text!r}.")
        return int(found[1])
