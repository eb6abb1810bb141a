"""Traces of a scan, read one by one from the disk: a session over gigabytes holds no more than what is shown."""

import dataclasses
import mmap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from keras_usmae.picker.scan import Scan, check_scan, parse_scan
from keras_usmae.picker.source import Source, count, find_scan
from keras_usmae.signals.readers.folder import describe_files

if TYPE_CHECKING:
    from keras_usmae.labelling.settings import LabelConfig


TRACES_FILE = "traces.f32"
_MAPPED_BYTES = 64 << 20  # a .npy file from this size on is mapped where it lies; all else is copied into the folder


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where the traces are in a file of plain numbers.

    Args:
        offset: int. Bytes ahead of the first number.
        dtype: str, NumPy's.
        shape: tuple of int, as it lies in the file.
        order: str, `"C"` or `"F"`.
        axis: int. Axis of time.
    """

    path: str
    offset: int
    dtype: str
    shape: tuple[int, ...]
    order: Literal["C", "F"]
    axis: int


class TraceFile:
    """Traces in a file, read as they are asked for.

    Where each trace lies in one piece, it is read; else the file is mapped. A mapped file is no way to few traces: the
    system brings in megabytes about each, which count as ours.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._array = np.memmap(layout.path, layout.dtype, "r", layout.offset, tuple(layout.shape), layout.order)
        rows = np.moveaxis(self._array, layout.axis, -1)
        self.num_samples = rows.shape[-1]
        # Of three axes and more, rows are found by their place on the others: a reshape might copy the file.
        self._rows, self._places = rows, rows.shape[:-1]
        self.num_traces = int(np.prod(self._places, dtype=np.int64))

    def read(self, traces: int | slice | np.ndarray) -> np.ndarray:
        """Some traces, copied out of the file.

        Args:
            traces: int, slice or int array.

        Returns:
            float32 array of shape `(L,)` or `(k, L)`.
        """
        if isinstance(traces, slice):
            traces = np.arange(*traces.indices(self.num_traces))
        traces = np.asarray(traces)
        with np.errstate(over="ignore", invalid="ignore"):
            if self._layout.order == "C" and self._layout.axis == len(self._layout.shape) - 1:
                rows = self._read_rows(np.atleast_1d(traces)).reshape(*traces.shape, self.num_samples)
            else:
                rows = self._rows[np.unravel_index(traces, self._places)]
            found = np.array(rows, np.float32)
        if hasattr(mmap, "MADV_DONTNEED"):  # else the pages count as ours until somebody else wants the memory
            self._array._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]  # NumPy has no other way
        return found

    def _read_rows(self, traces):
        """Traces that lie in one piece each; those that follow on each other in one go."""
        layout, samples = self._layout, self.num_samples
        size = np.dtype(layout.dtype).itemsize * samples
        starts = np.flatnonzero(np.diff(traces, prepend=-2) != 1)
        rows = np.empty((len(traces), samples), layout.dtype)
        for start, stop in zip(starts, np.append(starts[1:], len(traces)), strict=True):
            offset, count = layout.offset + int(traces[start]) * size, (stop - start) * samples
            rows[start:stop] = np.fromfile(layout.path, layout.dtype, count, offset=offset).reshape(-1, samples)
        return rows


@dataclasses.dataclass(frozen=True, eq=False)
class OpenedScan:
    """A scan to label.

    Args:
        layout: `Layout` of it.
        sampling_rate: float. In Hz.
        start_time: float. Time of the first sample in s.
        unit: str. Unit of the amplitude.
        files: tuple of `pathlib.Path`.
        first: int array. Number of the first trace of each file.
        described: list of `Described`, the files and what is stated of them.
    """

    traces: TraceFile
    layout: Layout
    sampling_rate: float
    start_time: float
    unit: str
    files: tuple[Path, ...]
    first: np.ndarray
    scan: Scan
    described: list

    def place(self, trace: int) -> tuple[str, int]:
        """Name of a trace's file, and its number in the file."""
        file = int(np.searchsorted(self.first, trace, side="right")) - 1
        return self.files[file].name, int(trace - self.first[file])

    def time(self, samples: float | np.ndarray) -> np.ndarray:
        """Times of samples in s."""
        return np.asarray(samples) / self.sampling_rate + self.start_time


