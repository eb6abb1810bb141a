"""The folder that holds everything about one training."""

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.files import PARTIAL, atomic_write, check_writable, write_json
from keras_usmae.renamed import current_names
from keras_usmae.training.folder_lock import LOCK_FILE, lock_folder
from keras_usmae.user_files import read_json, read_text

if TYPE_CHECKING:
    import keras

CONFIG_FILE = "config.json"
HISTORY_FILE = "metrics.csv"


def save_arrays(path: str | Path, arrays: dict) -> None:
    """Writes named arrays as a compressed .npz, whole or not at all.

    Args:
        path: path of the file.
        arrays: dict from name to array.
    """
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)


def save_model(path: str | Path, model: "keras.Model") -> None:
    """Writes a model in Keras's format, whole or not at all.

    Args:
        path: path of the file, which ends in `.keras`.
        model: `keras.Model`.
    """
    with atomic_write(path) as partial:
        model.save(partial)


def read_history(path: str | Path) -> list[dict]:
    """Reads what `write_csv` wrote.

    Args:
        path: path of the file.

    Returns:
        List of dicts with `"epoch"` as int and everything else as float; empty if there is no file.

    Raises:
        ValueError: if it is something else; the message names line and column.
    """
    path = Path(path)
    if not path.exists():
        return []
    rows = []
    for number, row in enumerate(csv.DictReader(read_text(path).splitlines()), start=2):
        for name, value in row.items():
            try:
                row[name] = float(value)
            except (TypeError, ValueError):
                raise ValueError(
                    f"{path}, line {number}, column {name!r}: {value!r} is no number. Repair the line, or delete the "
                    "file to go on without the log of earlier epochs."
                ) from None
        if not float(row.get("epoch", "nan")).is_integer():
            raise ValueError(f"{path}, line {number}, column 'epoch': {row.get('epoch')!r} is no number of an epoch.")
        rows.append({**row, "epoch": int(row["epoch"])})
    return rows


def read_config(path: str | Path) -> dict:
    """Reads the JSON of a run folder.

    Args:
        path: path of the file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no JSON object.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no {path}: {path.parent} is no whole run folder.")
    return read_json(path, "Restore it from a copy, or start a new run.")


def check_run_folder(path: str | Path, config: dict, resume: bool = False) -> None:
    """Checks that a run may use a folder, without touching it: before the data are made, which may take long.

    Args:
        path: path of the folder.
        config: dict of everything that decides the result.
        resume: bool, whether a run of the same configuration in that folder goes on. Defaults to `False`.

    Raises:
        FileExistsError: if the folder holds another run, the same run without `resume`, or something else; or another
            process is at work in it.
        OSError: if it cannot be written to.
        ValueError: if its configuration cannot be read.
    """
    path = Path(path)
    config_path = path / CONFIG_FILE
    if not config_path.exists():
        # A process that died before it could write the configuration leaves at most a part of that, and its lock.
        if path.is_file() or (path.exists() and not all(map(_is_leftover, path.iterdir()))):
            raise FileExistsError(
                f"{path} exists and is not a run folder (it has no {CONFIG_FILE}). Choose another --output."
            )
        check_writable(path)
        return
    found, config = current_names(read_config(config_path)), json.loads(json.dumps(config))
    differing = sorted(key for key in {*found, *config} if found.get(key) != config.get(key))
    if differing:
        changes = ", ".join(f"{key}: {found.get(key)!r} there, {config.get(key)!r} now" for key in differing)
        raise FileExistsError(
            f"The run folder {path} holds a run with another configuration ({changes}). Choose another --output, "
            "or the options it was started with and --resume."
        )
    if not resume:
        raise FileExistsError(
            f"The run folder {path} holds this run already. Go on with --resume, choose another --output, or "
            "delete the folder."
        )
    check_writable(path)
    lock_folder(path)


def _is_leftover(file):
    return file.name == LOCK_FILE or (file.name.startswith(PARTIAL) and file.name.endswith(CONFIG_FILE))


def open_run_folder(path: str | Path, config: dict, resume: bool = False) -> Path:
    """Creates a run folder, or opens one to go on, and keeps it for this process alone until that ends.

    Args:
        path: path of the folder.
        config: dict of everything that decides the result; written to `config.json`.
        resume: bool, see `check_run_folder`. Defaults to `False`.

    Raises:
        FileExistsError: see `check_run_folder`.
    """
    check_run_folder(path, config, resume)
    path = Path(path)
    path.mkdir(parents=True, exist_ok=True)
    lock_folder(path)
    check_run_folder(path, config, resume=True)  # somebody may have been quicker
    config_path = path / CONFIG_FILE
    if not config_path.exists() or read_config(config_path).keys() != config.keys():  # names of an earlier version
        write_json(config_path, config)
    return path
