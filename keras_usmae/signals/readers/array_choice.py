"""Which arrays of a file hold traces, and along which axis of them time runs, where nobody says it."""

import math
import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.signals.readers.clock import facts_of_times, is_ramp
from keras_usmae.signals.readers.facts import is_known_name, is_plausible_rate, is_time_name
from keras_usmae.signals.readers.guards import in_natural_order, listing, matching
from keras_usmae.signals.readers.settle import MissingKeyError

if TYPE_CHECKING:
    from keras_usmae.signals.readers.array_file import ArrayFile
    from keras_usmae.signals.readers.sidecar import Sidecar
    from keras_usmae.signals.readers.traces import Traces

SHORTEST = 64  # samples: no burst with silence around it fits into fewer
BY_ENERGY = "where bursts stand out"
# Channels have numbers, or are `A`, `B`, ... as PicoScope writes them.
_NUMBER = re.compile(r"\d+|^[A-H]$")
_PROBED = 2**20  # samples that are looked at for an axis
_STANDS_OUT = -6.0  # dB
_SAME_RATE = 1e-4


def choose_arrays(
    path: str | Path, file: "ArrayFile", sidecar: "Sidecar", layouts: dict, keys: Collection[str]
) -> tuple[list[str], list[str]]:
    """Names of the arrays that hold traces, in natural order.

    Args:
        layouts: dict of `KnownLayout` by name.
        keys: collection of str. Names of labels and groups.

    Returns:
        A pair of lists of str: the names, and what is to be said of a choice that nobody stated.

    Raises:
        ValueError: where the file holds no arrays.
        MissingKeyError: where none matches, or it is not clear which one is meant.
    """
    headers = file.headers
    if not headers:
        objects = " Tables, objects, texts and sparse matrices are none: save table2array(T) or full(S) of them."
        raise ValueError(f"{str(path)!r} holds no arrays.{objects if str(path).lower().endswith('.mat') else ''}")
    if sidecar.signals is not None:
        if sidecar.signals in file.aliases:
            return [file.aliases[sidecar.signals]], []
        names = matching(headers, sidecar.signals)
        if not names:
            raise MissingKeyError(
                f"{str(path)!r} has no array {sidecar.signals!r}. It holds {listing(headers)}.", "signals"
            )
        return in_natural_order(names), []
    found = candidates(file, sidecar, layouts, keys)
    if len(found) > 1 and len(family(found)) == len(found):
        names = in_natural_order(found)
        told = repr(pattern_of(names)) if len(pattern_of(names)) > 1 else " and ".join(map(repr, names))
        return names, [f"traces of {told}, all {len(names)} arrays of one shape"]
    if len(found) > 1:
        raise MissingKeyError(
            f"{str(path)!r} holds {len(headers)} arrays. Name the one with the traces in the sidecar's 'signals'"
            f"{_hint(found)}: {listing(found)}.",
            "signals",
        )
    return list(found), []


def candidates(file: "ArrayFile", sidecar: "Sidecar", layouts: dict, keys: Collection[str]) -> dict:
    """Arrays that may hold traces where none is named: those that a format defines, or all that can be traces.

    Args:
        layouts: dict of `KnownLayout` by name.
        keys: collection of str. Names of labels and groups.

    Returns:
        dict of `ArrayHeader` by name; all arrays, where none can be traces.
    """
    headers = file.headers
    defined = {name: header for name, header in headers.items() if name in layouts}
    others = {n: header for n, header in headers.items() if n not in keys and not _is_beside(n, header, sidecar)}
    long = {name: header for name, header in others.items() if max(header.shape, default=0) >= SHORTEST}
    return defined or _without_coordinates(long) or others or headers


def _without_coordinates(headers):
    """Arrays less vectors as long as one of the axes of all others: places, labels or times, of which no trace is."""
    several = {name: header for name, header in headers.items() if sum(size > 1 for size in header.shape) > 1}
    shapes = {header.shape for header in several.values()}
    if len(shapes) != 1:
        return headers
    (shape,) = shapes
    vectors = [header for name, header in headers.items() if name not in several]
    return several if all(max(header.shape) in shape for header in vectors) else headers


def _is_beside(name, header, sidecar):
    """Whether an array cannot be traces: a single number, a text, or the times of samples."""
    last = name.rpartition("/")[2]
    return (
        math.prod(header.shape) == 1
        or header.dtype.kind in "SU"
        or (header.dtype.kind == "O" and not header.shape)
        or (is_time_name(last) and max(header.shape) == math.prod(header.shape))
        or (is_known_name(last) and math.prod(header.shape) <= 2)
        or name == sidecar.time
    )


