"""Golden vectors: what a port to another machine must reproduce."""

from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.export.interpreters import TFLMInterpreter, dequantize, quantize
from keras_usmae.export.lookup import single_operator
from keras_usmae.export.streaming import record_windows, stream_picks
from keras_usmae.models import decode_onset
from keras_usmae.picker.decoding import decode_picks
from keras_usmae.signals import standardize

if TYPE_CHECKING:
    from keras_usmae.export.interpreters import Interpreter
    from keras_usmae.export.reference import Reference

GOLDEN_COUNT = 4
ADC_PEAK = 24000  # peak of the golden signals in steps of an int16 ADC


def format_golden_header(interpreter: TFLMInterpreter, reference: "Reference", content: bytes, operators: list) -> str:
    """Writes `golden_vectors.h`: raw signals, and what Python and the interpreter make of them.

    Args:
        interpreter: `TFLMInterpreter` of the file.
        reference: `Reference` of the model it was made from; its first 4 signals are taken.
        content: bytes of the file.
        operators: list from `read_operators`.

    Raises:
        ValueError: if there are fewer than 4 signals.
    """
    signals = np.asarray(reference.signals[:GOLDEN_COUNT], "float64")
    if len(signals) < GOLDEN_COUNT:
        raise ValueError(f"The golden vectors need {GOLDEN_COUNT} test signals. Received: {len(signals)}")
    signals -= signals.mean(axis=1, keepdims=True)
    recorded = np.round(signals * (ADC_PEAK / np.abs(signals).max(axis=1, keepdims=True))).astype(np.int16)
    inputs, logits = infer(interpreter, recorded)
    settings, bin_width = reference.settings, reference.bin_width
    real = dequantize(logits, *interpreter.output_scale)
    picks = decode_picks(reference.probabilities(real), bin_width, **settings)
    of_signals = [_triples({k: v[picks["trace"] == i] for k, v in picks.items()}) for i in range(GOLDEN_COUNT)]

    # A longer record: the signals on end, cut so that the last window begins off the rhythm of the others.
    record = recorded.ravel()[: reference.signal_length * 5 // 2 + bin_width + 1]
    windows, _ = record_windows(record, reference.signal_length, bin_width)
    window_logits = infer(interpreter, windows)[1]

    def replay(_):
        return reference.probabilities(dequantize(window_logits, *interpreter.output_scale))

    of_record = _triples(stream_picks(record, replay, reference.signal_length, bin_width, **settings))
    most = max(1, len(of_record), *map(len, of_signals))
    quantized = "usmae_quantized_t"
    parts = [
        "/* What Python and the TFLM interpreter make of some signals. Written by keras_usmae. */",
        "#ifndef USMAE_GOLDEN_VECTORS_H\n#define USMAE_GOLDEN_VECTORS_H\n",
        '#include <stdint.h>\n\n#include "config.h"\n',
        f"#define USMAE_GOLDEN_COUNT {GOLDEN_COUNT}",
        f"#define USMAE_GOLDEN_MOST_PICKS {most}",
        f"#define USMAE_GOLDEN_RECORD_LENGTH {len(record)}",
        f"#define USMAE_GOLDEN_WINDOWS {len(windows)}",
        f"#define USMAE_GOLDEN_STREAM_PICKS {len(of_record)}\n",
        "/* One signal after the other: raw, quantised input tensor, output tensor, and its picks: onset in samples,",
        " * half of the interval in samples, confidence. */",
        _array("int16_t", "usmae_golden_signal", recorded),
        _array(quantized, "usmae_golden_input", inputs),
        _array(quantized, "usmae_golden_logits", logits),
        _array("int", "usmae_golden_num_picks", [len(triples) for triples in of_signals]),
        _array("float", "usmae_golden_picks", np.stack([_filled(triples, most) for triples in of_signals])),
        "/* A longer record, the output tensor of each window, and its picks. */",
        _array("int16_t", "usmae_golden_record", record),
        _array(quantized, "usmae_golden_window_logits", window_logits),
        _array("float", "usmae_golden_stream_picks", _filled(of_record, most)),
    ]
    if reference.kind == "classifier":
        exponentials = np.exp(real - real.max(axis=1, keepdims=True))
        parts += [
            "/* The one onset of each signal, and the probability of its class. */",
            _array("float", "usmae_golden_onset", np.asarray(decode_onset(real, bin_width))),
            _array("float", "usmae_golden_confidence", 1.0 / exponentials.sum(axis=1)),
        ]
    if interpreter.input_type == np.int8:
        parts += _softmax_vectors(content, operators)
    return "\n".join([*parts, "#endif\n"])


def _softmax_vectors(content, operators):
    """Rows through the interpreter's own softmax, for each of the tables of lookup.c."""
    found = {}
    for index, operator in enumerate(operators):
        if operator.name == "SOFTMAX" and operator.inputs[0].scales[0] not in found:
            found[operator.inputs[0].scales[0]] = index, operator.inputs[0].shape
    inputs, outputs = [], []
    rng = np.random.default_rng(0)
    for index, shape in found.values():
        # Rows of all spreads, flat and saturated ones too.
        rows = rng.normal(size=shape) * rng.choice([0, 2, 10, 40, 120], size=(*shape[:-1], 1))
        rows = np.clip(np.round(rows + rng.integers(-128, 128, size=(*shape[:-1], 1))), -128, 127).astype(np.int8)
        outputs.append(TFLMInterpreter(single_operator(content, index)).invoke(rows).reshape(-1, shape[-1])[:16])
        inputs.append(rows.reshape(-1, shape[-1])[:16])
    if not found:
        return []
    return [
        "/* Rows of each softmax before and after it, by TFLM's own kernel, and the scales of its input. */",
        f"#define USMAE_GOLDEN_SOFTMAX {len(found)}",
        f"#define USMAE_GOLDEN_SOFTMAX_ROWS {inputs[0].shape[0]}",
        f"#define USMAE_GOLDEN_SOFTMAX_DEPTH {inputs[0].shape[1]}",
        _array("float", "usmae_golden_softmax_scale", np.array(list(found), "float32")),
        _array("int8_t", "usmae_golden_softmax_input", np.stack(inputs)),
        _array("int8_t", "usmae_golden_softmax_output", np.stack(outputs)),
    ]


def infer(interpreter: "Interpreter", recorded: np.ndarray) -> tuple:
    """Runs raw windows.

    Returns:
        A tuple of the quantised inputs `(n, signal_length)` and logits `(n, num_bins)`.
    """
    inputs = quantize(standardize(recorded), interpreter.input_type, *interpreter.input_scale)
    return inputs, np.concatenate([interpreter.invoke(signal[np.newaxis]) for signal in inputs])


def _triples(picks):
    return np.stack([picks["onset"], picks["half_width"], picks["confidence"]], axis=1)


def _filled(triples, rows):
    filled = np.zeros((rows, 3))
    filled[: len(triples)] = triples
    return filled


def _array(c_type, name, values):
    values = np.asarray(values)
    sizes = "".join(f"[{size}]" for size in values.shape)
    return f"static const {c_type} {name}{sizes} = {_braces(values)};\n"


def _braces(values):
    if values.ndim > 1:
        return "{\n" + ",\n".join(_braces(row) for row in values) + "}"
    written = (
        [f"{v!r}f" for v in values.astype(float).tolist()] if values.dtype.kind == "f" else map(str, values.tolist())
    )
    return "{" + ", ".join(written) + "}"
