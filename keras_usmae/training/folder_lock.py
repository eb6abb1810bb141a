"""A run folder belongs to one process at a time."""

from pathlib import Path

from filelock import FileLock, Timeout

LOCK_FILE = ".lock"
_held = {}


def lock_folder(folder: str | Path) -> None:
    """Takes a folder for this process until it ends, however it ends.

    Two processes that go on with one run would both train, and each replace the other's checkpoint.

    Args:
        folder: path of a folder that exists.

    Raises:
        FileExistsError: if another process has it.
    """
    path = Path(folder).resolve() / LOCK_FILE
    if path in _held and path.exists():
        return
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise FileExistsError(
            f"Another process is at work in the run folder {folder}. Wait until it is done, end it and go on with "
            "--resume, or choose another --output."
        ) from None
    _held[path] = lock
