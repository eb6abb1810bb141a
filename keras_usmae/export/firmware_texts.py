"""What README and model card of a firmware folder say."""

from importlib import metadata, resources
from typing import TYPE_CHECKING

from keras_usmae.export.cost import (
    CODE_BYTES,
    CORES,
    COUNTED_IN,
    STACK_BYTES,
    count_macs,
    estimate_instructions,
    estimate_rates,
)
from keras_usmae.models import preset_of

if TYPE_CHECKING:
    from keras_usmae.export.reference import Reference

_WIDTHS = ("hidden_dim", "num_layers", "num_heads", "head_dim", "mlp_dim", "patch_size", "stem_dim", "kernel_size")
_SIZES = (*_WIDTHS, "activation", "normalization")
_KERNEL_ROW = (
    "| `src/lookup.c`, `src/lookup.h`, `src/lookup_tables.c`, `src/kernels.cc`, `src/kernels.h` | softmax and "
    "logistic function by tables, equal to TFLM's to the last bit |\n"
)
# By the kind of the reference.
_TEXTS = {
    "detector": {
        "title": "Echoes on a microcontroller",
        "purpose": "find the echoes",
        "task": "For each of $num_bins bins of $bin_width samples ($bin_nanoseconds ns) of an ultrasonic A-scan the "
        "probability that an echo begins in it: none, one or several echoes, decoded to fractions of a bin.",
        "input_limits": "Bursts of 120 to 520 samples: bring a recording of another rate or frequency to that length.",
        "limits": "The first echo may be one that nobody asked for, such as a drilled hole, or the transmit pulse: set "
        "a gate.",
        "decode_row": "",
        "confidence_source": "chosen so that at most one record in 1,000 without an echo gets a pick. It comes with "
        "the detector's settings, and Python's picker has the same.",
        "legend": "*Found*: labelled echoes with a pick within 1.5 bins. *First within one bin*: the first pick, "
        "where each signal has one label. Errors are those of the nearest pick of the found echoes. *Keras's picks "
        "here*: those of Keras with a pick within a bin; *picks in Keras*: the other way round.",
    },
    "classifier": {
        "title": "Time of flight on a microcontroller",
        "purpose": "measure time of flight",
        "task": "Time of flight of the labelled echo in one ultrasonic A-scan: $num_bins classes of $bin_width samples "
        "($bin_nanoseconds ns), decoded to fractions of a class.",
        "input_limits": "Another sampling rate needs resampling or another model.",
        "limits": "Use it for signals like those that it was tested on: the same kind of transducer, coupling and "
        "echo. `usmae_decode` always answers, in windows without an echo too.",
        "decode_row": "| `src/decode.c`, `src/decode.h` | output tensor to the one ToF, however sure it is |\n",
        "confidence_source": "the smallest at which at most one record in 1,000 of synthetic noise, ring-down and "
        "interference without an echo gets a pick, or, where that costs more than 1 % of the echoes, the largest that "
        "does not. A pick's confidence adds up three bins, so that an onset on the border of two is as sure as others.",
        "legend": "",
    },
}


def text_values(
    tflite_format: str, reference: "Reference", report: dict, operators: list, training: dict | None
) -> dict:
    """What is filled into README.md and MODEL_CARD.md."""
    model, encoder = reference.model, reference.model.encoder
    sizes = ", ".join(f"{key} {getattr(encoder, key)}" for key in _SIZES if getattr(encoder, key, None) is not None)
    head = f" with the head {model.head!r}" if reference.kind == "classifier" else " with a head for each patch"
    bins = {
        "$num_bins": str(reference.num_bins),
        "$bin_width": str(reference.bin_width),
        "$bin_nanoseconds": f"{reference.bin_width * 1e9 / model.sampling_rate:g}",
    }
    texts = dict(_TEXTS[reference.kind])
    for name, value in bins.items():
        texts["task"] = texts["task"].replace(name, value)
    training = training or {}
    return {
        **texts,
        "model_name": preset_of(encoder) or type(encoder).__name__,  # a run's configuration may name another
        "tflite_format": tflite_format,
        "architecture": f"{type(encoder).__name__} ({sizes}){head}",
        "parameters": f"{report['parameters']:,}",
        "calibration_signals": report["calibration_signals"],
        "num_signals": report["num_signals"],
        "source": report["signals"],
        "training": ", ".join(f"{key}: {value}" for key, value in training.items()) or "not recorded.",
        "kept": _kept(reference),
        "scores": _format_scores(tflite_format, reference.kind, report),
        "kernel_row": _KERNEL_ROW if tflite_format == "int8" else "",
        "memory": _format_memory(reference, report, tflite_format),
        "tflm_version": _version("tflite-micro"),
        "costs": _format_costs(operators, tables=tflite_format == "int8"),
        "tried": (resources.files("keras_usmae.export") / "templates" / "tried.md").read_text(),
    }


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "of an unknown version"