def family(headers: dict) -> list[str]:
    """The most arrays of one shape whose names differ in a number only.

    Args:
        headers: dict of `ArrayHeader` by name.
    """
    families = {}
    for name, header in headers.items():
        families.setdefault((_NUMBER.sub("*", name), header.shape), []).append(name)
    return max(families.values(), key=len)


def pattern_of(names: list[str]) -> str:
    """What the sidecar's `signals` calls some arrays: their name, or that of a family."""
    return names[0] if len(names) == 1 else _NUMBER.sub("*", names[0])


def _hint(headers):
    """How to name many candidates at once, where they differ in a number only."""
    names = family(headers)
    count = "all" if len(names) == len(headers) else f"{len(names)}"
    pattern = pattern_of(names)
    return f', such as "{pattern}" for {count} of them' if len(names) > 1 and pattern != "*" else ""


def axis_of_time(array: np.ndarray) -> int | None:
    """The axis along which bursts stand out of the noise, if that is beyond doubt.

    Over time the energy of A-scans rises and falls by tens of dB; from trace to trace it is much the same. The measure
    is the geometric over the arithmetic mean of the energy along an axis: -10 to -25 dB over time and -10 to 0 dB
    over traces in recordings of probes and arrays, 10 dB apart or more in each.

    Args:
        array: array of two or more axes.

    Returns:
        int, or `None` where two axes are alike.
    """
    step = max(math.ceil((array.size / _PROBED) ** (1 / array.ndim)), 1)
    flatness = {}
    for axis, size in enumerate(array.shape):
        # All of this axis, and some of the others.
        some = array[tuple(slice(None) if other == axis else slice(None, None, step) for other in range(array.ndim))]
        with np.errstate(invalid="ignore"):  # signalling NaN
            some = np.moveaxis(some, axis, 0).reshape(size, -1).astype(np.float64)
        some = some[:, np.isfinite(some).all(axis=0)]
        energy = np.square(some - np.median(some)).mean(axis=1) if some.size else np.zeros(size)
        mean = energy.mean()
        energy = energy[energy > 1e-12 * mean] if mean > 0 else np.ones(1)
        flatness[axis] = 10 * np.log10(np.exp(np.log(energy).mean()) / energy.mean())
    first, second = sorted(flatness, key=lambda axis: flatness[axis])[:2]
    sure = flatness[first] < _STANDS_OUT and flatness[first] < flatness[second] + _STANDS_OUT
    return first if sure and array.shape[first] >= SHORTEST else None


def axis_of_times(array: np.ndarray, time_unit: str | None, sampling_rate: float | None) -> int | None:
    """The axis along which the first row or column holds times, as in a matrix of times and channels.

    Args:
        array: array.
        time_unit: str or `None`. Unit of times that is stated.
        sampling_rate: float or `None`. Rate that is stated, in Hz.

    Returns:
        int, or `None` where there are no times, or they could be places.
    """
    if array.ndim != 2:
        return None
    firsts = {axis: array[:, 0] if axis == 0 else array[0] for axis in (0, 1) if array.shape[axis] >= SHORTEST}
    found = []
    for axis, first in firsts.items():
        if first.dtype.kind == "f" and is_ramp(first) and first[0] < first[-1]:
            found += [axis] if _is_shown(facts_of_times(first, time_unit or "", "")[0], sampling_rate) else []
    return found[0] if len(found) == 1 else None


def _is_shown(rate, sampling_rate):
    """Whether a fact is a rate of a recording: steps of a scan in mm make none, nor one that somebody states."""
    if is_plausible_rate(rate.value):
        return True
    factors = () if rate.is_clear or not sampling_rate or not isinstance(rate.value, float) else (1e3, 1e6, 1e9, 1e12)
    return any(abs(rate.value * factor / sampling_rate - 1) < _SAME_RATE for factor in factors)


def note_axis(traces: "Traces") -> None:
    """Says of traces whose axis of time was found by `axis_of_time` that it was."""
    if traces.axis == BY_ENERGY:
        traces.doubts.append(
            f"time was taken to run along the axis of {traces.signals.shape[1]:,} samples, along which alone bursts "
            "stand out; write 'axis' where that is wrong"
        )
