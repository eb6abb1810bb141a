"""Where the traces of a scan lie: the number of a trace to its place, and a column of the table to a map."""

import dataclasses
import math
import re
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Scan:
    """Places of traces, on a grid or along a line. The last axis is the one that runs fastest.

    Args:
        shape: tuple of two int, the traces along each axis. Defaults to `()`, a line of any length.
        names: tuple of str, what the axes are called. Defaults to `("trace",)`.
        step: tuple of float or `None`. In mm between two traces along each axis. Defaults to `None`, not known.
        origin: int. Number of the first place on each axis, where `step` is not known. Defaults to `0`.
    """

    shape: tuple[int, ...] = ()
    names: tuple[str, ...] = ("trace",)
    step: tuple[float, ...] | None = None
    origin: int = 0

    @property
    def is_grid(self) -> bool:
        """Whether there is a map to draw."""
        return len(self.shape) == 2 and min(self.shape) > 1

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the table's columns that say where a trace lies."""
        return tuple(f"{name}_mm" if self.step else name for name in self.names)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the axes of a picture, with their unit."""
        return tuple(f"{name} / mm" if self.step else name for name in self.names)

    def indices(self, number: int | np.ndarray) -> tuple[np.ndarray, ...]:
        """Place of the traces with these numbers on each axis, in steps: a tuple of int arrays."""
        if not self.shape:
            return (np.asarray(number),)
        return np.unravel_index(number, self.shape)

    def place(self, index: Any, axis: int) -> Any:
        """Steps along an axis to what the table and the pictures say of them, in mm or as a number."""
        return index * self.step[axis] if self.step else index + self.origin

    def positions(self, number: int | np.ndarray) -> dict[str, Any]:
        """What the table says of where traces lie: a dict from column to array."""
        return {
            column: self.place(index, axis)
            for axis, (column, index) in enumerate(zip(self.columns, self.indices(number), strict=True))
        }

    def extent(self) -> tuple[float, float, float, float]:
        """Ends of a map along its first and its second axis, half a step beyond the outer traces: four float."""
        lines, length = self.shape
        return self.place(-0.5, 0), self.place(lines - 0.5, 0), self.place(-0.5, 1), self.place(length - 0.5, 1)

    def to_map(self, number: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Values on the grid, NaN where there is none.

        Args:
            number: int array of shape `(k,)`, numbers of traces.
            values: float array of shape `(k,)`.

        Returns:
            A float array of `shape`.
        """
        grid = np.full(self.shape, np.nan)
        grid.ravel()[np.asarray(number)] = values
        return grid


def parse_scan(text: str, step: str | None = None) -> Scan:
    """Reads the size of a scan, such as 41x81: 41 lines of 81 traces each.

    Args:
        text: str.
        step: str or `None`. Distance of two traces in mm, as `"0.5"` for both axes or `"1x0.5"` for each. Defaults to
            `None`, not known.

    Returns:
        A `Scan` with the axes x (from line to line) and y (along a line).

    Raises:
        ValueError: where either is not understood.

    Example:

    ```python
    from keras_usmae.picker.scan import parse_scan

    parse_scan("41x81", step="0.5").positions(82)  # {"x_mm": 0.5, "y_mm": 0.5}
    ```
    """
    sizes = _parse_pair(text, int)
    if sizes is None or len(sizes) != 2 or min(sizes) < 1:
        raise ValueError(f"The scan {text!r} is not understood. Write lines x traces of a line, such as 41x81.")
    return Scan(sizes, ("x", "y"), parse_step(step, 2))


def parse_step(text: str | None, num_axes: int) -> tuple | None:
    """Reads the step of a scan in mm.

    Args:
        text: str such as `"0.5"` or `"1x0.5"`, or `None`.

    Returns:
        A tuple of `num_axes` float, or `None`.

    Raises:
        ValueError: where it is not understood.
    """
    if text is None:
        return None
    steps = _parse_pair(text, float)
    if steps is not None and len(steps) == 1:
        steps = steps * num_axes
    if steps is None or len(steps) != num_axes or not all(step > 0 and math.isfinite(step) for step in steps):
        needed = "a length in mm, such as 0.5" + (", or one for each axis, such as 1x0.5" if num_axes == 2 else "")
        raise ValueError(f"The step {text!r} is not understood. It is {needed}.")
    return steps


def check_scan(scan: Scan, num_traces: int, source: str) -> None:
    """Makes sure that a scan has a place for each trace, and a trace for each place.

    Args:
        source: str. What was read, for the message.

    Raises:
        ValueError: names both numbers, and sizes that would do.
    """
    lines, length = scan.shape
    if lines * length == num_traces:
        return
    near = [f"{lines}x{num_traces // lines}"] if num_traces % lines == 0 else []
    near += [f"{num_traces // length}x{length}"] if num_traces % length == 0 else []
    options = near or _sizes(num_traces)
    raise ValueError(
        f"A scan of {lines}x{length} has {lines * length:,} traces, but {source!r} has {num_traces:,}. "
        + (f"Possible are {', '.join(options)}." if options else f"{num_traces:,} is no product: leave --scan out.")
    )


def seems_transposed(grid: np.ndarray) -> bool:
    """Whether a map would be much smoother with the traces in lines of the other length.

    Args:
        grid: float array of shape `(lines, length)`, NaN where there is no value.
    """

    def roughness(array):
        steps = np.concatenate([np.abs(np.diff(array, axis=axis)).ravel() for axis in (0, 1)])
        steps = steps[np.isfinite(steps)]
        return np.mean(np.minimum(steps, np.quantile(steps, 0.95))) if steps.size else np.inf

    return bool(roughness(grid.reshape(grid.shape[::-1])) < 0.75 * roughness(grid))


def _sizes(count):
    """Ways to write a number as a product, those nearest to a square first."""
    return [f"{n}x{count // n}" for n in range(math.isqrt(count), 1, -1) if count % n == 0][:3]


def _parse_pair(text, kind):
    parts = re.split(r"[x×*]", str(text).lower().removesuffix("mm").strip())
    try:
        return tuple(kind(part) for part in parts)
    except ValueError:
        return None
