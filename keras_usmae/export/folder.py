"""The export folder: written whole or not at all."""

import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from keras_usmae.files import check_writable

REPORT_FILE = "export.json"
LOCK_FILE = ".lock"
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_HARDLY_ANY = 2**20  # bytes; TensorFlow has errors of its own for a full disk


def check_output(path: str | Path) -> None:
    """Checks that an export may be written to a folder.

    Args:
        path: path of the folder. It may be absent, empty, or an earlier export, which will be replaced.

    Raises:
        FileExistsError: if something else is there.
        OSError: if it cannot be written to.
    """
    path = Path(path)
    if path.is_file() or (path.is_dir() and any(path.iterdir()) and not (path / REPORT_FILE).is_file()):
        raise FileExistsError(
            f"{path} is in use by something that is not an export (it has no {REPORT_FILE}). Choose another --output, "
            "or move it away."
        )
    check_writable(path)


@contextlib.contextmanager
def replacing_folder(path: str | Path) -> Iterator[Path]:
    """Yields a temporary folder beside `path` that takes its place when the block ends without an error.

    Args:
        path: path of the folder to write, or to replace.

    Raises:
        FileExistsError: if something that is not an export is there.
        OSError: if the disk is full; it names the folder, what was written, and what is free.
    """
    path = Path(path).resolve()
    check_output(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.partial.", dir=path.parent))
    lock = FileLock(partial / LOCK_FILE)
    lock.acquire()
    try:
        yield partial
        partial.chmod(0o755)
        lock.release()
        (partial / LOCK_FILE).unlink()
        if path.exists():
            # Never a moment in which neither of the two is whole.
            old = partial.with_name(partial.name + ".old")
            os.replace(path, old)
            os.replace(partial, path)
            shutil.rmtree(old)
        else:
            os.replace(partial, path)
    except Exception as error:
        free = shutil.disk_usage(path.parent).free
        if getattr(error, "errno", None) not in _NO_SPACE and free >= _HARDLY_ANY:
            raise
        written = sum(file.stat().st_size for file in partial.rglob("*") if file.is_file())
        raise OSError(
            f"{path} could not be written ({' '.join(str(error).split())[:200]}): {written / 1e6:,.1f} MB of it were, "
            f"and {free / 1e6:,.1f} MB are free there. An earlier export is as it was. Make room, or choose another "
            "--output."
        ) from error
    finally:
        lock.release()
        shutil.rmtree(partial, ignore_errors=True)


def _remove_leftovers(path):
    """Removes what exports that were killed left beside `path`; those that are at work have their lock."""
    for old in path.parent.glob(f".{path.name}.partial.*.old"):
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:  # killed between the two moves
            os.replace(old, path)
    for leftover in path.parent.glob(f".{path.name}.partial.*"):
        try:
            with FileLock(leftover / LOCK_FILE, timeout=0):
                pass
        except (Timeout, OSError):
            continue
        shutil.rmtree(leftover, ignore_errors=True)


def read_report(folder: str | Path) -> dict:
    """The figures of an earlier export.

    Returns:
        The dict that `write_report` wrote; an empty one where there is none, or it cannot be read.
    """
    try:
        report = json.loads((Path(folder) / REPORT_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return report if isinstance(report, dict) else {}


def write_report(folder: str | Path, report: dict) -> None:
    """Writes the figures of an export, the last file of a folder.

    Args:
        report: dict that `json` can write.
    """
    (Path(folder) / REPORT_FILE).write_text(json.dumps(report, indent=2) + "\n")
