"""Golden vectors: what a port to another machine must reproduce."""

import numpy as np

from keras_usmae.export.interpreters import dequantize, quantize
from keras_usmae.export.streaming import stream_picks, window_starts
from keras_usmae.models import decode_onset
from keras_usmae.signals import standardize

GOLDEN_COUNT = 4
ADC_PEAK = 24000  # peak of the golden signals in steps of an int16 ADC
STREAM_MIN_CONFIDENCE = 0.02
STREAM_MERGE_DISTANCE = 64.0


def format_golden_header(interpreter, signals, bin_width, decode_radius):
    """Writes `golden_vectors.h`: raw signals, and what Python and the interpreter make of them.

    Args:
        interpreter: `TFLMInterpreter` of the file.
        signals: array of shape `(n, signal_length)`, raw signals; the first 4 are taken.
        bin_width: int, samples in a ToF class.
        decode_radius: int, see `decode_onset`.

    Returns:
        str, C source.

    Raises:
        ValueError: if there are fewer than 4 signals.

    Example:

    ```python
    header = format_golden_header(TFLMInterpreter(content), signals, bin_width=16, decode_radius=2)
    ```
    """
    if len(signals) < GOLDEN_COUNT:
        raise ValueError(f"The golden vectors need {GOLDEN_COUNT} test signals. Received: {len(signals)}")
    signals = np.asarray(signals[:GOLDEN_COUNT], "float64")
    signal_length = signals.shape[1]
    recorded = np.round(signals * (ADC_PEAK / np.abs(signals).max(axis=1, keepdims=True))).astype(np.int16)
    inputs, logits, decoded = _infer(interpreter, recorded, bin_width, decode_radius)

    # A longer record: the signals on end, cut to two and a half windows.
    record, hop = recorded.ravel()[: signal_length * 5 // 2], signal_length // 2
    windows = np.stack([record[start:][:signal_length] for start in window_starts(len(record), signal_length, hop)])
    window_logits = _infer(interpreter, windows, bin_width, decode_radius)[1]

    def measure(chunk):
        return _infer(interpreter, chunk, bin_width, decode_radius)[2]

    onset, confidence = stream_picks(record, measure, signal_length, hop, STREAM_MIN_CONFIDENCE, STREAM_MERGE_DISTANCE)
    quantized = "usmae_quantized_t"
    parts = [
        "/* What Python and the TFLM interpreter make of some signals. Written by keras_usmae. */",
        "#ifndef USMAE_GOLDEN_VECTORS_H\n#define USMAE_GOLDEN_VECTORS_H\n",
        '#include <stdint.h>\n\n#include "config.h"\n',
        f"#define USMAE_GOLDEN_COUNT {GOLDEN_COUNT}",
        f"#define USMAE_GOLDEN_RECORD_LENGTH {len(record)}",
        f"#define USMAE_GOLDEN_HOP {hop}",
        f"#define USMAE_GOLDEN_WINDOWS {len(windows)}",
        f"#define USMAE_GOLDEN_PICKS {len(onset)}",
        f"#define USMAE_GOLDEN_MIN_CONFIDENCE {STREAM_MIN_CONFIDENCE}f",
        f"#define USMAE_GOLDEN_MERGE_DISTANCE {STREAM_MERGE_DISTANCE}f\n",
        "/* One signal after the other: raw, quantised input tensor, output tensor, onset in samples, confidence. */",
        _array("int16_t", "usmae_golden_signal", recorded),
        _array(quantized, "usmae_golden_input", inputs),
        _array(quantized, "usmae_golden_logits", logits),
        _array("float", "usmae_golden_onset", decoded["onset"]),
        _array("float", "usmae_golden_confidence", decoded["confidence"]),
        "/* A longer record, the output tensor of each window, and the merged picks. */",
        _array("int16_t", "usmae_golden_record", record),
        _array(quantized, "usmae_golden_window_logits", window_logits),
        _array("float", "usmae_golden_pick_onset", onset),
        _array("float", "usmae_golden_pick_confidence", confidence),
        "#endif\n",
    ]
    return "\n".join(parts)


def _infer(interpreter, recorded, bin_width, decode_radius):
    inputs = quantize(standardize(recorded), interpreter.input_type, *interpreter.input_scale)
    logits = np.concatenate([interpreter.invoke(signal[np.newaxis]) for signal in inputs])
    real = dequantize(logits, *interpreter.output_scale)
    exponentials = np.exp(real - real.max(axis=1, keepdims=True))
    onset = np.asarray(decode_onset(real, bin_width, radius=decode_radius))
    return inputs, logits, {"onset": onset, "confidence": 1.0 / exponentials.sum(axis=1)}


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
