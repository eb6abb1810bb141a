"""The folder that a firmware engineer takes: model, C sources, golden vectors, and how to use them."""

import math
import string
from importlib import resources

import numpy as np

from keras_usmae.export.cost import CORES, CYCLES_FORMULA, CYCLES_SOURCE, count_macs, estimate_cycles
from keras_usmae.export.golden import GOLDEN_COUNT, format_golden_header
from keras_usmae.export.interpreters import TFLMInterpreter
from keras_usmae.export.operators import TFLM_OPERATORS, read_operators
from keras_usmae.models import preset_of

DECODE_RADIUS = 2  # bins, the default of `decode_onset`
ARENA_MARGIN = 10  # per cent
_AS_THEY_ARE = (
    "preprocess.h",
    "preprocess.c",
    "decode.h",
    "decode.c",
    "stream.h",
    "stream.c",
    "test_golden.c",
    "qemu_startup.c",
    "qemu_mps2.ld",
    "Makefile",
    "model_data.h",
)


def write_firmware(folder, content, tflite_format, classifier, signals, report, training=None):
    """Writes the sources that run an integer model on a microcontroller.

    Args:
        folder: `pathlib.Path` of a folder to create.
        content: bytes of the int8 or int16x8 .tflite file.
        tflite_format: str, `"int8"` or `"int16x8"`.
        classifier: the `ToFClassifier` it was made from.
        signals: array of shape `(n, signal_length)`, raw signals to draw the golden vectors from; at least 4.
        report: dict of figures from `export_classifier`, with those of this format.
        training: optional dict, the configuration of the training, for the model card.

    Raises:
        ValueError: if there are fewer than 4 signals.

    Example:

    ```python
    write_firmware(Path("firmware"), content, "int8", classifier, signals, report)
    ```
    """
    folder.mkdir()
    interpreter = TFLMInterpreter(content)
    operators = read_operators(content)
    values = {
        **_model_values(classifier),
        **_tensor_values(interpreter),
        **_arena_values(report["formats"][tflite_format]["arena_bytes"]),
        **_text_values(tflite_format, classifier, report, operators, training),
        **_operator_values(operators),
        "bytes": _format_bytes(content),
        "size": len(content),
        "model_bytes": f"{len(content):,}",
        "golden_count": GOLDEN_COUNT,
    }
    (folder / "model.tflite").write_bytes(content)
    for name in _AS_THEY_ARE:
        (folder / name).write_text(_template(name))
    for name in ("config.h", "op_resolver.h", "model_data.cc", "README.md", "MODEL_CARD.md"):
        (folder / name).write_text(string.Template(_template(name)).substitute(values))
    header = format_golden_header(interpreter, signals, classifier.bin_width, DECODE_RADIUS)
    (folder / "golden_vectors.h").write_text(header)


def _template(name):
    return (resources.files("keras_usmae.export") / "templates" / name).read_text()


def _model_values(classifier):
    rate = classifier.sampling_rate
    return {
        "signal_length": classifier.encoder.signal_length,
        "sampling_rate": c_float(rate),
        "sampling_rate_mhz": f"{rate / 1e6:g}",
        "microseconds_per_sample": c_float(1e6 / rate),
        "num_classes": classifier.num_classes,
        "bin_width": classifier.bin_width,
        "bin_microseconds": c_float(classifier.bin_width * 1e6 / rate),
        "bin_nanoseconds": f"{classifier.bin_width * 1e9 / rate:g}",
        "decode_radius": DECODE_RADIUS,
    }


def _tensor_values(interpreter):
    limits = np.iinfo(interpreter.input_type)
    names = {"int8": ("int8_t", "int8"), "int16": ("int16_t", "i16")}
    quantized_type, tensor_field = names[np.dtype(interpreter.input_type).name]
    return {
        "quantized_type": quantized_type,
        "tensor_field": tensor_field,
        "quantized_min": limits.min,
        "quantized_max": limits.max,
        "input_scale": c_float(interpreter.input_scale[0]),
        "input_zero_point": interpreter.input_scale[1],
        "output_scale": c_float(interpreter.output_scale[0]),
        "output_zero_point": interpreter.output_scale[1],
    }


