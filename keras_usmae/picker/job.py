"""The work of a prediction: options checked against the data, and the traces of all files in blocks."""

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.picker.gates import Gate, check_gates, parse_echo, parse_gates
from keras_usmae.picker.scale import as_scale
from keras_usmae.picker.scan import Scan, check_scan, parse_scan, parse_step
from keras_usmae.picker.source import Source, count, find_scan

if TYPE_CHECKING:
    from keras_usmae.picker.settings import PredictConfig
    from keras_usmae.signals.readers.recording import Recording

_BLOCK_SAMPLES = 2**22


@dataclasses.dataclass(frozen=True, eq=False)
class Block:
    """Consecutive traces of one kind, of one file or of several small ones.

    Args:
        sampling_rate: float. In Hz.
        start_time: float. Time of the first sample in s.
        unit: str. Unit of the amplitude.
        signals: array of shape `(n, L)`, the traces that can be used.
        file: object array of shape `(m,)`, names of the files of all traces.
        trace: int array of shape `(m,)`, places of all traces in their files.
        number: int array of shape `(m,)`, numbers of all traces in the scan.
        label: float array of shape `(m,)`, labelled ToF in s, NaN without a label.
        reason: object array of shape `(m,)`, why a trace cannot be used, `""` for the `n` that can.
        files_done: int. Files that are through once this block is.
    """

    sampling_rate: float
    start_time: float
    unit: str
    signals: np.ndarray
    file: np.ndarray
    trace: np.ndarray
    number: np.ndarray
    label: np.ndarray
    reason: np.ndarray
    files_done: int

    def __len__(self):
        return len(self.trace)

    @property
    def usable(self) -> np.ndarray:
        """Places in the block of the traces that `signals` holds."""
        return np.flatnonzero(self.reason == "")

    @property
    def kind(self) -> tuple[float, float, int]:
        """What blocks must share to be joined."""
        return (self.sampling_rate, self.start_time, self.signals.shape[1])


class Job:
    """A configuration that was checked against the data, before any work.

    Raises:
        ValueError: for options that do not fit each other or the data, or where no file can be read.
        OSError: where there is nothing to read.
    """

    def __init__(self, config: "PredictConfig") -> None:
        self.config = config
        self.echo = parse_echo(config.echo)
        self.gates = parse_gates(config.gates, config.speed_of_sound) or (Gate("record", -math.inf, math.inf),)
        self.scale = None if config.scale is None else as_scale(config.scale)
        _check_thickness(config, self.gates, self.echo)
        scan = None if config.scan is None else parse_scan(config.scan, config.step)
        self.source = Source(config.source, config.sidecar, config.stated, self._check)
        self.first = self.source.ahead[0]
        if scan is not None:
            check_scan(scan, self.source.num_traces(), config.source)
        else:
            scan = find_scan(self.first) if len(self.source.files) == 1 else Scan()
            if config.step is not None:
                names = scan.names if scan.is_grid else ("x",)
                scan = dataclasses.replace(scan, names=names, step=parse_step(config.step, len(names)))
        self.scan = scan

    @property
    def labelled(self) -> bool:
        """Whether the recordings have labels."""
        return self.first.onset is not None

    def blocks(self) -> Iterator[Block]:
        """All traces that can be read, in order: a generator of `Block`."""
        held, size = [], 0
        for block in self._pieces():
            if held and (block.kind != held[0].kind or size + block.signals.size > _BLOCK_SAMPLES):
                yield _join(held)
                held, size = [], 0
            held.append(block)
            size += block.signals.size
        if held:
            yield _join(held)

    def _pieces(self):
        before = 0
        for done, (_, recording) in enumerate(self.source.recordings(), 1):
            if recording is not None:
                yield from _cut(recording, before, done)
            # On a grid, a file that cannot be read keeps its place.
            before += count(recording or self.first) if recording is not None or self.scan.is_grid else 0

    def _check(self, recording):
        check_gates(self.gates, *ends(recording), recording.source)


def ends(recording: "Recording") -> tuple[float, float]:
    """Times of a recording's first and last sample in s: a pair of float."""
    return recording.start_time, recording.start_time + (recording.signals.shape[1] - 1) / recording.sampling_rate


def _check_thickness(config, gates, echo):
    if not config.thickness:
        return
    if config.speed_of_sound is None:
        raise ValueError("A thickness needs the specimen's --speed-of-sound in m/s (steel 5920, aluminium 6320).")
    if len(gates) > 2:
        raise ValueError(f"A thickness is the spacing of one or two gates, but there are {len(gates)}. Leave some out.")
    if echo == "all":
        raise ValueError("A thickness is between two echoes: choose --echo first, strongest or a number, not all.")


def _cut(recording, before, done):
    """A recording as blocks of limited size."""
    total = count(recording)
    label, reason = np.full(total, np.nan), np.full(total, "", object)
    if recording.rejected:
        reason[np.setdiff1d(np.arange(total), recording.index)] = [reason for _, reason in recording.rejected]
    if recording.onset is not None:
        label[recording.index] = recording.onset / recording.sampling_rate + recording.start_time
    name = np.full(total, Path(recording.source).name, object)
    size = max(_BLOCK_SAMPLES // recording.signals.shape[1], 1)
    for start in range(0, total, size):
        stop = min(start + size, total)
        part = slice(start, stop)
        used = slice(*np.searchsorted(recording.index, [start, stop]))
        trace = np.arange(start, stop)
        yield Block(
            sampling_rate=recording.sampling_rate,
            start_time=recording.start_time,
            unit=recording.unit,
            signals=recording.signals[used],
            file=name[part],
            trace=trace,
            number=before + trace,
            label=label[part],
            reason=reason[part],
            files_done=done if stop == total else done - 1,
        )


def _join(blocks):
    if len(blocks) == 1:
        return blocks[0]
    arrays = ("signals", "file", "trace", "number", "label", "reason")
    joined = {name: np.concatenate([getattr(block, name) for block in blocks]) for name in arrays}
    return dataclasses.replace(blocks[-1], **joined)
