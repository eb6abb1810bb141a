"""Which files of a folder are recordings, and which sidecar speaks of each."""

import dataclasses
from pathlib import Path

from keras_usmae.signals.readers.array_file import ARRAY_SUFFIXES
from keras_usmae.signals.readers.guards import in_natural_order, matching
from keras_usmae.signals.readers.sidecar import Sidecar, read_sidecar
from keras_usmae.signals.readers.table_beside import settings_file
from keras_usmae.signals.readers.table_file import TABLE_SUFFIXES

FOLDER_SIDECAR = "sidecar.toml"
SUFFIXES = (*ARRAY_SUFFIXES, *TABLE_SUFFIXES)
# A text of one of these may as well be a note, so that it is read where it is named or has a sidecar.
_MAYBE_NOTES = (".txt", ".dat", ".asc")


@dataclasses.dataclass(frozen=True)
class Described:
    """A file and what is stated of it.

    Args:
        sidecar_path: `pathlib.Path`, or `None` where there is no sidecar.
        is_stated: bool. Whether a sidecar or a setting describes it at all.
    """

    path: Path
    sidecar: Sidecar
    sidecar_path: Path | None
    is_stated: bool


def describe_files(path: str | Path, sidecar: str | Path | None, settings: dict) -> list[Described]:
    """Files to read, in the natural order of their names, with what is stated of each.

    Args:
        sidecar: path of a sidecar, or `None`.
        settings: dict. Keys of a sidecar that come before those of the file.

    Raises:
        FileNotFoundError: where there is nothing to read.
        ValueError: where a sidecar is not what it should be.
    """
    path = Path(path)
    if path.is_file():
        return [_describe(path, Path(sidecar) if sidecar else own_sidecar(path), bool(sidecar), settings)]
    if not path.is_dir():
        raise FileNotFoundError(f"There is no file or folder {str(path)!r}.")
    files = [file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file()]
    settings_of = {beside.name for file in files if (beside := settings_file(file)) is not None}
    names = in_natural_order(file.name for file in files if file.name not in settings_of)
    shared = Path(sidecar) if sidecar else path / FOLDER_SIDECAR
    if sidecar or shared.is_file():
        stated = read_sidecar(shared, **settings)
        # A name without special signs, or a pattern that ends as notes do, speaks of them.
        if not stated.files.lower().endswith(_MAYBE_NOTES):
            names = _without_notes(names, names)
        names = [name for name in matching(names, stated.files) if name not in label_files(stated)]
        if not names:
            raise FileNotFoundError(f"No file in {str(path)!r} of {SUFFIXES} matches {stated.files!r}.")
        return [Described(path / name, stated, shared, True) for name in names]
    found = [_describe(path / name, own_sidecar(path / name), False, settings) for name in names]
    labels = {name for described in found for name in label_files(described.sidecar)}
    found = [described for described in found if described.path.name not in labels]
    bare = {item.path.name for item in found if item.sidecar_path is None}
    kept = set(_without_notes([item.path.name for item in found], bare))
    found = [item for item in found if item.path.name in kept]
    if not found:
        raise FileNotFoundError(f"There is no file of {SUFFIXES} in {str(path)!r}.")
    return found


def own_sidecar(file: Path) -> Path:
    """Path of the sidecar beside a file, whether it is there or not."""
    full = file.with_name(file.name + ".toml")
    return full if full.is_file() else file.with_suffix(".toml")


def _without_notes(names, undescribed):
    """Names less those of texts that nothing describes; all, where there is nothing else."""
    kept = [name for name in names if name not in undescribed or not name.lower().endswith(_MAYBE_NOTES)]
    return kept or names


def _describe(file, sidecar, must_exist, settings):
    there = must_exist or sidecar.is_file()
    return Described(
        file, read_sidecar(sidecar if there else None, **settings), sidecar if there else None, there or bool(settings)
    )


def label_files(sidecar: Sidecar) -> set[str]:
    """Names of the files that a sidecar names beside the data, a set."""
    return {column.file for column in (sidecar.onset, sidecar.groups) if column is not None and column.file}
