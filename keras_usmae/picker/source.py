"""The files of a prediction: which there are, and each as a recording."""

import dataclasses
import fnmatch
import math
from pathlib import Path

from keras_usmae.picker.scan import Scan
from keras_usmae.signals.readers import Sidecar, read_sidecar, reading

_HOW = (
    "Say it on the command line, such as --sampling-rate 100e6 (with --axis and --signals where a file needs them), or "
    "write a sidecar: datasets/ultrasound_measured/README.md, 'Your own data'."
)


@dataclasses.dataclass(frozen=True)
class Source:
    """A file or a folder of traces, and what is stated of them.

    Args:
        path: path of the file or folder.
        sidecar: path of a sidecar, or `None` for those beside the data.
        settings: dict of keys of a sidecar, for what no sidecar says.
    """

    path: Path
    sidecar: Path | None
    settings: dict

    def files(self):
        """The files to read, sorted: a list of paths.

        Raises:
            FileNotFoundError: where there is no such path, or nothing in the folder that could be read.
        """
        if self.path.is_file():
            return [self.path]
        if not self.path.is_dir():
            raise FileNotFoundError(f"There is no file or folder {str(self.path)!r}.")
        found = [file for file in self.path.iterdir() if file.suffix.lower() in reading.SUFFIXES and file.is_file()]
        files = sorted(found)
        shared = self._shared()
        if shared is not None:
            described = read_sidecar(shared)
            label = described.onset.file if described.onset else None
            files = [file for file in files if fnmatch.fnmatchcase(file.name, described.files) and file.name != label]
        if not files:
            raise FileNotFoundError(
                f"There is no file to read in {str(self.path)!r}. Read are {', '.join(reading.SUFFIXES)}"
                + (f" that match the sidecar's files = {described.files!r}." if shared is not None else ".")
            )
        return files

    def read(self, file):
        """One of the files as a `Recording`.

        Raises:
            ValueError: where the file is not what it should be, or not stated how to read it.
            OSError: where it cannot be opened.
        """
        described = self._described(file)
        return reading._read_file(file, described, described.max_bytes)

    def scan(self, file):
        """Where the traces of a file lie, as far as the shape of its arrays says so.

        An array of three axes is a map, x and y; so are several arrays of two axes, such as a cell for each transmitter
        of a full matrix with a column for each receiver.

        Returns:
            A `Scan`.
        """
        described = self._described(file)
        if file.suffix.lower() == ".csv" or described.axis is None:
            return Scan()
        headers = reading._describe(file, described.max_bytes)
        shapes = [headers[name].shape for name in reading.select_arrays(file, headers, described.signals)]
        places = {shape[: described.axis] + shape[described.axis + 1 :] for shape in shapes}
        if len(places) > 1:
            return Scan()
        place = places.pop()
        if len(shapes) == 1 and len(place) == 2 and min(place) > 1:
            return Scan(place, ("x", "y"))
        if len(shapes) > 1 and math.prod(place) > 1:
            square = (len(shapes),) == place
            return Scan((len(shapes), math.prod(place)), ("tx", "rx") if square else ("array", "trace of it"))
        return Scan()

    def _shared(self):
        if self.sidecar is not None:
            return self.sidecar
        shared = self.path / reading.FOLDER_SIDECAR
        return shared if shared.is_file() else None

    def _described(self, file):
        path = self._shared() if self.path.is_dir() else self.sidecar
        own = reading._own_sidecar(file)
        path = path or (own if own.is_file() else None)
        stated = Sidecar() if path is None else read_sidecar(path)
        for key, value in self.settings.items():
            known = getattr(stated, key)
            if known not in (None, value):
                raise ValueError(
                    f"--{key.replace('_', '-')} is {value}, but the sidecar {str(path)!r} says {known}. Correct one "
                    "of them."
                )
        stated = dataclasses.replace(stated, **self.settings)
        if stated.sampling_rate is None and file.suffix.lower() != ".wav":
            raise ValueError(f"The sampling rate of {str(file)!r} is not known. {_HOW}")
        return stated
