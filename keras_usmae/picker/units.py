"""Times and rates with their units, as they are typed."""

import math
import re

SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
_HERTZ = {"": 1.0, "hz": 1.0, "khz": 1e3, "mhz": 1e6, "ghz": 1e9}
_LOWEST_RATE = 1e4  # Hz; below, nothing is ultrasound, and a unit is missing
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([a-zµ]*)", re.IGNORECASE)


def split_unit(text: str) -> tuple[float, str] | None:
    """A number and its unit, as a pair of float and lower-case str (`""` for none); or `None` where it is no number."""
    match = _NUMBER.fullmatch(text.replace("μ", "µ").strip())  # Greek mu and the micro sign look the same
    return (float(match[1]), match[2].lower()) if match else None


def parse_time(text: str) -> float:
    """Reads a time.

    Args:
        text: str such as `"81us"`, in ns, us, ms or s.

    Returns:
        float, in s.

    Raises:
        ValueError: where it is none.
    """
    number, unit = split_unit(text) or (math.nan, "")
    if unit not in SECONDS:
        raise ValueError(f"{text!r} is no time with a unit. Write it as 81us, in ns, us, ms or s.")
    return number * SECONDS[unit]


def parse_rate(text: str) -> float:
    """Reads a sampling rate.

    Args:
        text: str such as `"50e6"` (Hz) or `"50MHz"`.

    Returns:
        float, in Hz.

    Raises:
        ValueError: where it is none, or too low for ultrasound, as MHz without their unit are.
    """
    number, unit = split_unit(text) or (0.0, "")
    rate = number * _HERTZ.get(unit, 0.0)
    if rate < _LOWEST_RATE:
        raise ValueError(f"{text!r} is no sampling rate of ultrasound. It is in Hz: write 50 MHz as 50e6 or 50MHz.")
    return rate
