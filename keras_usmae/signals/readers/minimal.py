"""A sidecar for one very file, with what was found in it, for whoever has none yet."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from keras_usmae.signals.readers.array_choice import candidates, family, pattern_of
from keras_usmae.signals.readers.array_facts import facts_of_array, known_layouts
from keras_usmae.signals.readers.array_file import ARRAY_SUFFIXES, open_arrays
from keras_usmae.signals.readers.guards import listing
from keras_usmae.signals.readers.table_header import read_header
from keras_usmae.signals.readers.table_layout import find_layout

if TYPE_CHECKING:
    from keras_usmae.signals.readers.sidecar import Sidecar

_UNITS = ((1e6, "MHz"), (1e3, "kHz"), (1e9, "GHz"), (1.0, "Hz"))  # the first that makes it a rate of this field


def minimal_sidecar(path: Path, sidecar: "Sidecar") -> str:
    """Text of a sidecar for a file; what is not in the file is a comment to be filled in.

    Args:
        sidecar: the `Sidecar` with what is stated already.
    """
    found, lines = [], {}
    # What goes wrong here was told by the error that asks for this text.
    with contextlib.suppress(ValueError, OSError, ImportError):
        (_of_arrays if path.suffix.lower() in ARRAY_SUFFIXES else _of_table)(path, sidecar, found, lines)
    lines.setdefault("sampling_rate", "# sampling_rate = 60e6   # Hz: not found in the file")
    return "\n".join([*(f"# {line}" for line in found), *lines.values()])


def _of_arrays(path, sidecar, found, lines):
    with open_arrays(path, sidecar.max_bytes) as file:
        found.append(f"{path.name} holds {listing(file.headers)}")
        names = candidates(file, sidecar, known_layouts(file), ())
        if len(names) > 1:
            likely = family(names)
            if len(likely) == 1 or pattern_of(likely) == "*":
                likely = [max(names, key=lambda name: names[name].num_bytes)]
            lines["signals"] = f'# signals = "{pattern_of(likely)}"   # which of them holds the traces?'
        name = max(names, key=lambda name: names[name].num_bytes)
        facts, times = facts_of_array(file, name, sidecar, path)
        shape = names[name].shape
    _rate(facts, lines)
    if sum(size > 1 for size in shape) > 1 and not any(shape.count(length) == 1 for length in times.values()):
        axis = max(range(len(shape)), key=lambda place: shape[place])
        lines["axis"] = (
            f"# axis = {axis}   # along which axis of {shape} does time run? This one has {shape[axis]} samples"
        )


def _of_table(path, sidecar, found, lines):
    layout = find_layout(path, sidecar, sidecar.max_bytes)
    header = read_header(path, layout, sidecar)
    found.append(
        f"{path.name}: a table with {layout.delimiter!r} between its cells and {layout.decimal!r} as decimal point, "
        f"{len(header.names)} columns of numbers, {', '.join(map(repr, header.names[:6]))}, behind {layout.first} lines"
    )
    _rate(header.facts, lines)
    lines["axis"] = "# axis = 0   # 0: each column is a trace, 1: each row is"


def _rate(facts, lines):
    rate = next((fact for fact in facts if fact.key == "sampling_rate"), None)
    if rate is not None and rate.is_clear:
        lines["sampling_rate"] = f"sampling_rate = {rate.value:.10g}   # Hz, by {rate.where}"
    elif rate is not None:
        scale, unit = next(((scale, unit) for scale, unit in _UNITS if 1e6 <= rate.value * scale <= 1e9), _UNITS[-1])
        lines["sampling_rate"] = (
            f"# sampling_rate = {rate.value * scale:.10g}   # Hz, if in {unit}: {rate.where} gives {rate.value:.6g} "
            "without a unit"
        )
