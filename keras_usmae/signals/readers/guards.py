"""What every reader checks before it loads an array, from the array's header alone."""

import contextlib
import dataclasses
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

# Traces and samples that are looked at for their byte order, and how rough noise is: see `_roughness`.
_NUM_PROBED, _SAMPLES_PROBED, _ROUGH = 64, 2**18, 0.7


@dataclasses.dataclass(frozen=True)
class ArrayHeader:
    """Shape and dtype that a file states for an array.

    Args:
        shape: tuple of int.
        dtype: NumPy dtype.
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def num_bytes(self) -> int:
        """Bytes of the array in memory; Python's integers cannot overflow."""
        return math.prod(self.shape) * self.dtype.itemsize


class RefusedError(ValueError):
    """What a parser says of a sound file that it does not read; its message lacks the file's name."""


@contextlib.contextmanager
def wrapped_parser_errors(path: str | Path, kind: str) -> Iterator[None]:
    """Turns whatever a parser raises on a damaged file into a `ValueError` that names the file."""
    try:
        yield
    except RefusedError as error:
        raise ValueError(f"{str(path)!r}: {error}") from error
    except ImportError:
        raise
    except MemoryError as error:
        raise ValueError(
            f"{str(path)!r} needs more memory than the system gives. Split the file, or end other programs."
        ) from error
    # Parsers that are fed arbitrary bytes raise nearly anything; programming errors show in the chained traceback.
    except Exception as error:
        raise ValueError(
            f"{str(path)!r} is damaged, or not a {kind} file: {type(error).__name__}: {error}. Export it again."
        ) from error


def matching(names: Iterable[str], pattern: str) -> list[str]:
    """Those of some names that a pattern means: the one that is the pattern itself, or else those that match it.

    Args:
        pattern: str. Only `*` is special, for any text: brackets are part of many names.
    """
    names = list(names)
    if pattern in names:
        return [pattern]
    expression = re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
    return [name for name in names if expression.fullmatch(name)]


def in_natural_order(names: Iterable[str]) -> list[str]:
    """Names sorted so that 2 comes before 10."""
    return sorted(
        names,
        key=lambda name: [
            (1, int(part), "") if part.isdecimal() else (0, 0, part) for part in re.split(r"(\d{1,18})", name) if part
        ],
    )


def check_headers(path: str | Path, headers: dict, max_bytes: int) -> None:
    """Refuses arrays that are not real numbers, are empty, or are too large together.

    Args:
        headers: dict of `ArrayHeader` by name.
    """
    total = 0
    for name, header in headers.items():
        where = f"{name!r} in {str(path)!r}"
        if header.dtype.kind == "c":
            raise ValueError(
                f"{where} is complex ({header.dtype}). Traces are real: save the real part of an analytic signal, or "
                "modulate IQ data back to its carrier."
            )
        if header.dtype.names:
            raise ValueError(
                f"{where} is a table of records, with the fields {list(header.dtype.names)[:8]}. Save each field as an "
                "array of its own, or the table as .csv."
            )
        if header.dtype.kind not in "iuf":
            raise ValueError(f"{where} has dtype {header.dtype}; integers or floats are expected.")
        if min(header.shape, default=0) < 1:
            raise ValueError(f"{where} is empty: its shape is {header.shape}.")
        # The traces are kept as float32, which is larger than 8 and 16 bit samples.
        total += max(header.num_bytes, 4 * math.prod(header.shape))
    if total > max_bytes:
        raise ValueError(
            f"{str(path)!r} states {total:,} bytes of data, but {max_bytes:,} are allowed. Raise 'max_bytes' in the "
            "sidecar if that is its true size, or split the file."
        )


def check_byte_order(path: str | Path, name: str, traces: np.ndarray) -> None:
    """Refuses integers that are far smoother with their bytes in the other order.

    An ultrasonic trace is smooth, since it is sampled well above its band, and one whose bytes are swapped looks like
    white noise. Traces that are sampled near their band are rough either way, and pass.

    Args:
        traces: array of shape `(n, L)`, as loaded.
    """
    if traces.dtype.kind not in "iu" or traces.dtype.itemsize == 1:
        return
    count = min(max(_SAMPLES_PROBED // traces.shape[1], 1), _NUM_PROBED)
    some = np.ascontiguousarray(traces[:: max(len(traces) // count, 1)][:count, :_SAMPLES_PROBED])
    stated, swapped = _roughness(some), _roughness(some.byteswap())
    if stated > _ROUGH and swapped < stated / 4:
        raise ValueError(
            f"{name!r} in {str(path)!r} looks like noise as it stands, and like an echo with its bytes in the other "
            f"order: its dtype {traces.dtype} states the wrong one. Export it again."
        )


def _roughness(traces):
    """Power of the differences of neighbours over twice that of the samples: 1 for white noise, 0 for a smooth line."""
    centered = traces.astype(np.float64)
    centered -= centered.mean(axis=1, keepdims=True)
    power = np.sum(centered**2)
    return np.sum(np.diff(centered, axis=1) ** 2) / (2 * power) if power else 0.0


def listing(headers: dict) -> str:
    """Names and shapes of arrays, for messages."""
    shown = [f"{name[:80]!r} {header.shape}" for name, header in list(headers.items())[:12]]
    return ", ".join(shown) + (f" and {len(headers) - 12} more" if len(headers) > 12 else "")
