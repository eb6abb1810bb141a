"""Fields of dataclasses that say what a value of a user's file must be, and the one function that builds from tables.

`user_files` reads the files, and adds their names and lines to the errors.
"""

import dataclasses
import difflib
import math
from collections.abc import Callable, Iterable
from typing import Any, TypeGuard

_LONGEST_SHOWN = 200
Converter = Callable[[Any, tuple], Any]


class FieldError(ValueError):
    """A wrong, unknown or missing entry of a table.

    Args:
        path: tuple of str and int, the keys and indices that lead to the entry.
        fault: str. What is wrong with it, and what was expected.
        missing: bool, whether the entry is not there. Defaults to `False`.
    """

    def __init__(self, path: tuple, fault: str, missing: bool = False) -> None:
        self.path, self.fault, self.missing = tuple(path), fault, missing
        super().__init__(f"{dotted(self.path)} {fault}")


def dotted(path: tuple) -> str:
    """A path as it is written: `'echo[1].distance'`, with the index from 0."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return shown(text) if text else "The file"


def shown(value: object) -> str:
    """A value for a message: cut where it is long, and without Python's limit on the digits of an integer."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return "too long to be shown"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def did_you_mean(key: str, known: Iterable[str]) -> str:
    """A sentence with the known key that is closest to an unknown one, and a blank ahead; empty where none is close."""
    near = difflib.get_close_matches(key, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def field(convert: Converter, default: Any = dataclasses.MISSING) -> Any:
    """A field whose value `convert(value, path)` checks and converts; without a default it must be there."""
    return dataclasses.field(default=default, metadata={"convert": convert})


def build(cls: type, table: dict, path: tuple = ()) -> Any:
    """Builds a dataclass out of a table, as from TOML or JSON.

    Args:
        cls: dataclass whose fields were all made by `field`.
        table: dict; a value of `None` counts as left out.
        path: tuple, where the table lies in its file.

    Raises:
        FieldError: where a key is unknown or missing, or a value is wrong.
    """
    if not isinstance(table, dict):
        raise FieldError(path, f"must be a table, but is {shown(table)}.")
    fields = {item.name: item for item in dataclasses.fields(cls)}
    for key in table:
        if key not in fields:
            fault = f"is unknown.{did_you_mean(key, fields)} Known keys here: {', '.join(fields)}."
            raise FieldError((*path, key), fault)
    values = {}
    for name, item in fields.items():
        if table.get(name) is not None:
            values[name] = item.metadata["convert"](table[name], (*path, name))
        elif item.default is dataclasses.MISSING:
            raise FieldError((*path, name), "is missing.", missing=True)
    return cls(**values)


def checked(
    expected: str, is_valid: Callable[[Any], bool], convert: Callable[[Any], Any] = lambda value: value
) -> Converter:
    """Converter of a value for which `is_valid(value)` holds; `expected` says in words what that is."""

    def converter(value, path):
        if not is_valid(value):
            raise FieldError(path, f"must be {expected}, but is {shown(value)}.")
        return convert(value)

    return converter


def number(unit: str, **limits: float) -> Converter:
    """Converter to a float within limits (`above`, `at_least`, `below`, `at_most`)."""
    is_valid = lambda value: is_number(value) and _is_within(value, **limits)  # noqa: E731
    return checked(f"a number{_spoken(limits)} in {unit}", is_valid, float)


def interval(unit: str, **limits: float) -> Converter:
    """Converter of a number, or of a pair `[low, high]` to draw from, to a pair of floats within limits."""

    def convert(value, path):
        low, high = _pair(value, is_number, f"a number or a range [low, high] in {unit}", path)
        if low > high:
            raise FieldError(path, f"must have low <= high, but is {value!r} {unit}.")
        if not (_is_within(low, **limits) and _is_within(high, **limits)):
            raise FieldError(path, f"must lie{_spoken(limits)} {unit}, but is {value!r}.")
        return float(low), float(high)

    return convert


def integer(at_least: int, at_most: float = math.inf) -> Converter:
    """Converter to an int within limits."""
    return checked(
        f"an integer{_spoken_integers(at_least, at_most)}",
        lambda value: is_integer(value) and at_least <= value <= at_most,
    )


def integer_interval(at_least: int, at_most: float) -> Converter:
    """Converter of an integer, or of a pair `[low, high]` with both ends drawn, to a pair of int within limits."""
    expected = f"an integer or a range [low, high]{_spoken_integers(at_least, at_most)}"

    def convert(value, path):
        low, high = _pair(value, is_integer, expected, path)
        if not at_least <= low <= high <= at_most:
            raise FieldError(path, f"must be {expected}, but is {shown(value)}.")
        return low, high

    return convert


def integers(at_least: int, at_most: float) -> Converter:
    """Converter of an integer, or of a list of choices, to a tuple of int within limits."""

    def convert(value, path):
        choices = (value,) if is_integer(value) else value
        if not (isinstance(choices, list | tuple) and choices and all(map(is_integer, choices))):
            raise FieldError(path, f"must be an integer or a list of integers, but is {shown(value)}.")
        if not all(at_least <= choice <= at_most for choice in choices):
            raise FieldError(path, f"must lie{_spoken_integers(at_least, at_most)}, but is {shown(value)}.")
        return tuple(choices)

    return convert


def choice(*allowed: str) -> Converter:
    """Converter that lets named choices pass."""
    return checked(f"one of {list(allowed)}", lambda value: isinstance(value, str) and value in allowed)


def table(cls: type) -> Converter:
    """Converter to another dataclass."""
    return lambda value, path: build(cls, value, path)


def tables(cls: type) -> Converter:
    """Converter of a list of tables to a tuple of dataclasses."""

    def convert(value, path):
        if not isinstance(value, list | tuple):
            raise FieldError(path, f"must be a list of tables, each headed [[{path[-1]}]], but is {shown(value)}.")
        return tuple(build(cls, item, (*path, i)) for i, item in enumerate(value))

    return convert


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a finite number."""
    # Python's bool is an int, and TOML knows inf and nan.
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the largest float
        return False


def is_integer(value: object) -> TypeGuard[int]:
    """Whether a value is an integer, which `True` is not."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_text(value: object) -> TypeGuard[str]:
    """Whether a value is a text that is not empty."""
    return isinstance(value, str) and value != ""


text = checked("a text that is not empty", is_text)
flag = checked("true or false", lambda value: isinstance(value, bool))


def _pair(value, is_one, expected, path):
    pair = (value, value) if is_one(value) else value
    if not (isinstance(pair, list | tuple) and len(pair) == 2 and all(map(is_one, pair))):
        raise FieldError(path, f"must be {expected}, but is {shown(value)}.")
    return pair


def _is_within(value, above=-math.inf, at_least=-math.inf, below=math.inf, at_most=math.inf):
    return above < value < below and at_least <= value <= at_most


def _spoken(limits):
    words = [f"{name.replace('_', ' ')} {value:g}" for name, value in limits.items()]
    return f" {' and '.join(words)}" if words else ""


def _spoken_integers(at_least, at_most):
    return f" of {at_least} or more" if at_most == math.inf else f" from {at_least} to {at_most}"
