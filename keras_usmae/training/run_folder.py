"""The folder that holds everything about one training."""

import contextlib
import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np

CONFIG_FILE = "config.json"
HISTORY_FILE = "metrics.csv"
PARTIAL = "partial."


@contextlib.contextmanager
def written_whole(path):
    """Context in which a file is written under another name, and takes its own once it is whole and on the disk.

    Whenever the process or the machine dies, the file is the old one or the new one.

    Args:
        path: path of the file.

    Returns:
        `pathlib.Path` to write to, in the same folder and with the same suffixes.

    Raises:
        OSError: if it cannot be written, such as for want of space; the file is then as it was.

    Example:

    ```python
    with written_whole("runs/mine/mae.keras") as partial:
        mae.save(partial)
    ```
    """
    path = Path(path)
    partial = path.with_name(PARTIAL + path.name)
    reached = 0
    try:
        try:
            yield partial
        finally:
            reached = partial.stat().st_size if partial.exists() else 0
        _sync(partial)
        os.replace(partial, path)
        if os.name == "posix":  # Windows cannot open a folder
            _sync(path.parent)
    except OSError as error:
        raise write_error(path, error, reached) from error
    finally:
        partial.unlink(missing_ok=True)  # still there after an error only, where its space is needed


def write_error(path, error, reached=0):
    """What to raise where a file cannot be written.

    Args:
        path: path of the file.
        error: what was raised.
        reached: int, bytes that were written of it. Defaults to `0`.

    Returns:
        OSError that names the file, the space and the way out.

    Example:

    ```python
    raise write_error("runs/mine/metrics.csv", error) from error
    ```
    """
    folder = Path(path).parent
    free = f"{shutil.disk_usage(folder).free / 1e6:,.1f} MB are free there" if folder.exists() else "it has no folder"
    return OSError(
        f"{path} could not be written ({' '.join(str(error).split())}): {free}, and {reached / 1e6:,.1f} MB of the "
        "file were written. What the folder held before is whole: make room, check quota and permissions, then go on "
        "with --resume."
    )


def _sync(path):
    """Has a file or folder on the disk, not only in memory, before anything relies on it."""
    number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def write_json(path, content):
    """Writes JSON whole or not at all.

    Args:
        path: path of the file.
        content: anything that `json` can write.

    Example:

    ```python
    write_json("runs/mine/metrics.json", {"accuracy": 0.9})
    ```
    """
    with written_whole(path) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n")


def write_history(path, rows):
    """Writes one line per epoch as CSV, whole or not at all.

    Args:
        path: path of the file.
        rows: list of dicts with the same keys.

    Example:

    ```python
    write_history("runs/mine/metrics.csv", [{"epoch": 0, "loss": 0.5}])
    ```
    """
    with written_whole(path) as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else ["epoch"])
        writer.writeheader()
        writer.writerows(rows)


def save_arrays(path, arrays):
    """Writes named arrays as a compressed .npz, whole or not at all.

    Args:
        path: path of the file.
        arrays: dict from name to array.

    Example:

    ```python
    save_arrays("runs/mine/test.npz", {"signal": signals, "onset": onset})
    ```
    """
    with written_whole(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)


def save_model(path, model):
    """Writes a model in Keras's format, whole or not at all.

    Args:
        path: path of the file, which ends in `.keras`.
        model: `keras.Model`.

    Example:

    ```python
    save_model("runs/mine/encoder.keras", mae.encoder)
    ```
    """
    with written_whole(path) as partial:
        model.save(partial)


def read_history(path):
    """Reads what `write_history` wrote.

    Args:
        path: path of the file.

    Returns:
        List of dicts with `"epoch"` as int and everything else as float; empty if there is no file.

    Example:

    ```python
    [row["loss"] for row in read_history("runs/mine/metrics.csv")]
    ```
    """
    path = Path(path)
    if not path.exists():
        return []
    with path.open(newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return [{**row, "epoch": int(row["epoch"])} for row in rows]


def check_run_folder(path, config, resume=False):
    """Checks that a run may use a folder, without touching it: before the data are made, which may take long.

    Args:
        path: path of the folder.
        config: dict of everything that decides the result.
        resume: bool, whether a run of the same configuration in that folder goes on. Defaults to `False`.

    Raises:
        FileExistsError: if the folder holds another run, the same run without `resume`, or something else.

    Example:

    ```python
    check_run_folder("runs/mine", {"preset": "tiny", "seed": 0})
    ```
    """
    path = Path(path)
    config_path = path / CONFIG_FILE
    if not config_path.exists():
        # A process that died before it could write the configuration leaves at most a part of that.
        if path.is_file() or (path.exists() and any(file.name != PARTIAL + CONFIG_FILE for file in path.iterdir())):
            raise FileExistsError(
                f"{path} exists and is not a run folder (it has no {CONFIG_FILE}). Choose another --output."
            )
        return
    found, config = json.loads(config_path.read_text()), json.loads(json.dumps(config))
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


def open_run_folder(path, config, resume=False):
    """Creates a run folder, or opens one to go on.

    Args:
        path: path of the folder.
        config: dict of everything that decides the result; written to `config.json`.
        resume: bool, see `check_run_folder`. Defaults to `False`.

    Returns:
        `pathlib.Path` of the folder.

    Raises:
        FileExistsError: see `check_run_folder`.

    Example:

    ```python
    folder = open_run_folder("runs/mine", {"preset": "tiny", "seed": 0})
    ```
    """
    check_run_folder(path, config, resume)
    path = Path(path)
    if not (path / CONFIG_FILE).exists():
        path.mkdir(parents=True, exist_ok=True)
        write_json(path / CONFIG_FILE, config)
    return path
