"""The table of picks: a .csv that grows row by row and the same as .npz, without the rows ever being in memory."""

import contextlib
import csv
import shutil
import zipfile
from pathlib import Path

import numpy as np

_DECIMALS = {"us": 4, "mm": 4, "db": 1}


class PickTable:
    """A table on the disk that grows block by block.

    The rows go to the .csv at once, and as numbers to one binary file for each column, which `columns` maps: what is
    counted and drawn in the end is read from there, so that memory does not grow with the number of traces.

    Args:
        folder: path of a folder that exists. `picks.csv` and `picks.npz` are written there, and a folder `columns`
            until the table is closed.
        kinds: dict from the name of each column to its NumPy dtype, or to `str` for a column of a few texts that
            repeat, such as file and flag: it holds their numbers. A name that starts with `_` is for `columns` only.
    """

    def __init__(self, folder: str | Path, kinds: dict) -> None:
        self.folder = Path(folder)
        self.kinds = kinds
        self.num_rows = 0
        self._texts = {name: {} for name, kind in kinds.items() if kind is str}
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        self._parts = self.folder / "columns"
        self._parts.mkdir()
        self._files = {name: self._open(self._parts / name, "wb") for name in self.kinds}
        # The byte order mark tells spreadsheets that the text is UTF-8.
        self._csv = csv.writer(self._open(self.folder / "picks.csv", "w", newline="", encoding="utf-8-sig"))
        self._csv.writerow(filter(_is_public, self.kinds))
        return self

    def __exit__(self, *error):
        self._stack.close()
        shutil.rmtree(self._parts, ignore_errors=True)

    def _open(self, path, *mode, **options):
        return self._stack.enter_context(path.open(*mode, **options))

    def append(self, rows: dict) -> None:
        """Adds rows.

        Args:
            rows: dict from the name of each column to a sequence of its values, all of one length.
        """
        cells, length = [], 0
        for name, kind in self.kinds.items():
            values = rows[name]
            if kind is str:
                known = self._texts[name]
                numbers = np.array([known.setdefault(text, len(known)) for text in values], "int32")
                cells.append(list(values))
            else:
                numbers = np.asarray(values, kind)
                if _is_public(name):
                    cells.append(_to_text(numbers, _DECIMALS.get(name.rsplit("_", 1)[-1])))
            self._files[name].write(np.ascontiguousarray(numbers).tobytes())
            length = len(numbers)
        self._csv.writerows(zip(*cells, strict=True))
        self.num_rows += length

    def columns(self) -> dict[str, np.ndarray]:
        """The columns so far, mapped from the disk: a dict from name to an array of shape `(num_rows,)`.

        A column of texts is of integers, see `texts`.
        """
        for file in self._files.values():
            file.flush()
        return {name: self._map(name, "int32" if kind is str else kind) for name, kind in self.kinds.items()}

    def texts(self, name: str) -> list[str]:
        """The different texts of a column, in the order of their numbers: a list of str."""
        return list(self._texts[name])

    def save_npz(self) -> None:
        """Writes `picks.npz`: the columns, and for each column of texts `NAME_texts` that its numbers point into."""
        texts = {f"{name}_texts": np.array(list(known), dtype=str) for name, known in self._texts.items()}
        columns = {name: column for name, column in self.columns().items() if _is_public(name)}
        # As np.savez_compressed does, which cannot have an array called "file".
        with zipfile.ZipFile(self.folder / "picks.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in {**columns, **texts}.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, array, allow_pickle=False)

    def _map(self, name, dtype):
        if not self.num_rows:
            return np.empty(0, dtype)
        return np.memmap(self._parts / name, dtype=dtype, mode="r")


def _is_public(name):
    return not name.startswith("_")


def _to_text(numbers, decimals):
    """Cells of a column of numbers; what is not known is an empty cell."""
    if numbers.dtype.kind != "f":
        return numbers.tolist()
    form = "{:.6g}" if decimals is None else f"{{:.{decimals}f}}"
    return [form.format(value) if value == value else "" for value in numbers.tolist()]
