"""How recordings become a dataset: `prepare.toml`, validated key by key."""

import dataclasses
import hashlib
from pathlib import Path

from keras_usmae.fields import build, checked, choice, field, flag, integer, is_integer, is_number, is_text
from keras_usmae.signals.readers.folder import FOLDER_SIDECAR, SUFFIXES, label_files
from keras_usmae.signals.readers.sidecar import read_sidecar
from keras_usmae.user_files import errors_named, read_toml

PREPARATION_FILE = "prepare.toml"
SPLITS = ("train", "validation", "test")
SPLIT_BY = ("trace", "file", "group")
_ROOM = 224


def _are_splits(value):
    return (
        isinstance(value, dict)
        and {"train", "validation"} <= set(value) <= set(SPLITS)
        and all(isinstance(entries, list) and entries and all(map(_is_entry, entries)) for entries in value.values())
    )


def _is_entry(value):
    if isinstance(value, list):
        return len(value) == 2 and all(is_integer(number) and number >= 0 for number in value) and value[0] <= value[1]
    return is_text(value)


def _ordered(splits):
    return {
        name: [tuple(entry) if isinstance(entry, list) else entry for entry in splits[name]]
        for name in SPLITS
        if name in splits
    }


# Numbers stay as they are written: they are in the fingerprint of sets that are prepared already.
_RATE = checked("a positive number in Hz, such as 100e6", lambda value: is_number(value) and value > 0)
_TIME = checked("a number of 0 or more, in s", lambda value: is_number(value) and value >= 0)
_FILES = checked("a list of file names", lambda value: isinstance(value, list) and all(map(is_text, value)), tuple)
_SPLITS = checked(
    "a table with lists 'train' and 'validation', and maybe 'test', of [first, last] or of names", _are_splits, _ordered
)


@dataclasses.dataclass(frozen=True)
class Preparation:
    """What `prepare.toml` states. The file has keys of the same names; all may be left out, as may the file.

    Args:
        data: path. File or folder of the recordings; in the file, relative to it. Defaults to the folder of the file.
        sidecar: path or `None`. Sidecar of the recordings; in the file, relative to it. Defaults to `None`, those
            beside the data.
        sampling_rate: float. Rate in Hz that all recordings are brought to. Defaults to `100e6`.
        signal_length: int. Samples of a window at that rate. Defaults to `2048`.
        skip: float. Time in s from the first sample of a recording that no window holds, such as the transmit pulse.
            Defaults to `0.0`.
        room: float or `None`. Time in s after a labelled onset that a window must hold. Defaults to `None`, that of 224
            samples at `sampling_rate`: 2.24 µs at 100 MHz.
        windows_per_trace: int. Windows cut from each labelled trace, with the onset uniform over those that can be.
            Defaults to `16`. A trace without labels is cut into windows that follow on each other.
        pad: bool. Whether traces that are shorter than a window are filled up behind with their median. Defaults to
            `False`, that is to leave them out.
        guard: int. Traces left out between two splits of a file, or files between two splits of files. Defaults to `1`;
            neighbours that see the same piece of a specimen want more.
        split_by: str or `None`. What stays together: `"trace"`, `"file"`, or `"group"`, the `groups` of the sidecars.
            Defaults to `None`: by group where the sidecars name some, by file where each file holds one trace, else by
            trace.
        splits: dict of lists by split or `None`. Each entry is a pair `[first, last]` of traces, counted from 0 in
            their file; a name of files, or of groups where it is split by them, with `*` for any text. Defaults to
            `None`: the first 70 % of the traces of each file (or of the files, or of the groups, in order of their
            names) train, the next 15 % validate, the last 15 % test.
        leave_out: tuple of str. Names of files that give no windows, with `*` for any text. Defaults to none: a file of
            which no trace can be used is an error.
        seed: int. Seed of the windows of labelled traces. Defaults to `2025`.
    """

    data: Path = field(checked("the path of a folder or file", is_text, Path))
    sidecar: Path | None = field(checked(f"the path of a file such as {FOLDER_SIDECAR!r}", is_text, Path), None)
    sampling_rate: float = field(_RATE, 100e6)
    signal_length: int = field(integer(2), 2048)
    skip: float = field(_TIME, 0.0)
    room: float | None = field(_TIME, None)
    windows_per_trace: int = field(integer(1), 16)
    pad: bool = field(flag, False)
    guard: int = field(integer(0), 1)
    split_by: str | None = field(choice(*SPLIT_BY), None)
    splits: dict | None = field(_SPLITS, None)
    leave_out: tuple[str, ...] = field(_FILES, ())
    seed: int = field(integer(0), 2025)

    @property
    def room_samples(self) -> float:
        """Samples at `sampling_rate` that a window holds after an onset."""
        return _ROOM if self.room is None else self.room * self.sampling_rate


