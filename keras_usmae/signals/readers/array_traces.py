"""Traces out of files of arrays: which arrays they are, and along which of their axes time runs."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.signals.readers.array_agreement import refuse_disagreement
from keras_usmae.signals.readers.array_choice import (
    BY_ENERGY,
    axis_of_time,
    axis_of_times,
    choose_arrays,
    note_axis,
)
from keras_usmae.signals.readers.array_facts import facts_of_array, known_layouts
from keras_usmae.signals.readers.array_file import open_arrays
from keras_usmae.signals.readers.facts import Fact, is_known_name
from keras_usmae.signals.readers.guards import (
    ArrayHeader,
    check_byte_order,
    check_headers,
    in_natural_order,
    listing,
    matching,
)
from keras_usmae.signals.readers.settle import MissingKeyError
from keras_usmae.signals.readers.traces import Traces, check_shape, leave_out_ramps

if TYPE_CHECKING:
    from keras_usmae.signals.readers.array_file import ArrayFile
    from keras_usmae.signals.readers.sidecar import Sidecar

_MAX_LISTED = 12


def read_array_traces(path: Path, sidecar: "Sidecar", max_bytes: int, keys: Collection[str] = ()) -> Traces:
    """Reads traces out of a file of arrays.

    Args:
        keys: collection of str. Names of labels and groups that the file holds beside the traces.

    Raises:
        ValueError: where the file is damaged, too large, or contradicts its sidecar.
        MissingKeyError: where it is not clear which array holds the traces, or along which axis time runs.
    """
    with open_arrays(path, max_bytes) as file:
        layouts = known_layouts(file)
        names, doubts = choose_arrays(path, file, sidecar, layouts, keys)
        check_headers(path, {name: file.headers[name] for name in names}, max_bytes)
        facts, times = facts_of_array(file, names[0], sidecar, path)
        refuse_disagreement(path, file, names, facts, sidecar)
        facts, counts = _unit_of_counts(facts, file.headers[names[0]].dtype)
        doubts += counts
        layout = layouts.get(names[0])
        if layout is not None:
            facts = [*layout.facts, *facts]
        rows, origin = {}, ""
        arrays = _load(path, file, names, max_bytes)
        for name in names:
            # Out of the dict, so that no array is held beside its copy longer than it must be.
            rows[name], origin = _along_rows(path, name, arrays.pop(name), sidecar, layouts.get(name), times)
        values = {key: read_values(path, file, key, max_bytes) for key in keys}
        used = {*names, *times, *values}
        others = {
            name: header
            for name, header in file.headers.items()
            if name not in used and not is_known_name(name.rpartition("/")[2])
        }
    traces = _join(path, rows, facts)
    traces.axis, traces.values = origin, values
    traces.doubts += doubts
    note_axis(traces)
    traces.left_out += [f"{name!r}: the times of the samples" for name in times]
    traces.left_out += [
        f"{name!r} {header.shape}: not asked for" for name, header in list(others.items())[:_MAX_LISTED]
    ]
    if len(others) > _MAX_LISTED:
        traces.left_out.append(f"and {len(others) - _MAX_LISTED:,} more arrays")
    leave_out_ramps(traces, sidecar.time_unit or "")
    return traces


def _load(path, file, names, max_bytes):
    arrays = file.load(names)
    # In v7.3, MATLAB's complex numbers are compounds to the file, and pairs to us only once they are loaded.
    check_headers(path, {name: ArrayHeader(array.shape, array.dtype) for name, array in arrays.items()}, max_bytes)
    for name in names:
        if name not in arrays or arrays[name].shape != file.headers[name].shape:
            raise ValueError(f"{str(path)!r}: {name!r} has not the shape {file.headers[name].shape} that is stated.")
    return arrays


def _unit_of_counts(facts, dtype):
    """Whole numbers beside what a count is worth are counts, whatever unit the file states."""
    gain = next((fact for fact in facts if fact.key == "gain"), None)
    unit = next((fact for fact in facts if fact.key == "unit"), None)
    if gain is None or dtype.kind not in "iu" or unit is None or unit.value == "counts":
        return facts, []
    told = f"whole numbers are counts, of {gain.value:g} {unit.value} each by {gain.where}; they are left as they are"
    others = [fact for fact in facts if fact.key != "unit"]
    return [Fact("unit", "counts", f"whole numbers, and {gain.where}"), *others], [told]


def _along_rows(path, name, array, sidecar, layout, times):
    """An array as rows of float32, one trace each, and where the axis of time came from."""
    if layout is not None and layout.axis is None:
        rows, origin = array.reshape(-1, layout.samples), f"{layout.where}, A-scans cut apart"
    else:
        axis, origin = _axis(path, name, array, sidecar, layout, times)
        rows = np.moveaxis(array, axis, -1)
        rows = rows.reshape(-1, rows.shape[-1]) if rows.flags.c_contiguous else _copied(rows)
    if not sidecar.stacked:
        check_shape(path, rows.shape, sidecar.samples)
    check_byte_order(path, name, rows)
    with np.errstate(over="ignore"):
        return rows.astype(np.float32, copy=False), origin


def _copied(rows):
    """Rows in one piece. Where float32 is no more than half as large, only that is held."""
    with np.errstate(over="ignore"):
        rows = np.array(rows, dtype=np.float32 if rows.dtype.itemsize == 8 else None, order="C")
    return rows.reshape(-1, rows.shape[-1])


def _axis(path, name, array, sidecar, layout, times):
    shape = array.shape
    where = f"{str(path)!r}: {name!r} has the shape {shape}"
    if layout is not None:
        if sidecar.axis not in (None, layout.axis):
            raise ValueError(f"{where}. Its samples lie along axis {layout.axis} ({layout.where}), not {sidecar.axis}.")
        return layout.axis, layout.where
    if path.suffix.lower() == ".wav":
        if sidecar.axis not in (None, 0):
            raise ValueError(
                f"{str(path)!r}: time runs along axis 0 in a .wav file, but the sidecar's 'axis' is {sidecar.axis}."
            )
        return 0, "the format"
    proofs = [(vector, length) for vector, length in times.items() if shape.count(length) == 1]
    if sidecar.axis is not None:
        if sidecar.axis >= len(shape):
            raise ValueError(f"{where}, which has no axis {sidecar.axis} as the sidecar names.")
        for vector, length in proofs:
            if shape[sidecar.axis] != length:
                raise ValueError(
                    f"{where}, and {vector!r} has {length} times, but the sidecar's 'axis' is {sidecar.axis}. Write "
                    f"axis = {shape.index(length)}."
                )
        return sidecar.axis, "the sidecar"
    if sum(size > 1 for size in shape) <= 1:
        return int(np.argmax(shape)), "its shape"
    if proofs:
        return shape.index(proofs[0][1]), f"the length of {proofs[0][0]!r}"
    if sidecar.samples is not None and not sidecar.stacked and shape.count(sidecar.samples) == 1:
        return shape.index(sidecar.samples), "the sidecar's 'samples'"
    if (axis := axis_of_times(array, sidecar.time_unit, sidecar.sampling_rate)) is not None:
        return axis, f"the times in its first {'column' if axis == 0 else 'row'}"
    if (axis := axis_of_time(array)) is not None:
        return axis, BY_ENERGY
    raise MissingKeyError(
        f"{where}. State in the sidecar's 'axis' along which of its {len(shape)} axes time runs.", "axis"
    )


def _join(path, rows, facts):
    lengths = {name: len(part[0]) for name, part in rows.items()}
    if len(set(lengths.values())) > 1:
        short, long = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
        raise ValueError(
            f"{str(path)!r}: traces differ in length, {lengths[short]} samples in {short!r} and {lengths[long]} in "
            f"{long!r}. Choose those of one length by the sidecar's 'signals'."
        )
    names = [
        name if len(part) == 1 and len(rows) > 1 else f"{name}[{i}]"
        for name, part in rows.items()
        for i in range(len(part))
    ]
    parts = list(rows.values())
    return Traces(parts[0] if len(parts) == 1 else np.concatenate(parts), names, facts, "")


def read_values(path: str | Path, file: "ArrayFile", key: str, max_bytes: int) -> np.ndarray:
    """An array with one value per trace, or several that a pattern names, as one vector.

    Args:
        key: str. Name or pattern.

    Returns:
        An array of shape `(n,)`.

    Raises:
        MissingKeyError: where there is none.
        ValueError: where it is no array of numbers or texts.
    """
    names = [file.aliases[key]] if key in file.aliases else in_natural_order(matching(file.headers, key))
    if not names:
        raise MissingKeyError(f"{str(path)!r} has no array {key!r}. It holds {listing(file.headers)}.", key)
    numbers = {name: file.headers[name] for name in names if file.headers[name].dtype.kind not in "SU"}
    check_headers(path, numbers, max_bytes)
    arrays = file.load(names)
    # MATLAB knows no arrays of one axis, and a group of datasets holds one value each.
    return np.concatenate([np.ravel(arrays[name]) for name in names])
