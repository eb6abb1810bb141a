"""What a file of arrays says of one of them: attributes, scalars and time vectors beside it, and known layouts."""

import dataclasses
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.signals.readers.clock import facts_of_times, is_ramp
from keras_usmae.signals.readers.facts import (
    Fact,
    fact_of,
    is_known_name,
    is_plausible_rate,
    is_time_name,
    is_time_unit,
    normal,
    split_unit,
)
from keras_usmae.signals.readers.settle import MissingKeyError

if TYPE_CHECKING:
    from keras_usmae.signals.readers.array_file import ArrayFile
    from keras_usmae.signals.readers.sidecar import Sidecar

_MAX_SETUP = 2**24  # characters
_MAX_SCALARS = 256
_SHORTEST, _MAX_LIKELY = 64, 8


@dataclasses.dataclass(frozen=True)
class KnownLayout:
    """An array whose axes its format defines.

    Args:
        axis: int. Axis of time, or `None` where the array is to be cut into traces in its order in memory.
        facts: tuple of `Fact`.
        where: str. What defines it.
    """

    axis: int | None
    samples: int
    facts: tuple
    where: str


def known_layouts(file: "ArrayFile") -> dict[str, KnownLayout]:
    """Arrays of a file that MFMC or an NDE set-up describes, a dict of `KnownLayout` by name."""
    found = {}
    for name, header in file.headers.items():
        if name.rpartition("/")[2] == "MFMC_DATA" and len(header.shape) == 3:
            found[name] = KnownLayout(2, header.shape[2], (), "MFMC, frames x A-scans x samples")
        if name.rpartition("/")[2] == "Setup" and not header.shape:
            found |= _of_setup(file, name)
    return found


def _of_setup(file, name):
    text = file.texts(name)
    if not isinstance(text, str) or len(text) > _MAX_SETUP:
        return {}
    try:
        pending = [json.loads(text)]
    except (ValueError, RecursionError):
        return {}
    found, where = {}, f"the set-up {name!r}"
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            pending += node.values()
            layout = _described(file, node, where)
            if layout is not None:
                found[node["path"].strip("/")] = layout
        elif isinstance(node, list):
            pending += node
    return found


def _described(file, node, where):
    """Layout of an array that a part of a set-up describes by its path and dimensions, or `None`."""
    path, dimensions = node.get("path"), node.get("dimensions")
    if not isinstance(path, str) or path.strip("/") not in file.headers or not isinstance(dimensions, list):
        return None
    dimensions = [dimension for dimension in dimensions if isinstance(dimension, dict)]
    axes = [dimension.get("axis") for dimension in dimensions]
    counts = [count for dimension in dimensions if isinstance(count := dimension.get("quantity"), int) and count > 0]
    if "Ultrasound" not in axes or len(counts) < len(dimensions):
        return None
    shape, place = file.headers[path.strip("/")].shape, axes.index("Ultrasound")
    if shape != tuple(counts) and (place != len(axes) - 1 or math.prod(shape) != math.prod(counts)):
        return None
    time = dimensions[place]
    facts = [
        fact_of(f"{key} [s]", float(time[stated]), where)
        for key, stated in (("dt", "resolution"), ("t0", "offset"))
        if isinstance(time.get(stated), int | float)
    ]
    value = node.get("dataValue")
    if isinstance(value, dict):
        facts.append(fact_of("fullscale", [value.get("min"), value.get("max")], where))
    axis = place if shape == tuple(counts) else None
    return KnownLayout(axis, counts[place], tuple(fact for fact in facts if fact), where)


def facts_of_array(file: "ArrayFile", name: str, sidecar: "Sidecar", path: str | Path) -> tuple:
    """What the file says of an array.

    Returns:
        A tuple `(facts, times)`: a list of `Fact`, nearest first; and a dict of lengths of time vectors by name.

    Raises:
        ValueError: where a time vector is not uniform.
        MissingKeyError: where the sidecar names a time vector that is not there.
    """
    shape = file.headers[name].shape
    facts, times = [], {}
    if sidecar.time is not None:
        vector = next(
            (n for n in (sidecar.time, f"{name.rpartition('/')[0]}/{sidecar.time}") if n in file.headers), None
        )
        if vector is None:
            raise MissingKeyError(
                f"{str(path)!r} has no array {sidecar.time!r}, which the sidecar names in 'time'.", "time"
            )
        facts += _times(file, vector, sidecar, path)
        times[vector] = math.prod(file.headers[vector].shape)
    stem, unit = split_unit(name.rpartition("/")[2])
    if stem and unit and not is_time_unit(unit):
        facts += filter(None, [fact_of("unit", unit, f"the name {name!r}")])
    for group in scopes_of(name):
        if sidecar.time is None:
            for vector in _time_vectors(file, group, name, shape):
                facts += _times(file, vector, sidecar, path)
                times[vector] = math.prod(file.headers[vector].shape)
        facts += _of_attributes(file, group, sidecar)
        facts += _scalars(file, [n for n in file.headers if n.rpartition("/")[0] == group], sidecar)
    if not times and not any(fact.key == "start_time" for fact in facts):
        unnamed, its = _unnamed_times(file, name, shape, sidecar)
        if unnamed is not None:
            facts = its + facts
            times[unnamed] = math.prod(file.headers[unnamed].shape)
    if not any(fact.key == "sampling_rate" for fact in facts):
        facts += _elsewhere(file, sidecar)
    return facts, times