def _kept(reference):
    """What the least confidence of a classifier does."""
    if reference.kind == "detector":
        return ""
    shares = reference.shares
    return (
        f"With it {shares['false_records']:.1%} of those records get a pick, and {shares['kept']:.1%} of the labelled "
        "echoes of the signals below keep theirs within 1.5 bins."
    )


def _format_scores(tflite_format, kind, report):
    rows = {"Keras, float32": report["keras"], **report["formats"][tflite_format]["runtimes"]}
    head: tuple[str, ...]
    shown: tuple[str, ...]
    if kind == "classifier":
        head = ("", "top-1", "within one bin", "median error", "mean error", "most likely bin as in float")
        shown = ("accuracy", "within_one_bin", "median_error_ns", "mean_error_ns", "argmax_agreement")
    else:
        head = ("", "found", "first within one bin", "median error", "mean error", "picks a signal")
        head += ("Keras's picks here", "picks in Keras")
        shown = ("found", "within_one_bin", "median_error_ns", "mean_error_ns", "picks_per_signal")
        shown += ("picks_of_keras_found", "picks_that_keras_has")
    lines = [
        head,
        ["---"] * len(head),
        *([name, *(_cell(key, scores[key]) for key in shown)] for name, scores in rows.items()),
    ]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _cell(key, value):
    if value is None:
        return ""
    if key.endswith("_ns"):
        return f"{value:.0f} ns"
    return f"{value:.2f}" if key == "picks_per_signal" else f"{value:.2%}"


def _format_memory(reference, report, tflite_format):
    """What a program pays in flash and RAM beside the model."""
    file, bins = report["formats"][tflite_format], reference.num_bins
    stream = 2 * (reference.signal_length + reference.bin_width) + 3 * (4 * bins + 12) + 120
    code = ", ".join(f"{size:,} with {kernels}" for kernels, size in CODE_BYTES.items())
    rows = [
        ("", "bytes", "where from"),
        ("---", "---", "---"),
        ("flash: model", f"{file['bytes']:,}", "this file"),
        ("flash: TFLM and its kernels", code, f"{COUNTED_IN}, int8 `nano`"),
        ("flash: this folder's code", "3,000", "`make sizes`, Cortex-M4, -Os"),
    ]
    if tflite_format == "int8":
        rows.append(("flash: tables of softmax and logistic", "1,024 and 256 a scale that occurs", "lookup_tables.c"))
    rows += [
        (
            "RAM: tensor arena",
            f"{file['arena_bytes']:,}",
            "measured on a 64-bit host; less with 32-bit pointers",
        ),
        ("RAM: a stream", f"{stream:,}", "`usmae_stream_t`, about; none for `usmae_pick`"),
        ("stack", f"{STACK_BYTES:,} + {4 * bins:,}", f"{COUNTED_IN}; and `usmae_decode_picks`"),
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _format_costs(operators, tables):
    plain, with_tables = estimate_rates(operators), estimate_rates(operators, tables)
    lines = [
        f"{count_macs(operators):,} multiply-accumulates a signal. Instructions are estimated by operator from what "
        f"was {COUNTED_IN}; other compilers and memories change them.",
        "",
        "| core | clock | cycles an instruction | instructions | picks/s | with the table kernels | picks/s |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for core in CORES:
        cells = [f"{core.megahertz:.0f} MHz", f"{core.cycles_per_instruction:g}"]
        for rates in (plain, with_tables) if tables else (plain,):
            rate = rates[core.name]
            cells += [f"{rate['instructions'] / 1e6:.1f} M", f"{rate['picks_per_second']:.1f}"]
        lines.append(f"| {core.name} | " + " | ".join([*cells, *["none for int16"] * (6 - len(cells))]) + " |")
    dearest = estimate_instructions(operators, "Cortex-M4", tables)
    parts = ", ".join(f"{name} {count / 1e6:.2f} M" for name, count in dearest.items() if count >= 1e4)
    return "\n".join([*lines, "", f"Instructions on a Cortex-M4 by operator: {parts}."])
