"""Tables of the exponential and the logistic function, with which a microcontroller needs no arithmetic for them.

The softmax in int8 of TFLM's reference kernels, and of CMSIS-NN, computes `exp(-k * scale)` in fixed point for each of
its values, a few hundred instructions, though only 256 differences occur. The same for the logistic function.
"""

import math

import numpy as np

from keras_usmae.export.interpreters import TFLMInterpreter
from keras_usmae.extras import import_extra

_INTEGER_BITS = 5  # of the argument of the exponential
_FRACTION_BITS = 31 - _INTEGER_BITS
_LARGEST = 2**31 - 1
# exp(-2^k) with 31 fractional bits, for k from -2 on: the exponential is a product of those that its argument holds.
_EXPONENTIALS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)


def softmax_table(scale: float) -> np.ndarray:
    """Exponentials of all differences of two int8 values of a scale, as TFLM's kernels compute them.

    Args:
        scale: float, of the input tensor of a softmax.

    Returns:
        int64 array of shape `(256,)`, `exp(-k * scale)` times 2^31; 0 where the kernels leave a value out.
    """
    multiplier, shift = _quantize_multiplier(min(float(np.float32(scale)) * 2**_FRACTION_BITS, _LARGEST))
    smallest = -math.floor(((1 << _INTEGER_BITS) - 1) * (1 << _FRACTION_BITS) / (1 << shift))
    differences = range(0, -256, -1)
    return np.array([_exp(_multiply(d << shift, multiplier)) if d >= smallest else 0 for d in differences], np.int64)


def _quantize_multiplier(real):
    fraction, shift = math.frexp(real)
    fixed = round(fraction * 2**31)
    return (fixed // 2, shift + 1) if fixed == 2**31 else (fixed, shift)


def _multiply(a, b):
    """Product of two numbers with 31 fractional bits, rounded; halves of negative ones towards zero."""
    product = a * b
    if product >= 0:
        return (product + 2**30) >> 31
    return -((-product - 1 + 2**30) >> 31)


def _half(value, bits):
    """Division by a power of two, rounded, halves away from zero."""
    rounded = (abs(value) + (1 << bits >> 1)) >> bits
    return rounded if value >= 0 else -rounded


def _exp(argument):
    """exp of a number of 0 or less with 26 fractional bits, with 31 fractional bits."""
    if argument == 0:
        return _LARGEST
    quarter = 1 << (_FRACTION_BITS - 2)
    rest = (argument & (quarter - 1)) - quarter  # from -1/4 on
    result = _exp_of_quarter(rest << _INTEGER_BITS)
    remainder = rest - argument
    for i, factor in enumerate(_EXPONENTIALS):
        if remainder & (1 << (_FRACTION_BITS - 2 + i)):
            result = _multiply(result, factor)
    return result


def _exp_of_quarter(x):
    """exp of a number from -1/4 to 0 with 31 fractional bits: its series around -1/8."""
    x += 1 << 28
    square = _multiply(x, x)
    cube, fourth = _multiply(square, x), _multiply(square, square)
    higher = _half(_multiply(_half(fourth, 2) + cube, 715827883) + square, 1)
    return 1895147668 + _multiply(1895147668, x + higher)


def single_operator(content: bytes, index: int) -> bytes:
    """A TFLite file with one node of another one, of its own scales, for its kernel in an interpreter.

    Args:
        content: bytes of the file.
        index: int, of the node; it must have one input and one output that are no constants.
    """
    flatbuffers = import_extra("flatbuffers")
    schema = import_extra("ai_edge_litert.schema_py_generated")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    graph = model.subgraphs[0]
    graph.operators = [graph.operators[index]]
    graph.inputs, graph.outputs = (list(getattr(graph.operators[0], side)) for side in ("inputs", "outputs"))
    model.signatureDefs, model.metadata = [], []
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def read_tables(content: bytes, operators: list) -> tuple[dict, dict]:
    """The tables that the softmax and logistic nodes of an int8 file need.

    Returns:
        A tuple of two dicts: from the scale of the input of a softmax to its exponentials, int64 `(256,)`; and from
        scale and zero point of the input of a logistic function to its values, int8 `(256,)`, asked of TFLM's own
        kernel.
    """
    exponentials, logistics = {}, {}
    for index, operator in enumerate(operators):
        source = operator.inputs[0]
        if operator.name == "SOFTMAX":
            exponentials.setdefault(source.scales[0], softmax_table(source.scales[0]))
        elif operator.name == "LOGISTIC":
            key = source.scales[0], source.zero_points[0]
            if key not in logistics:
                logistics[key] = _logistic_table(single_operator(content, index), source.shape)
    return exponentials, logistics


def _logistic_table(content, shape):
    interpreter = TFLMInterpreter(content)
    inputs, size = np.arange(-128, 128), math.prod(shape)
    found = [interpreter.invoke(np.resize(inputs[i:], shape).astype(np.int8)).ravel() for i in range(0, 256, size)]
    return np.concatenate([values[:256] for values in found])[:256]


def format_tables(exponentials: dict, logistics: dict) -> str:
    """Writes `lookup_tables.c`.

    Args:
        exponentials: dict, see `read_tables`.
        logistics: dict, see `read_tables`.
    """
    lines = ["/* Of this model's softmax and logistic nodes. Written by keras_usmae. */", '#include "lookup.h"', ""]
    for i, table in enumerate(exponentials.values()):
        lines.append(_array("int32_t", f"usmae_exponential_{i}", table))
    for i, table in enumerate(logistics.values()):
        lines.append(_array("int8_t", f"usmae_logistic_{i}", table))
    rows = [f"    {{{_float(scale)}, usmae_exponential_{i}}}," for i, scale in enumerate(exponentials)]
    lines += _list("usmae_softmax_table_t", "softmax", rows, "{0.0f, NULL}")
    rows = [f"    {{{_float(scale)}, {zero}, usmae_logistic_{i}}}," for i, (scale, zero) in enumerate(logistics)]
    lines += _list("usmae_logistic_table_t", "logistic", rows, "{0.0f, 0, NULL}")
    return "\n".join(lines) + "\n"


def _float(value):
    return f"{float(np.float32(value))!r}f"


def _array(c_type, name, values):
    rows = [", ".join(map(str, values[i : i + 16])) for i in range(0, len(values), 16)]
    return f"static const {c_type} {name}[{len(values)}] = {{\n    " + ",\n    ".join(rows) + "};\n"


def _list(c_type, name, rows, nothing):
    """A list of C, which may not be empty."""
    return [
        f"const {c_type} usmae_{name}_tables[] = {{",
        *(rows or [f"    {nothing},"]),
        "};",
        f"const size_t usmae_num_{name}_tables = {len(rows)};\n",
    ]