def _of_attributes(file, group, sidecar):
    found = {
        key: fact
        for key, value in file.attributes(group).items()
        if (fact := fact_of(key, value, named_attribute(key, group), time_unit=sidecar.time_unit))
    }
    along_x = {key: fact for key, fact in found.items() if normal(key).startswith("x")}
    if any(fact.key == "sampling_rate" and not fact.is_clear for fact in along_x.values()):
        # Steps that make no rate of a recording are those of a scan, and so is where they start.
        found = {key: fact for key, fact in found.items() if key not in along_x}
    return list(found.values())


def named_attribute(key: str, group: str) -> str:
    """How messages call an attribute of a group, `""` for the file."""
    return f"attribute {key!r} of {group!r}" if group else f"attribute {key!r} of the file"


def scopes_of(name: str) -> list[str]:
    """The array itself, and the groups that hold it, nearest first."""
    parts = name.split("/")
    return [name] + ["/".join(parts[:count]) for count in range(len(parts) - 1, -1, -1)]


def _time_vectors(file, group, name, shape):
    return [
        other
        for other, header in file.headers.items()
        if other.rpartition("/")[0] == group
        and other != name
        and header.dtype.kind in "iuf"
        and max(header.shape, default=0) == math.prod(header.shape)
        and max(header.shape, default=0) in shape
        and max(header.shape) >= 8
        and (is_time_name(other.rpartition("/")[2]) or _stated_unit(file, other))
    ]


def _times(file, vector, sidecar, path):
    return times_of(file, vector, file.load([vector])[vector], sidecar, path)


def times_of(file: "ArrayFile", vector: str, values: np.ndarray, sidecar: "Sidecar", path: str | Path) -> list[Fact]:
    """Rate and start of a loaded time vector of a file, a list of `Fact`; a `ValueError` where it is not uniform."""
    unit = sidecar.time_unit or split_unit(vector.rpartition("/")[2])[1] or _stated_unit(file, vector)
    try:
        return facts_of_times(np.ravel(values), unit, f"{vector!r}")
    except ValueError as error:
        raise ValueError(f"{str(path)!r}: {error}") from error


def _stated_unit(file, name):
    """Unit of time among the attributes of an array, or `""`."""
    values = file.attributes(name).values()
    return next((value for value in values if isinstance(value, str) and is_time_unit(value)), "")


def _unnamed_times(file, name, shape, sidecar):
    """Times by their numbers alone: a vector of another name that rises by one step, which is one of seconds."""
    group = name.rpartition("/")[0]
    likely = [
        other
        for other, header in file.headers.items()
        if other != name
        and other.rpartition("/")[0] == group
        and header.dtype.kind == "f"
        and max(header.shape, default=0) == math.prod(header.shape) >= _SHORTEST
        and shape.count(max(header.shape)) > 0
    ]
    for vector in likely[:_MAX_LIKELY]:
        values = np.ravel(file.load([vector])[vector])
        if values[0] < values[-1] and is_ramp(values):
            facts = facts_of_times(values, sidecar.time_unit or "", f"{vector!r}")
            if all(fact.is_clear for fact in facts) and is_plausible_rate(facts[0].value):
                return vector, facts
    return None, []


def _scalars(file, names, sidecar):
    names = [
        name
        for name in names
        if is_known_name(name.rpartition("/")[2])
        and math.prod(file.headers[name].shape) <= 2
        and file.headers[name].dtype.kind in "iufU"
    ][:_MAX_SCALARS]
    facts = []
    for name, array in file.load(names).items() if names else ():
        values = np.ravel(array).tolist()
        value = values[0] if len(values) == 1 else values
        facts += filter(None, [fact_of(name.rpartition("/")[2], value, f"{name!r}", time_unit=sidecar.time_unit)])
    return facts


def _elsewhere(file, sidecar):
    """A rate that lies somewhere else in the file, where only one is named."""
    facts = [fact for fact in _scalars(file, list(file.headers), sidecar) if fact.key == "sampling_rate"]
    return facts[:1] if len({fact.value for fact in facts}) == 1 else []
