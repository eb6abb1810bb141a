"""The folder that a firmware engineer takes: model, C sources, golden vectors, and how to use them."""

import hashlib
import math
import string
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae import __version__
from keras_usmae.export.firmware_texts import text_values
from keras_usmae.export.golden import GOLDEN_COUNT, format_golden_header
from keras_usmae.export.interpreters import TFLMInterpreter
from keras_usmae.export.lookup import format_tables, read_tables
from keras_usmae.export.operators import TFLM_OPERATORS, read_operators

if TYPE_CHECKING:
    from keras_usmae.export.reference import Reference

ARENA_MARGIN = 10  # per cent
# Files by their place in the folder, which is that of their template too. `src` is what Arduino compiles.
_AS_THEY_ARE = (
    "src/preprocess.h",
    "src/preprocess.c",
    "src/picks.h",
    "src/picks.c",
    "src/stream.h",
    "src/stream.c",
    "src/model_data.h",
    "src/usmae.h",
    "src/usmae.cc",
    "test/test_golden.c",
    "test/qemu_startup.c",
    "test/qemu_mps2.ld",
    "examples/main/main.cc",
    "examples/usmae_golden/usmae_golden.ino",
    "zephyr/module.yml",
    "zephyr/CMakeLists.txt",
    "Makefile",
    "CMakeLists.txt",
)
_OF_CLASSIFIERS = ("src/decode.h", "src/decode.c")
_OF_INT8 = ("src/lookup.h", "src/lookup.c", "src/kernels.h", "src/kernels.cc")
# Operators of which the folder of an int8 model has kernels of its own, and what registers them.
_KERNELS = {"SOFTMAX": "RegisterUsmaeSoftmax()", "LOGISTIC": "RegisterUsmaeLogistic()"}
_SPDX = "SPDX-License-Identifier: Apache-2.0"
_FILLED_IN = (
    "src/config.h",
    "src/op_resolver.h",
    "src/model_data.cc",
    "zephyr/Kconfig",
    "library.properties",
    "README.md",
    "MODEL_CARD.md",
)
_WITH_HASHES = ("Makefile", "CMakeLists.txt", "Kconfig", "module.yml", "library.properties")


def write_firmware(
    folder: Path, content: bytes, tflite_format: str, reference: "Reference", report: dict, training: dict | None = None
) -> None:
    """Writes the sources that run an integer model on a microcontroller.

    Args:
        folder: `pathlib.Path` of a folder to create.
        content: bytes of the int8 or int16x8 .tflite file.
        tflite_format: str, `"int8"` or `"int16x8"`.
        reference: `Reference` of the model it was made from. The golden vectors are drawn from its signals; at least 4.
        report: dict of figures from `export_model`, with those of this format.
        training: optional dict, the configuration of the training, for the model card.

    Raises:
        ValueError: if there are fewer than 4 signals.
    """
    folder.mkdir()
    interpreter = TFLMInterpreter(content)
    operators = read_operators(content)
    int8 = tflite_format == "int8"
    tables = read_tables(content, operators) if int8 else ()
    values = {
        **_model_values(reference),
        **_tensor_values(interpreter),
        **_arena_values(report["formats"][tflite_format]["arena_bytes"]),
        **text_values(tflite_format, reference, report, operators, training),
        **_operator_values(operators, _KERNELS if int8 else {}),
        "bytes": _format_bytes(content),
        "size": len(content),
        "hash": f"0x{hashlib.sha256(content).hexdigest()[:8]}",
        "golden_count": GOLDEN_COUNT,
        "version": __version__,
    }
    (folder / "model.tflite").write_bytes(content)
    classifies = reference.kind == "classifier"
    for name in (*_AS_THEY_ARE, *(_OF_CLASSIFIERS if classifies else ()), *(_OF_INT8 if int8 else ())):
        _write_source(folder / name, read_template(name))
    for name in _FILLED_IN:
        _write_source(folder / name, string.Template(read_template(name)).substitute(values))
    if int8:
        _write_source(folder / "src" / "lookup_tables.c", format_tables(*tables))
    _write_source(folder / "src" / "golden_vectors.h", format_golden_header(interpreter, reference, content, operators))


def _write_source(path, text):
    """Writes a text, sources with a line that names their licence."""
    if path.name in _WITH_HASHES:
        text = f"# {_SPDX}\n{text}"
    elif path.suffix != ".md":
        text = f"/* {_SPDX} */\n{text}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def read_template(name: str) -> str:
    """Reads a file of the firmware folder before its values are filled in."""
    return (resources.files("keras_usmae.export") / "templates" / name).read_text()


def _model_values(reference):
    rate = reference.model.sampling_rate
    return {
        "signal_length": reference.signal_length,
        "sampling_rate": c_float(rate),
        "sampling_rate_mhz": f"{rate / 1e6:g}",
        "microseconds_per_sample": c_float(1e6 / rate),
        "num_bins": reference.num_bins,
        "bin_width": reference.bin_width,
        "bin_microseconds": c_float(reference.bin_width * 1e6 / rate),
        "softmax": int(reference.kind == "classifier"),
        # Short, since they are read: float32 of them is what Python computes with.
        **{name: repr(float(value)) for name, value in reference.settings.items()},
    }


def _tensor_values(interpreter):
    limits = np.iinfo(interpreter.input_type)
    return {
        "quantized_type": f"{np.dtype(interpreter.input_type).name}_t",
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


def _operator_values(operators, kernels):
    names = sorted({operator.name for operator in operators})
    ours = [name for name in names if name in kernels]
    lines = [f"  TF_LITE_ENSURE_STATUS(resolver.{TFLM_OPERATORS[name]}());" for name in names if name not in ours]
    if ours:
        lines += [
            "#ifdef USMAE_STOCK_KERNELS /* those of TFLM, such as for one whose resolver takes no others */",
            *(f"  TF_LITE_ENSURE_STATUS(resolver.{TFLM_OPERATORS[name]}());" for name in ours),
            "#else",
            *(f"  TF_LITE_ENSURE_STATUS(resolver.{TFLM_OPERATORS[name]}({kernels[name]}));" for name in ours),
            "#endif",
        ]
    include = '#include "kernels.h"\n' if ours else ""
    return {"num_operators": len(names), "registrations": "\n".join(lines), "kernel_include": include}


def _format_bytes(content):
    rows = (content[i : i + 16] for i in range(0, len(content), 16))
    return "\n".join("    " + " ".join(f"0x{byte:02x}," for byte in row) for row in rows)


def c_float(value: float) -> str:
    """Writes a number as a C literal without its suffix, exact for float32.

    Returns:
        str with a decimal point or an exponent.
    """
    return repr(float(np.float32(value)))
