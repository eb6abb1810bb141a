"""Small TOML files of others, validated key by key."""

import difflib
import math
import re
import tomllib

_MAX_BYTES = 2**18
# tomllib takes a time that grows with the square of the parts of a dotted key. A run starts where no run goes on, so
# that the search itself is linear.
_DEEP_KEY = re.compile(r"""(?<![\w"'.-])(?:["'\w-]+[ \t]*\.[ \t]*){16}""")
_LONGEST_SHOWN = 200


def read_toml(path, kind):
    """The table of a TOML file.

    Args:
        path: `pathlib.Path`.
        kind: str. What the file is, for messages.

    Returns:
        A dict.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it is far too large, or not TOML.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no {kind} {str(path)!r}.")
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"{str(path)!r} has {path.stat().st_size:,} bytes: too many for a {kind} of a few lines.")
    try:
        text = path.read_bytes().decode("utf-8")
        if deep := _DEEP_KEY.search(text):
            raise ValueError(f"a key of more than 16 parts, {deep[0][:40]!r}")
        return tomllib.loads(text)
    # Integers of more than 4,300 digits are a bare ValueError of Python's.
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{str(path)!r} is not valid TOML: {error}") from error


def validate_table(path, prefix, table, checks):
    """Checks each key of a table.

    Args:
        path: path of the file, for messages.
        prefix: str. Name of the table with a dot, or `""` for the outermost.
        table: dict.
        checks: dict of pairs by key: what is expected, a str, and a function from a value to whether it is that.

    Returns:
        A copy of the table.

    Raises:
        ValueError: where a key is unknown or has a wrong value.
    """
    for key, value in table.items():
        if key not in checks:
            near = difflib.get_close_matches(key, checks, n=1)
            hint = f" Did you mean {prefix + near[0]!r}?" if near else ""
            raise ValueError(f"{str(path)!r}: key {prefix + key!r} is unknown.{hint} Known keys: {sorted(checks)}.")
        expected, is_valid = checks[key]
        if not is_valid(value):
            raise ValueError(f"{str(path)!r}: key {prefix + key!r} must be {expected}, but is {shown(value)}.")
    return dict(table)


def shown(value):
    """A value for a message: cut where it is long, and without Python's limit on the digits of an integer."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return "too long to be shown"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def is_number(value):
    """Whether a value is a finite number."""
    # Python's bool is an int, and TOML knows inf and nan.
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the largest float
        return False


def is_integer(value, lowest):
    """Whether a value is an integer, not less than the lowest."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= lowest


def is_name(value):
    """Whether a value is a text that is not empty."""
    return isinstance(value, str) and value != ""