def _arena_values(arena_bytes):
    reserved = math.ceil(arena_bytes * (1 + ARENA_MARGIN / 100) / 1024) * 1024
    return {"arena_measured": arena_bytes, "arena_margin": ARENA_MARGIN, "arena_bytes": reserved}


def _operator_values(operators):
    names = sorted({operator.name for operator in operators})
    lines = [f"  TF_LITE_ENSURE_STATUS(resolver.{TFLM_OPERATORS[name]}());" for name in names]
    return {"num_operators": len(names), "registrations": "\n".join(lines)}


def _text_values(tflite_format, classifier, report, operators, training):
    encoder = classifier.encoder
    keys = ("hidden_dim", "num_layers", "num_heads", "head_dim", "mlp_dim", "patch_size", "kernel_size")
    sizes = ", ".join(f"{key} {getattr(encoder, key)}" for key in keys if hasattr(encoder, key))
    training = training or {}
    return {
        "model_name": preset_of(encoder) or type(encoder).__name__,  # a run's configuration may name another
        "tflite_format": tflite_format,
        "architecture": f"{type(encoder).__name__} ({sizes}) with the head {classifier.head!r}",
        "parameters": f"{report['parameters']:,}",
        "calibration_signals": report["calibration_signals"],
        "test_signals": report["test_signals"],
        "training": ", ".join(f"{key}: {value}" for key, value in training.items()) or "not recorded.",
        "scores": _format_scores(tflite_format, report),
        "costs": _format_costs(operators),
        "tried": _template("tried.md"),
    }


def _format_scores(tflite_format, report):
    lines = [
        "| | top-1 | within one bin | median error | mean error | most likely bin as in float |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    runtimes = report["formats"][tflite_format]["runtimes"]
    for name, scores in {"Keras, float32": report["keras"], **runtimes}.items():
        lines.append(
            f"| {name} | {scores['accuracy']:.2%} | {scores['within_one_bin']:.2%} | "
            f"{scores['median_error_ns']:.0f} ns | {scores['mean_error_ns']:.0f} ns | "
            f"{scores['argmax_agreement']:.1%} |"
        )
    fewest = min(scores["num_signals"] for scores in runtimes.values())
    if fewest < report["test_signals"]:
        lines += ["", f"At least on the first {fewest} of {report['test_signals']} test signals."]
    return "\n".join(lines)


def _format_costs(operators):
    cycles = estimate_cycles(operators)
    lines = [
        f"{count_macs(operators):,} multiply-accumulates a signal. Cycles: {CYCLES_FORMULA}; {CYCLES_SOURCE}. Not "
        "measured on this model: expect a factor of two either way.",
        "",
        "| core | macs a cycle | cycles a value | cycles | at 100 MHz |",
        "| --- | --- | --- | --- | --- |",
    ]
    for core, constants in CORES.items():
        lines.append(
            f"| {core} | {constants['macs_per_cycle']:g} | {constants['cycles_per_value']:g} | {cycles[core]:,} | "
            f"{cycles[core] / 1e5:.0f} ms |"
        )
    return "\n".join(lines)


def _format_bytes(content):
    rows = (content[i : i + 16] for i in range(0, len(content), 16))
    return "\n".join("    " + " ".join(f"0x{byte:02x}," for byte in row) for row in rows)


def c_float(value):
    """Writes a number as a C literal without its suffix, exact for float32.

    Args:
        value: float.

    Returns:
        str with a decimal point or an exponent.

    Example:

    ```python
    c_float(1e8)  # "100000000.0"
    ```
    """
    return repr(float(np.float32(value)))
