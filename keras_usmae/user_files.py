"""TOML and JSON that users write: bounded, decoded, with the file, the line and the key named in every error."""

import contextlib
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from keras_usmae.fields import FieldError

_MAX_JSON = 2**24  # of a configuration or a log: more is none
# tomllib takes a time that grows with the square of the parts of a dotted key. A run starts where no run goes on, so
# that the search itself is linear.
_DEEP_KEY = re.compile(r"""(?<![\w"'.-])(?:["'\w-]+[ \t]*\.[ \t]*){16}""")
# The line of a key is searched by parsing parts of the file.
_MAX_LINES = 500


def read_toml(path: Path, kind: str, max_bytes: int = 2**18) -> dict:
    """The table of a TOML file.

    Args:
        kind: str. What the file is, for messages.
        max_bytes: int. Its largest size. Defaults to 256 KiB.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it is far too large, or not TOML.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no {kind} {str(path)!r}.")
    if path.stat().st_size > max_bytes:
        raise ValueError(f"{str(path)!r} has {path.stat().st_size:,} bytes: too many for a {kind} of a few lines.")
    try:
        text = path.read_bytes().decode("utf-8")
        if deep := _DEEP_KEY.search(text):
            raise ValueError(f"a key of more than 16 parts, {deep[0][:40]!r}")
        return tomllib.loads(text)
    # Integers of more than 4,300 digits are a bare ValueError of Python's.
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{str(path)!r} is not valid TOML: {error}") from error


def read_json(path: Path, way_out: str = "") -> dict:
    """The object of a JSON file.

    Args:
        way_out: str. What to do where it is damaged. Defaults to nothing.

    Raises:
        ValueError: where it is far too large, or no JSON object.
    """
    text = read_text(path)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON: {error}. {way_out}".rstrip()) from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a JSON object, but holds a {type(content).__name__}. {way_out}".rstrip())
    return content


def read_text(path: Path) -> str:
    """The text of a file that a run or a user wrote.

    Raises:
        ValueError: where it is far too large, or no UTF-8.
    """
    if path.stat().st_size > _MAX_JSON:
        raise ValueError(f"{path} has {path.stat().st_size / 1e6:,.0f} MB, more than any that a run writes.")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text: {error}") from None


@contextlib.contextmanager
def errors_named(path: str | Path) -> Iterator[None]:
    """Context in which a `FieldError` becomes a `ValueError` that names the file, and the line where it is TOML.

    Args:
        path: `pathlib.Path` of a TOML file, or a str for what is no file.
    """
    try:
        yield
    except FieldError as error:
        line = "" if isinstance(path, str) else _line(path.read_text(encoding="utf-8"), error.path)
        raise ValueError(f"{str(path)!r}{line}: {error}") from error


def _line(content, path):
    """Where an entry begins, or, where it is missing, the table that should hold it."""
    lines = content.splitlines()
    while path and not _holds(tomllib.loads(content), path):
        path = path[:-1]
    if not path or len(lines) > _MAX_LINES:
        return ", line 1" if not path else ""
    without, holding = 0, len(lines)  # counts of lines: what a shorter part lacks, a longer one has
    while holding - without > 1:
        middle = (without + holding) // 2
        count, part = _valid_part(lines, middle, holding)
        if part is None or _holds(part, path):
            holding = middle
        else:
            without = count
    return f", line {without + 1}"


def _valid_part(lines, first, end):
    """The shortest part of the file from `first` lines on that is valid, or `None` if there is none below `end`."""
    for count in range(first, end):  # some end in the midst of a value of several lines
        with contextlib.suppress(tomllib.TOMLDecodeError):
            return count, tomllib.loads("\n".join(lines[:count]))
    return end, None


def _holds(tables, path):
    for part in path:
        try:
            tables = tables[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True
