"""The files of a prediction, read one after the other."""

import contextlib
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from keras_usmae.picker.scan import Scan
from keras_usmae.signals.readers import MissingKeyError, Sidecar, iterate_recordings
from keras_usmae.signals.readers.array_file import ARRAY_SUFFIXES, open_arrays
from keras_usmae.signals.readers.folder import describe_files

if TYPE_CHECKING:
    from keras_usmae.signals.readers.recording import Recording

_OPTIONS = {
    "sampling_rate": "--sampling-rate 100e6",
    "axis": "--axis 0 (or 1, 2, ...)",
    "signals": "--signals NAME",
    "start_time": "--start-time 0us",
}
_NUM_AHEAD, _TRACES_AHEAD = 8, 512
_MAX_DOUBTS = 5


class Source:
    """A file or folder of traces, read one file at a time.

    Some recordings are read ahead: as many as hold 512 traces, at most eight.

    Args:
        sidecar: path of a sidecar, or `None` for those beside the data.
        settings: dict of keys of a sidecar.
        check: function that raises a ValueError for a recording that cannot be used.

    Attributes:
        files: list of paths.
        doubts: dict whose keys are what the readers found doubtful in the files so far, at most five.
        failed: dict from the path of a file that could not be used so far to the reason.
        ahead: list of one or more `Recording`, the first that can be used.

    Raises:
        ValueError: where no file can be used.
        OSError: where there is nothing to read.
    """

    def __init__(self, path: str | Path, sidecar: str | Path | None, settings: dict, check: Callable) -> None:
        self.path, self._sidecar, self._settings, self._check = Path(path), sidecar, settings, check
        self.files = [described.path for described in describe_files(path, sidecar, settings)]
        self.failed: dict[Path, str] = {}
        self.doubts: dict[str, bool] = {}
        self._stream = self._read()
        self._begun = []
        while sum(count(recording) for recording in self.ahead) < _TRACES_AHEAD and len(self.ahead) < _NUM_AHEAD:
            if (result := next(self._stream, None)) is None:
                break
            self._begun.append(result)
        if not self.ahead:
            raise ValueError(
                f"None of the {len(self.files):,} files in {str(self.path)!r} can be read. The first, "
                f"{self.files[0].name!r}: {self.failed[self.files[0]]}"
            )

    @property
    def ahead(self) -> "list[Recording]":
        """The first recordings that can be used, see the class."""
        return [recording for _, recording in self._begun if recording is not None]

    def recordings(self) -> Iterator[tuple[Path, "Recording | None"]]:
        """All files, in order: an iterator over pairs of a path and its `Recording`, or `None` where it failed.

        What was read ahead is given free: it can be called once, after `ahead` was used.
        """
        begun, self._begun = self._begun, []
        return itertools.chain(begun, self._stream)

    def num_traces(self) -> int:
        """Traces of all files, which are read for it; of a file that cannot be read, as many as the first one's."""
        if len(self.files) == 1:
            return count(self.ahead[0])
        return sum(count(recording or self.ahead[0]) for _, recording in self._read())

    def _read(self) -> Iterator[tuple[Path, "Recording | None"]]:
        for file, result in iterate_recordings(self.path, self._sidecar, **self._settings):
            recording = None
            try:
                if isinstance(result, Exception):
                    raise result
                self._check(result)
            except (ValueError, OSError, ImportError) as error:
                if len(self.files) == 1:
                    raise _with_options(error) from error
                self.failed[file] = " ".join(str(_with_options(error)).split())
            else:
                recording = result
                for doubt in recording.provenance.doubts[: _MAX_DOUBTS - len(self.doubts)]:
                    self.doubts[doubt] = True
            yield file, recording


def count(recording: "Recording") -> int:
    """Traces of a recording's file, those included that cannot be used."""
    return len(recording.index) + len(recording.rejected)


def find_scan(recording: "Recording") -> Scan:
    """Where the traces of a recording lie, as far as the shape of its arrays says so.

    An array of three axes is a map, x and y, where each has three places or more; so are several arrays of two axes,
    such as a cell for each transmitter of a full matrix with a column for each receiver.

    Returns:
        A `Scan`; a line where the shape says no more.
    """
    names = [*recording.names, *(name for name, _ in recording.rejected)]
    stems = dict.fromkeys(re.sub(r"\[\d+\]$", "", name) for name in names)
    if len(stems) > 1:
        lines, rest = divmod(count(recording), len(stems))
        square = lines == len(stems)
        if rest or lines == 1:
            return Scan()
        axes = ("tx", "rx") if square else ("array", "trace of it")
        return Scan((len(stems), lines), axes, origin=1)  # elements of arrays are counted from 1
    path = Path(recording.source)
    if path.suffix.lower() not in ARRAY_SUFFIXES:
        return Scan()
    shape: tuple[int, ...] = ()
    with contextlib.suppress(ValueError), open_arrays(path, Sidecar().max_bytes) as file:
        shape = next((file.headers[stem].shape for stem in stems if stem in file.headers), ())
    samples = recording.signals.shape[1]
    place = tuple(size for size in shape if size != samples)
    if len(place) == len(shape) - 1 == 2 and min(place) > 2 and place[0] * place[1] == count(recording):
        return Scan(place, ("x", "y"))
    return Scan()


def _with_options(error):
    """An error that asks for a sidecar names the option that does without."""
    missing = error if isinstance(error, MissingKeyError) else error.__cause__
    option = _OPTIONS.get(getattr(missing, "key", ""))
    if option is None:
        return error
    return ValueError(
        f"{missing}\nOn the command line: {option}. What else it may need, as a sidecar:{_sidecar_of(error)}"
    )


def _sidecar_of(error):
    """The part of a message that proposes a sidecar."""
    _, found, text = str(error).partition("\n\n")
    return f"\n\n{text}" if found else " see 'Your own data' in datasets/ultrasound_measured/README.md."
