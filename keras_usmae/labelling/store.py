"""The folder of a session: its journal, its table, and the lock that keeps it for one process."""

import contextlib
import datetime
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from keras_usmae.files import check_writable, remove_leftovers
from keras_usmae.labelling.journal import Journal
from keras_usmae.labelling.labels import Labels
from keras_usmae.labelling.table import COLUMNS, LabelTable

if TYPE_CHECKING:
    pass


JOURNAL, TABLE = "journal.jsonl", "labels.csv"
_PIECES, _PIECE = 512, 1 << 16  # of a digest: all of a file of up to 32 MB


class LabelStore:
    """Labels of a scan in a folder. Whoever opens it holds `lock_labels`.

    Args:
        folder: path of the folder. It is made where it is not there.
        scan: dict with `"traces"`, `"samples"` and `"digest"`, what the labels are of.
        echoes: sequence of str. Names of the echoes, in order of arrival.
        place: function from a trace to its file's name and its number in the file.
        who: str. Who labels. Defaults to `""`.

    Attributes:
        labels: `Labels`.
        table: `LabelTable`.

    Raises:
        ValueError: where the labels in it are of another scan, or the name of an echo is that of another column.
        OSError: where it cannot be written to.

    Example:

    ```python
    import tempfile
    from keras_usmae.labelling import LabelStore

    scan = {"traces": 3, "samples": 2048, "digest": ""}
    store = LabelStore(tempfile.mkdtemp(), scan, ["front"], lambda trace: ("scan.npy", trace))
    store.add("front", "sure", [1], [812.5], how="accepted")
    store.undo()
    store.close()
    ```
    """

    def __init__(
        self,
        folder: str | Path,
        scan: dict[str, Any],
        echoes: Sequence[str],
        place: Callable[[int], tuple[str, int]],
        who: str = "",
    ) -> None:
        if clash := sorted(set(echoes) & set(COLUMNS)):
            raise ValueError(
                f"An echo cannot be called {clash[0]!r}, a column of the table. Give its gate another name."
            )
        self.folder = Path(folder)
        self.who = who
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.folder)
        self._journal = Journal(self.folder / JOURNAL)
        self.labels = Labels(scan["traces"], scan["samples"])
        self._replay(scan)
        self.table = LabelTable(self.folder / TABLE, self.labels, echoes, place)

    def add(
        self, echo: str, mark: str, traces: Sequence[int], onsets: Sequence[float] | None = None, how: str = ""
    ) -> list[int]:
        """Keeps labels; they are on the disk when this returns.

        Args:
            echo: str.
            mark: str, one of `MARKS` but the first.
            traces: list of int.
            onsets: list of float, samples, or `None` for no echo. Defaults to `None`.
            how: str. How they came about, such as `"accepted"`. Defaults to `""`.

        Returns:
            List of int, the traces that changed.

        Raises:
            ValueError: where a value cannot be.
            OSError: where it could not be written; nothing is changed then.
        """
        entry = {"kind": "label", "echo": echo, "mark": mark, "traces": traces, "how": how, "who": self.who}
        if onsets is not None:
            # Two decimals, as the table has them: what is read back is what was kept.
            last = self.labels.num_samples
            entry["onsets"] = [min(round(float(o), 2), last - 0.01) if o < last else float(o) for o in onsets]
        return self._keep(entry)

    def undo(self) -> tuple[str, list[int]]:
        """Takes back the last entry that is not taken back yet.

        Returns:
            Tuple of the echo's name and a list of int, the traces that changed.

        Raises:
            ValueError: where there is none.
        """
        last = self.labels.last_undoable()
        changed = self._keep({"kind": "undo"})
        assert last is not None  # else there was nothing to undo, which was told
        return last["echo"], changed

    def close(self) -> None:
        """Writes the table a last time."""
        self.table.close()
        self._journal.close()

    def _keep(self, entry):
        entry["when"] = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self.labels.check(entry)
        self._journal.append(entry)
        changed = self.labels.apply(entry)
        self.table.renew(changed)
        return changed

    def _replay(self, scan):
        entries = self._journal.entries
        if not entries:
            self._journal.append({"kind": "scan", **scan})
            return
        there = {key: entries[0].get(key) for key in scan}
        if there != scan:
            raise ValueError(
                f"The labels in {self.folder} are of another scan: {there} there, {scan} now. Choose another --output, "
                "or correct the options that say how the file is read."
            )
        for entry in entries[1:]:
            self.labels.apply(entry)


@contextlib.contextmanager
def lock_labels(folder: str | Path) -> Iterator[None]:
    """Context in which a folder of labels belongs to this process alone, however it ends.

    Args:
        folder: path of the folder. It is made where it is not there.

    Raises:
        FileExistsError: where another process has it.
        OSError: where it cannot be written to.
    """
    folder = Path(folder)
    check_writable(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise FileExistsError(
            f"Another `usmae label` has the labels in {folder}. Go on at its page, end it by Ctrl-C, or choose another "
            "--output."
        ) from None
    try:
        yield
    finally:
        lock.release()


def digest_files(paths: Iterable[Path]) -> str:
    """A digest of the contents of files. Of a large one, pieces evenly spread over it and its end are looked at.

    Args:
        paths: sequence of paths.
    """
    digest = hashlib.sha256()
    for path in paths:
        size = path.stat().st_size
        digest.update(f"{size}\n".encode())
        with path.open("rb") as file:
            for place in range(0, size, max(size // _PIECES, _PIECE)):
                file.seek(place)
                digest.update(file.read(_PIECE))
            file.seek(max(size - _PIECE, 0))
            digest.update(file.read())
    return digest.hexdigest()[:32]
