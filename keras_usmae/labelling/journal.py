"""A journal: lines that are on the disk before anybody is told that they are kept."""

import json
import os
from pathlib import Path


class Journal:
    """Entries, a line of JSON each, that only grow.

    An entry is appended by one write and one fsync. What a process that was killed left of a line at the end was never
    told to be kept; it is cut off when the journal is opened.

    Args:
        path: path of the file; it need not exist.

    Attributes:
        entries: list of dict, those that were in the file when it was opened.

    Raises:
        ValueError: where a line ahead of the last is no JSON.
        OSError: where the file cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        is_new = not self.path.exists()
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.ftruncate(self._file, whole)
            os.fsync(self._file)
        self.entries = [self._parse(number, line) for number, line in enumerate(content[:whole].splitlines(), 1)]
        self._end = whole
        if is_new and os.name == "posix":  # Windows cannot open a folder
            folder = os.open(self.path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)

    def append(self, entry: dict) -> None:
        """Adds an entry; it is on the disk when this returns.

        Args:
            entry: dict that JSON can hold.

        Raises:
            OSError: where it could not be written; the journal is then as it was.
        """
        line = json.dumps(entry, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        try:
            os.lseek(self._file, self._end, os.SEEK_SET)
            written = 0
            while written < len(line):
                written += os.write(self._file, line[written:])
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, self._end)
            raise
        self._end += len(line)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._file)

    def _parse(self, number, line):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"Line {number} of {str(self.path)!r} is no JSON: the journal was changed by hand. Restore it from a "
                "copy, or move it away to begin anew; labels.csv beside it has the labels so far."
            ) from error
        if not isinstance(entry, dict):
            raise ValueError(f"Line {number} of {str(self.path)!r} is no entry of a journal.")
        return entry
