"""Fields of dataclasses that say what a value of a file must be, and the one function that builds from such a table."""

import dataclasses
import difflib
import math


class FieldError(ValueError):
    """A wrong, unknown or missing entry of a table.

    Args:
        path: tuple of str and int, the keys and indices that lead to the entry.
        fault: str. What is wrong with it, and what was expected.
        missing: bool, whether the entry is not there. Defaults to `False`.
    """

    def __init__(self, path, fault, missing=False):
        self.path, self.fault, self.missing = tuple(path), fault, missing
        super().__init__(f"{dotted(self.path)} {fault}")


def dotted(path):
    """A path as it is written: `'echo[1].distance'`, with the index from 0."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return repr(text) if text else "The file"


def field(convert, default=dataclasses.MISSING):
    """A field whose value `convert(value, path)` checks and converts; without a default it must be there."""
    return dataclasses.field(default=default, metadata={"convert": convert})


def build(cls, table, path=()):
    """Builds a dataclass out of a table, as from TOML or JSON.

    Args:
        cls: dataclass whose fields were all made by `field`.
        table: dict; a value of `None` counts as left out.
        path: tuple, where the table lies in its file.

    Returns:
        An instance of `cls`.

    Raises:
        FieldError: where a key is unknown or missing, or a value is wrong.
    """
    if not isinstance(table, dict):
        raise FieldError(path, f"must be a table, but is {table!r}.")
    fields = {item.name: item for item in dataclasses.fields(cls)}
    for key in table:
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise FieldError((*path, key), f"is unknown.{hint} Known keys here: {', '.join(fields)}.")
    values = {}
    for name, item in fields.items():
        if table.get(name) is not None:
            values[name] = item.metadata["convert"](table[name], (*path, name))
        elif item.default is dataclasses.MISSING:
            raise FieldError((*path, name), "is missing.", missing=True)
    return cls(**values)


def number(unit, **limits):
    """Converter to a float within limits (`above`, `at_least`, `below`, `at_most`)."""

    def convert(value, path):
        if not (_is_number(value) and _is_within(value, **limits)):
            raise FieldError(path, f"must be a number{_spoken(limits)} in {unit}, but is {value!r}.")
        return float(value)

    return convert


def interval(unit, **limits):
    """Converter of a number, or of a pair `[low, high]` to draw from, to a pair of floats within limits."""

    def convert(value, path):
        pair = (value, value) if _is_number(value) else value
        if not (isinstance(pair, list | tuple) and len(pair) == 2 and all(map(_is_number, pair))):
            raise FieldError(path, f"must be a number or a range [low, high] in {unit}, but is {value!r}.")
        if pair[0] > pair[1]:
            raise FieldError(path, f"must have low <= high, but is {value!r} {unit}.")
        if not all(_is_within(end, **limits) for end in pair):
            raise FieldError(path, f"must lie{_spoken(limits)} {unit}, but is {value!r}.")
        return float(pair[0]), float(pair[1])

    return convert


def integer(at_least, at_most=math.inf):
    """Converter to an int within limits."""

    def convert(value, path):
        if not (_is_integer(value) and at_least <= value <= at_most):
            raise FieldError(path, f"must be an integer{_spoken_integers(at_least, at_most)}, but is {value!r}.")
        return value

    return convert


def integer_interval(at_least, at_most):
    """Converter of an integer, or of a pair `[low, high]` with both ends drawn, to a pair of int within limits."""

    def convert(value, path):
        pair = (value, value) if _is_integer(value) else value
        good = isinstance(pair, list | tuple) and len(pair) == 2 and all(map(_is_integer, pair))
        if not (good and at_least <= pair[0] <= pair[1] <= at_most):
            limits = _spoken_integers(at_least, at_most)
            raise FieldError(path, f"must be an integer or a range [low, high]{limits}, but is {value!r}.")
        return tuple(pair)

    return convert


def integers(at_least, at_most):
    """Converter of an integer, or of a list of choices, to a tuple of int within limits."""

    def convert(value, path):
        choices = (value,) if _is_integer(value) else value
        if not (isinstance(choices, list | tuple) and choices and all(map(_is_integer, choices))):
            raise FieldError(path, f"must be an integer or a list of integers, but is {value!r}.")
        if not all(at_least <= choice <= at_most for choice in choices):
            raise FieldError(path, f"must lie{_spoken_integers(at_least, at_most)}, but is {value!r}.")
        return tuple(choices)

    return convert


def choice(*allowed):
    """Converter that lets named choices pass."""

    def convert(value, path):
        if value not in allowed:
            raise FieldError(path, f"must be one of {list(allowed)}, but is {value!r}.")
        return value

    return convert


def text(value, path):
    """Converter that lets a str of some length pass."""
    if not (isinstance(value, str) and value):
        raise FieldError(path, f"must be a text that is not empty, but is {value!r}.")
    return value


def samples(value, path):
    """Converter to a tuple of numbers that are not all zero."""
    if not (isinstance(value, list | tuple) and len(value) > 1 and all(map(_is_number, value)) and any(value)):
        raise FieldError(path, "must be two or more finite numbers that are not all zero.")
    return tuple(float(sample) for sample in value)


def table(cls):
    """Converter to another dataclass."""
    return lambda value, path: build(cls, value, path)


def tables(cls):
    """Converter of a list of tables to a tuple of dataclasses."""

    def convert(value, path):
        if not isinstance(value, list | tuple):
            raise FieldError(path, f"must be a list of tables, each headed [[{path[-1]}]], but is {value!r}.")
        return tuple(build(cls, item, (*path, i)) for i, item in enumerate(value))

    return convert


def _is_number(value):
    # Python's bool is an int, and TOML knows inf and nan.
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _is_within(value, above=-math.inf, at_least=-math.inf, below=math.inf, at_most=math.inf):
    return above < value < below and at_least <= value <= at_most


def _spoken(limits):
    words = [f"{name.replace('_', ' ')} {value:g}" for name, value in limits.items()]
    return f" {' and '.join(words)}" if words else ""


def _spoken_integers(at_least, at_most):
    return f" of {at_least} or more" if at_most == math.inf else f" from {at_least} to {at_most}"
