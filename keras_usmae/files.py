"""Files that are whole or not there, and errors that tell why one could not be written."""

import contextlib
import csv
import errno
import itertools
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARTIAL = "partial."
_REASONS = {
    errno.EACCES: "check the permissions",
    errno.EPERM: "check the permissions",
    errno.EROFS: "choose a place that is not read-only",
    errno.ENOENT: "its folder is gone",
}


@contextlib.contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Context in which a file is written under another name, and takes its own once it is whole and on the disk.

    Whenever the process or the machine dies, the file is the old one or the new one. The other name is a new one each
    time: processes that write the same file do not meet, and nobody can lay a link there.

    Returns:
        `pathlib.Path` to write to, in the same folder and with the same suffixes.

    Raises:
        OSError: if it cannot be written, such as for want of space; the file is then as it was.
    """
    path = Path(path)
    partial = path.with_name(f"{PARTIAL}{secrets.token_hex(4)}.{path.name}")
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


def write_error(path: str | Path, error: Exception, reached: int = 0) -> OSError:
    """What to raise where a file cannot be written.

    Args:
        error: what was raised.
        reached: int, bytes that were written of it. Defaults to `0`.

    Returns:
        OSError that names the file, the space and the way out.
    """
    folder = Path(path).parent
    free = f"{shutil.disk_usage(folder).free / 1e6:,.1f} MB are free there" if folder.exists() else "it has no folder"
    way_out = _REASONS.get(getattr(error, "errno", 0), "make room, check quota and permissions")
    return OSError(
        f"{path} could not be written ({' '.join(str(error).split())}): {free}, and {reached / 1e6:,.1f} MB of the "
        f"file were written. What the folder held before is whole: {way_out}, then go on with --resume."
    )


def write_text(path: str | Path, text: str) -> None:
    """Writes a text file whole or not at all."""
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_csv(path: str | Path, rows: list[dict]) -> None:
    """Writes rows as CSV, whole or not at all.

    Args:
        rows: list of dicts with the same keys.
    """
    with atomic_write(path) as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else ["epoch"])
        writer.writeheader()
        writer.writerows(rows)


def write_markdown(path: str | Path, title: str, header: list[str], lines: list, notes: Iterable[str] = ()) -> Path:
    """Writes a Markdown table with a title, whole or not at all.

    Args:
        header: list of str, names of the columns.
        lines: list of lists of str, a row each.
        notes: lines of text below the table. Defaults to `()`.
    """
    text = [f"# {title}", "", "| " + " | ".join(header) + " |", "| " + " | ".join(["---"] * len(header)) + " |"]
    text += ["| " + " | ".join(line) + " |" for line in lines]
    text += ["", *notes, ""]
    write_text(path, "\n".join(text))
    return Path(path)


def save_figure(figure: "Figure", path: str | Path) -> Path:
    """Writes a figure as PNG, whole or not at all."""
    path = Path(path)
    with atomic_write(path) as partial:
        figure.savefig(partial, format="png", dpi=130)
    return path


def write_json(path: str | Path, content: Any) -> None:
    """Writes JSON whole or not at all.

    Args:
        content: anything that `json` can write.
    """
    write_text(path, json.dumps(content, indent=2) + "\n")


def check_free(path: str | Path) -> None:
    """Checks that nothing is there yet, so that nothing is lost.

    Raises:
        FileExistsError: where something is.
    """
    if Path(path).exists():
        raise FileExistsError(f"{path} exists already: choose another --output, or delete it.")


@contextlib.contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Context in which a folder is filled under another name, and takes its own once it is whole.

    Nothing is left of it if that fails.

    Args:
        path: path of the folder, which must not exist.

    Returns:
        `pathlib.Path` of the folder to fill.

    Raises:
        OSError: where the folder exists, or cannot be made.
    """
    path = Path(path)
    check_free(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f"partial.{path.name}.", dir=path.parent))
    except OSError as error:
        raise OSError(
            f"The results cannot be written to {path} ({error.strerror}): choose another --output."
        ) from error
    try:
        yield partial
        partial.chmod(0o755)
        partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)  # still there after an error only


def free_name(path: Path) -> Path:
    """The path itself, or with a number behind it where something is there already, so that nothing is lost.

    Returns:
        `pathlib.Path` that does not exist.
    """
    names = itertools.chain([path], (path.with_name(f"{path.name}_{number}") for number in itertools.count(2)))
    return next(name for name in names if not name.exists())


def remove_leftovers(folder: str | Path) -> None:
    """Removes what writers that were killed left of their files.

    Args:
        folder: path, which no other process writes to.
    """
    for leftover in Path(folder).glob(f"{PARTIAL}*"):
        if not leftover.is_dir():
            leftover.unlink(missing_ok=True)


def check_writable(path: str | Path) -> None:
    """Checks that a folder can be made and written to, and leaves nothing: before work begins that may take long.

    Args:
        path: path of the folder; it and folders above it may be missing.

    Raises:
        OSError: if it cannot.
    """
    path = Path(path)
    # The nearest that is there; a link that leads nowhere is there too.
    there = next(each for each in (path, *path.absolute().parents) if os.path.lexists(each))
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"0")
    except OSError as error:
        reason = f"cannot be written to ({error.strerror})" if there.is_dir() else "is not a folder"
        raise type(error)(f"Nothing can be written to {path}: {there} {reason}. Choose another --output.") from error


def _sync(path):
    """Has a file or folder on the disk, not only in memory, before anything relies on it."""
    number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)
