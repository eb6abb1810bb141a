"""Arrays that are read together must say the same of themselves: the first one speaks for all."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.signals.readers.array_facts import named_attribute, scopes_of, times_of
from keras_usmae.signals.readers.facts import Fact, fact_of, is_known_name, is_time_name

if TYPE_CHECKING:
    from keras_usmae.signals.readers.array_file import ArrayFile
    from keras_usmae.signals.readers.sidecar import Sidecar

# Relative for rates, in samples for starts; numbers of time vectors that are held at once.
_SAME_RATE, _SAME_START, _BATCH = 1e-6, 0.5, 2**20
_KEYS = ("sampling_rate", "start_time", "unit")


def refuse_disagreement(
    path: str | Path, file: "ArrayFile", names: Sequence[str], facts: Sequence[Fact], sidecar: "Sidecar"
) -> None:
    """Refuses arrays of another rate, start time or unit than the first, by their own attributes, scalars and times."""
    known: dict[str, tuple[str, Fact]] = {}
    for fact in facts:
        if fact.key in _KEYS and fact.is_clear and not fact.is_weak:
            known.setdefault(fact.key, (names[0], fact))
    shared = set(scopes_of(names[0]))
    own = {name: [scope for scope in scopes_of(name) if scope not in shared] for name in names[1:]}
    beside = _beside(file, {scope for scopes in own.values() for scope in scopes})
    values = _load_scalars(file, beside)
    for name, scopes in own.items():
        for scope in scopes:
            for fact in _facts(file, scope, beside.get(scope, ()), values, sidecar):
                _compare(path, name, fact, known)
    if sidecar.time is None:
        _compare_times(path, file, own, beside, sidecar, known)


def _beside(file, scopes):
    """Names of arrays that tell of a group, by group."""
    found: dict[str, list] = {}
    for name in file.headers:
        group, _, last = name.rpartition("/")
        if group in scopes and (is_known_name(last) or is_time_name(last)):
            found.setdefault(group, []).append(name)
    return found


def _load_scalars(file, beside):
    names = [name for names in beside.values() for name in names if math.prod(file.headers[name].shape) == 1]
    names = [name for name in names if file.headers[name].dtype.kind in "iufU"]
    return {name: np.ravel(array)[0].item() for name, array in file.load(names).items()} if names else {}


def _facts(file, scope, beside, values, sidecar):
    pairs = [(key, value, named_attribute(key, scope)) for key, value in file.attributes(scope).items()]
    pairs += [(name.rpartition("/")[2], values[name], f"{name!r}") for name in beside if name in values]
    facts = (fact_of(key, value, where, time_unit=sidecar.time_unit) for key, value, where in pairs)
    return [fact for fact in facts if fact is not None]


def _compare_times(path, file, own, beside, sidecar, known):
    """Time vectors, some at a time: there may be one beside each array."""
    pending, size = [], 0
    todo = [(name, vector) for name, scopes in own.items() for scope in scopes for vector in beside.get(scope, ())]
    todo = [(name, vector) for name, vector in todo if _is_vector_of(file, name, vector)]
    for place, (name, vector) in enumerate(todo):
        pending.append((name, vector))
        size += math.prod(file.headers[vector].shape)
        if size < _BATCH and place < len(todo) - 1:
            continue
        arrays = file.load([vector for _, vector in pending])
        for owner, vector in pending:
            for fact in times_of(file, vector, arrays[vector], sidecar, path):
                _compare(path, owner, fact, known)
        pending, size = [], 0


def _is_vector_of(file, name, vector):
    shape = file.headers[vector].shape
    length = max(shape, default=0)
    is_vector = length == math.prod(shape) and length in file.headers[name].shape and length >= 8
    return is_vector and is_time_name(vector.rpartition("/")[2]) and file.headers[vector].dtype.kind in "iuf"


def _compare(path, name, fact, known):
    if fact.key not in _KEYS or not fact.is_clear or fact.is_weak:
        return
    owner, first = known.setdefault(fact.key, (name, fact))
    if first.key == "unit":
        is_same = first.value == fact.value
    elif first.key == "sampling_rate":
        uncertainty = max(_SAME_RATE, 2 * first.uncertainty, 2 * fact.uncertainty)
        is_same = abs(fact.value / first.value - 1) <= uncertainty
    else:
        rate = known["sampling_rate"][1].value if "sampling_rate" in known else 1e9
        is_same = abs(fact.value - first.value) * rate <= _SAME_START
    if not is_same:
        what = {"sampling_rate": "sampling rates", "start_time": "start times", "unit": "units"}[fact.key]
        raise ValueError(
            f"{str(path)!r}: {owner!r} and {name!r} have other {what}: {first.value} by {first.where}, and "
            f"{fact.value} by {fact.where}. Choose those of one by the sidecar's 'signals'."
        )
