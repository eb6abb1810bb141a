"""Exported files against the Keras model, number by number."""

import collections
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.export.cmsis_nn import check_cmsis_nn
from keras_usmae.export.cost import count_macs, estimate_rates
from keras_usmae.export.interpreters import Interpreter, LiteRTInterpreter, TFLMInterpreter
from keras_usmae.export.onnx import ONNXInterpreter
from keras_usmae.export.operators import check_integer, check_operators, read_operators
from keras_usmae.export.tflite import INTEGER_FORMATS, TFLM_FORMATS

if TYPE_CHECKING:
    from keras_usmae.export.reference import Reference

# A float32 file computes what Keras computes: more than rounding apart is a fault of the conversion.
FLOAT32_TOLERANCE = 1e-3


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """What a file gave in a runtime.

    Args:
        logits: float32 array of shape `(m, num_bins)`, of the first `m` signals of the reference.
        output_scale: float, logit of one LSB of a quantised output; `0.0` for floats.
        latency_ms: float, median time of a signal.
    """

    logits: np.ndarray
    output_scale: float
    latency_ms: float

    def scores(self, reference: "Reference", num_signals: int) -> dict:
        """Scores of the first `num_signals` signals; see `Reference.compare`."""
        return {"latency_ms": self.latency_ms, **reference.compare(self.logits[:num_signals], self.output_scale)}


def verify_tflite(content: bytes, tflite_format: str, reference: "Reference", seconds: float = 60.0) -> tuple:
    """Measures a TFLite file: operators, size, arena, and what it gives in each runtime.

    Integer files are judged by TFLM and by LiteRT's reference kernels, which share their arithmetic. What LiteRT runs
    by default (XNNPACK) is reported beside them.

    Args:
        content: bytes of the file.
        tflite_format: str, its format; see `convert`.
        reference: `Reference` of the model it was made from.
        seconds: float, longest time for one runtime in s; the first signals that fit into it are run. Defaults to
            `60.0`.

    Returns:
        A tuple of a dict with `bytes`, `operators` (count of each), `macs` of one signal, `cores` (instructions and
        picks a second of each, estimated; see `estimate_rates`), and `arena_bytes` (`None` where TFLM does not run the
        format); and a dict from the name of each runtime to its `Run`.

    Raises:
        ValueError: if an operator is not in TFLM, an integer file holds floats or what CMSIS-NN's kernels refuse, or a
            float32 file disagrees with Keras.
    """
    operators = read_operators(content)
    on_tflm = tflite_format in TFLM_FORMATS
    if on_tflm:
        check_operators(operators)
    integer = tflite_format in INTEGER_FORMATS
    if integer:
        check_integer(operators)
        check_cmsis_nn(operators)
    tflm = TFLMInterpreter(content) if on_tflm else None
    interpreters: dict[str, Interpreter] = {"TFLM": tflm} if tflm else {}
    interpreters["LiteRT reference"] = LiteRTInterpreter(content)
    interpreters["LiteRT XNNPACK"] = LiteRTInterpreter(content, delegate=True)
    exact = tflite_format == "float32"
    runs = {name: _run(name, interpreter, reference, seconds, exact) for name, interpreter in interpreters.items()}
    file = {
        "bytes": len(content),
        "operators": dict(collections.Counter(operator.name for operator in operators)),
        "macs": count_macs(operators),
        "cores": estimate_rates(operators, tables=tflite_format == "int8") if integer else None,
        "arena_bytes": tflm.arena_bytes() if tflm else None,
    }
    return file, runs


def verify_onnx(path: str | Path, reference: "Reference", seconds: float = 60.0) -> tuple:
    """Measures an ONNX file in ONNX Runtime.

    Args:
        path: path of the file.
        reference: `Reference` of the model it was made from.
        seconds: float, longest time in s; see `verify_tflite`. Defaults to `60.0`.

    Returns:
        A tuple of a dict with `bytes`, and a dict with the `Run` of `"ONNX Runtime"`.

    Raises:
        ValueError: if the file disagrees with Keras.
    """
    name = "ONNX Runtime"
    run = _run(name, ONNXInterpreter(path), reference, seconds, exact=True)
    return {"bytes": Path(path).stat().st_size}, {name: run}


def _run(name, interpreter, reference, seconds, exact):
    """Runs signals; a runtime that should compute what Keras computes (`exact`) must."""
    logits, latency = interpreter.run(reference.inputs, seconds)
    run = Run(logits, interpreter.output_scale[0], latency * 1e3)
    deviation = run.scores(reference, len(logits))["probability_deviation_max"]
    if exact and deviation > FLOAT32_TOLERANCE:
        raise ValueError(
            f"The float32 file disagrees with Keras in {name}: a probability is {deviation:.2g} off, and rounding "
            f"explains at most {FLOAT32_TOLERANCE:g}. The conversion is wrong; please report it with the model."
        )
    return run