def read_preparation(path: str | Path) -> Preparation:
    """Reads and validates how a folder or file of recordings is prepared.

    Args:
        path: path of a folder or file of recordings, in which or beside which `prepare.toml` may lie; or of a .toml
            file, which names the recordings.

    Raises:
        FileNotFoundError: where there is no such path.
        ValueError: where the file is not TOML, or a key is unknown or has a wrong value.

    Example:

    ```python
    import pathlib, tempfile
    from keras_usmae.signals.readers import read_preparation

    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "prepare.toml").write_text("sampling_rate = 60e6\\nguard = 6")
    read_preparation(folder).sampling_rate  # 60e6
    ```
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {str(path)!r} of recordings.")
    file = path if path.suffix == ".toml" else (path if path.is_dir() else path.parent) / PREPARATION_FILE
    stated = read_toml(file, "preparation") if file.is_file() else {}
    with errors_named(file):
        preparation = build(Preparation, {"data": ".", **stated})
    data = file.parent / preparation.data.expanduser()
    if path != file:
        if "data" in stated:
            raise ValueError(
                f"{str(file)!r}: key 'data' names {str(data)!r}, but {str(path)!r} is asked for. Leave the "
                "key out, or pass this file in place of the folder."
            )
        data = path
    if not data.exists():
        raise FileNotFoundError(f"There is no file or folder {str(data)!r}, the 'data' of {str(file)!r}.")
    sidecar = preparation.sidecar and file.parent / preparation.sidecar.expanduser()
    return dataclasses.replace(preparation, data=data, sidecar=sidecar)


def fingerprint(preparation: Preparation) -> str:
    """SHA-256 of what a dataset is prepared from: settings, recordings, sidecars; not the place where they lie.

    Args:
        preparation: a `Preparation`.

    Returns:
        A str of 64 hexadecimal digits.

    Example: see `read_preparation`.
    """
    settings = dataclasses.asdict(preparation) | {"data": None, "sidecar": None}
    digest = hashlib.sha256(repr(sorted(settings.items())).encode())
    data = preparation.data
    folder = data if data.is_dir() else data.parent
    # All of a folder: labels may lie in a file beside the recording.
    for file in sorted(folder.iterdir()):
        is_input = file.suffix.lower() in SUFFIXES or file.suffix == ".toml"
        if is_input and file.is_file() and file.name != PREPARATION_FILE:
            _digest_file(digest, file)
    if preparation.sidecar is not None:
        _digest_file(digest, preparation.sidecar)
        # Labels may lie beside the sidecar, too.
        for name in sorted(label_files(read_sidecar(preparation.sidecar))):
            if (labels := preparation.sidecar.parent / name).is_file():
                _digest_file(digest, labels)
    return digest.hexdigest()


def _digest_file(digest, file):
    digest.update(f"\n{file.name}\n{file.stat().st_size}\n".encode())
    with file.open("rb") as opened:
        digest.update(hashlib.file_digest(opened, "sha256").digest())