def open_scan(config: "LabelConfig", folder: Path, check: Callable[[Any], Any] = lambda recording: None) -> OpenedScan:
    """Opens the traces of a file or folder.

    A large .npy file is mapped where it lies. Whatever else is read by the readers, a file at a time, and copied into
    the session's folder as plain float32, from which traces are then read one by one.

    Args:
        folder: `pathlib.Path` for the copy.
        check: function that raises a ValueError for a recording that does not fit the options.

    Raises:
        ValueError: where the files cannot be read, or differ in rate, start or length.
        OSError: where there is nothing to read.
    """
    described = describe_files(config.source, config.sidecar, config.stated)
    mapped = _map(described, config)
    opened = mapped or _copy(described, config, folder, check)
    if config.scan is not None:
        scan = parse_scan(config.scan)
        check_scan(scan, opened.traces.num_traces, config.source)
        opened = dataclasses.replace(opened, scan=scan)
    if mapped:
        check(_Ends(config.source, opened.traces.read(slice(0, 1)), opened.sampling_rate, opened.start_time))
    return opened


@dataclasses.dataclass(frozen=True, eq=False)
class _Ends:
    """What `check` asks of a recording."""

    source: str
    signals: np.ndarray
    sampling_rate: float
    start_time: float


def _map(described, config):
    """A large .npy file where it lies; `None` where that does not do, and the readers see to it."""
    (path, sidecar), alone = (described[0].path, described[0].sidecar), len(described) == 1
    if not alone or path.suffix.lower() != ".npy" or path.stat().st_size < _MAPPED_BYTES:
        return None
    if sidecar.sampling_rate is None or sidecar.stacked:
        return None
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    axis = sidecar.axis
    if axis is None or axis >= array.ndim or array.ndim < 2 or array.dtype.kind not in "fiu":
        return None
    if sidecar.samples not in (None, array.shape[axis]):
        return None
    order: Literal["C", "F"] = "C" if array.flags.c_contiguous else "F"
    layout = Layout(str(path), array.offset, array.dtype.str, array.shape, order, axis)
    traces = TraceFile(layout)
    shape = tuple(size for place, size in enumerate(array.shape) if place != axis)
    return OpenedScan(
        traces=traces,
        layout=layout,
        sampling_rate=float(sidecar.sampling_rate),
        start_time=float(sidecar.start_time or 0.0),
        unit=sidecar.unit,
        files=(path,),
        first=np.array([0]),
        scan=Scan(shape, ("x", "y")) if len(shape) == 2 and min(shape) > 2 else Scan(),
        described=described,
    )


def _copy(described, config, folder, check):
    """What the readers give, as plain float32 in a folder."""
    source = Source(config.source, config.sidecar, config.stated, check)
    one, first, total = source.ahead[0], [], 0
    facts = (one.sampling_rate, one.start_time, one.signals.shape[1])
    folder.mkdir(parents=True, exist_ok=True)
    path, files = folder / TRACES_FILE, []
    path.unlink(missing_ok=True)  # another process may have mapped the old one
    with path.open("wb") as file:
        for name, recording in source.recordings():
            if recording is None:
                raise ValueError(f"{str(name)!r} cannot be read: {source.failed[name]} Leave it out of the folder.")
            if (recording.sampling_rate, recording.start_time, recording.signals.shape[1]) != facts:
                raise ValueError(
                    f"{str(name)!r} has {recording.signals.shape[1]:,} samples at {recording.sampling_rate:g} Hz from "
                    f"{recording.start_time:g} s, and the files before it {facts[2]:,} at {facts[0]:g} Hz from "
                    f"{facts[1]:g} s. Label files that differ one by one."
                )
            files.append(name)
            first.append(total)
            # What the readers refuse keeps its place, as zeros.
            rows = np.zeros((count(recording), facts[2]), np.float32)
            rows[recording.index] = recording.signals
            rows.tofile(file)
            total += len(rows)
    layout = Layout(str(path), 0, "<f4", (total, facts[2]), "C", 1)
    return OpenedScan(
        traces=TraceFile(layout),
        layout=layout,
        sampling_rate=one.sampling_rate,
        start_time=one.start_time,
        unit=one.unit,
        files=tuple(files),
        first=np.array(first),
        scan=find_scan(one) if len(files) == 1 else Scan(),
        described=described,
    )
