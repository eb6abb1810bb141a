"""What the pictures keep of a stream of traces: a bounded number of them, however long it is."""

import dataclasses
import functools
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class DrawnTrace:
    """A trace with what was found in it.

    Args:
        name: str. The trace, for a title.
        signal: float array of shape `(L,)`.
        sampling_rate: float. In Hz.
        start_time: float. In s.
        tof: float array of shape `(k,)`, in s, the picks that were asked for.
        interval: float array of shape `(k, 2)`, in s.
        confidence: float array of shape `(k,)`.
        gate: int array of shape `(k,)`, the gate that each is of.
        label: float. In s, NaN without one.
        flag: str. Why it is doubtful or has no pick, `""` where all is well.
    """

    name: str
    signal: np.ndarray
    sampling_rate: float
    start_time: float
    tof: np.ndarray
    interval: np.ndarray
    confidence: np.ndarray
    gate: np.ndarray
    label: float = np.nan
    flag: str = ""

    @property
    def time_us(self) -> np.ndarray:
        """Times of the samples in µs after the transmit pulse, an array of shape `(L,)`."""
        return (np.arange(len(self.signal)) / self.sampling_rate + self.start_time) * 1e6


class EvenSample:
    """Keeps items of a stream, evenly spread over it, however long it is.

    Args:
        size: int. Items that `items` gives, where there are as many. Up to four times as many are held.
        at_least: int. Items that are known to come: none is taken that would be dropped for them. Defaults to `0`.
    """

    def __init__(self, size: int, at_least: int = 0) -> None:
        self.size = size
        self._every, self._kept = 1, []
        while at_least > 4 * size * self._every:
            self._every *= 2

    def wants(self, number: int | np.ndarray) -> bool | np.ndarray:
        """Whether the item of this number is kept, for now; bool, or an array of them for an array of numbers."""
        return number % self._every == 0

    def add(self, number: int, item: Any) -> None:
        """Takes an item that `wants` asked for; numbers rise."""
        self._kept.append((number, item))
        if len(self._kept) > 4 * self.size:
            self._every *= 2
            self._kept = [(number, item) for number, item in self._kept if self.wants(number)]

    def items(self) -> list:
        """The items, in order: a list of at most `size`."""
        chosen = np.unique(np.linspace(0, len(self._kept) - 1, min(self.size, len(self._kept))).round().astype(int))
        return [self._kept[i][1] for i in chosen]


class Worst:
    """Keeps the items of the lowest value of a stream, of neighbours only the worst.

    Args:
        apart: int. Numbers of a stretch that only one item is kept of. Defaults to `16`.
    """

    def __init__(self, size: int, apart: int = 16) -> None:
        self.size, self.apart = size, apart
        self._kept = {}  # by stretch: value and item

    def wants(self, number: int, value: float) -> bool:
        """Whether an item of this number and value is one of the worst so far."""
        stretch = number // self.apart
        if stretch in self._kept:
            return value < self._kept[stretch][0]
        return len(self._kept) < self.size or value < max(value for value, _ in self._kept.values())

    def add(self, number: int, value: float, item: Any) -> None:
        """Takes an item that `wants` asked for."""
        self._kept[number // self.apart] = (value, item)
        if len(self._kept) > self.size:
            del self._kept[max(self._kept, key=lambda stretch: self._kept[stretch][0])]

    def items(self) -> list:
        """The items, the worst first: a list of at most `size`."""
        return [item for _, item in sorted(self._kept.values(), key=lambda pair: pair[0])]


@dataclasses.dataclass(frozen=True)
class TimeGrid:
    """Columns of a B-scan.

    Args:
        start: float. Time of the left edge in s.
        stop: float. Time of the right edge in s.
    """

    start: float
    stop: float
    columns: int

    def to_line(self, signal: np.ndarray, sampling_rate: float, start_time: float) -> np.ndarray:
        """The largest magnitude of a trace in each column, so that no echo is lost between two of them.

        Args:
            signal: array of shape `(L,)`.
            sampling_rate: float. In Hz.
            start_time: float. Time of its first sample in s.

        Returns:
            A float32 array of shape `(columns,)`, NaN where the trace has no sample.
        """
        inside, column, start = _columns_of(self, len(signal), sampling_rate, start_time)
        line = np.full(self.columns, np.nan, "float32")
        if len(column):
            line[column] = np.fmax.reduceat(np.abs(signal - np.median(signal))[inside], start)
        return line


@functools.lru_cache(maxsize=1)  # the traces of a block are all alike
def _columns_of(grid, num_samples, sampling_rate, start_time):
    """Slice of the samples inside of a grid, its columns that hold some, and the first sample of each in the slice."""
    width = (grid.stop - grid.start) / grid.columns
    column = np.floor((np.arange(num_samples) / sampling_rate + start_time - grid.start) / width + 1e-6).astype(int)
    first, stop = np.searchsorted(column, [0, grid.columns])  # times rise, and so do columns
    column, start = np.unique(column[first:stop], return_index=True)
    return slice(first, stop), column, start


@dataclasses.dataclass(frozen=True, eq=False)
class BScanLine:
    """A line of a B-scan: the place of the trace, its magnitude over time, and the picks in it.

    Args:
        position: float. In mm or steps.
        magnitude: float32 array of shape `(columns,)`.
        tof: float array of shape `(k,)`, in s.
        gate: int array of shape `(k,)`.
    """

    position: float
    magnitude: np.ndarray
    tof: np.ndarray
    gate: np.ndarray
