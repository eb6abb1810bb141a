"""The text of a table: its encoding, its lines, and what a cell of numbers looks like."""

import codecs
import contextlib
import csv
import re
from pathlib import Path

# Characters that are looked at to find out what a table is like; more where its rows are longer.
_HEAD = 2**17
# Python holds each cell of a row as an object of its own.
BYTES_PER_CELL = 128
_SPECIAL = r"[+-]?(?:inf|infinity|nan|∞)"
_NUMBERS = {
    ".": re.compile(rf"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|{_SPECIAL}", re.IGNORECASE | re.ASCII),
    ",": re.compile(
        rf"[+-]?(?:\d{{1,3}}(?:\.\d{{3}})+|\d+)(?:,\d+)?(?:[eE][+-]?\d+)?|[+-]?,\d+(?:[eE][+-]?\d+)?|{_SPECIAL}",
        re.IGNORECASE | re.ASCII,
    ),
}
_BINARY = "samples in binary become .npy by numpy.fromfile with their dtype, and numpy.save."
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")


def is_number(cell: str, decimal: str) -> bool:
    """Whether a cell holds a number and nothing else.

    Args:
        cell: str, without blanks around it.
        decimal: str. `"."`, or `","` with dots between thousands.
    """
    return _NUMBERS[decimal].fullmatch(cell) is not None


def plain_number(cell: str, decimal: str) -> str:
    """A cell that is a number as Python writes it."""
    if decimal == ",":
        cell = cell.replace(".", "").replace(",", ".")
    return cell.replace("∞", "inf")


def split_cells(line: str, delimiter: str) -> list[str]:
    """Cells of a line, without blanks around them.

    Args:
        delimiter: str. `" "` for any blanks.
    """
    if delimiter == " ":
        return line.split()
    # A cell longer than the limit of the module is no number, whatever its quotes mean.
    if '"' in line:
        with contextlib.suppress(csv.Error):
            return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    return [cell.strip() for cell in line.split(delimiter)]


def without_empty_end(cells: list[str]) -> list[str]:
    """Cells less the empty ones that follow the last that is not, as trailing delimiters leave them."""
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


def find_encoding(path: Path, stated: str | None) -> tuple[str, str]:
    """Encoding of a text.

    Args:
        stated: str or `None`. What the sidecar states.

    Returns:
        A pair of str: the encoding, and a doubt or `""`.

    Raises:
        ValueError: where the bytes are no text.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if stated is not None:
        return stated, ""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return encoding, ""
    if b"\0" in head:
        raise ValueError(
            f"{str(path)!r} is not text in UTF-8: it holds zero bytes. Write the sidecar's 'encoding', such as "
            f'"utf-16-le", if it is text; {_BINARY}'
        )
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252", 'the text is not UTF-8 and was read as cp1252; write "encoding" if names or units look wrong'
    return "utf-8", ""


def read_head(path: Path, encoding: str, max_bytes: int) -> list[str]:
    """First whole lines of a text.

    Returns:
        A list of str, without the ends of the lines.

    Raises:
        ValueError: where it is no text in this encoding, or its lines are too long.
    """
    try:
        with path.open(encoding=encoding) as file:
            text = file.read(_HEAD)
            # A long row may be a trace: three rows are looked at, whatever their length.
            while text.count("\n") < 4 and (more := file.read(_HEAD)):
                if 4 * len(text) > max_bytes:
                    raise ValueError(
                        f"{str(path)!r} has lines of more than {len(text) // 4:,} characters, which may need more than "
                        f"the {max_bytes:,} bytes that are allowed. Raise 'max_bytes' in the sidecar, or save it as "
                        ".npy."
                    )
                text += more
            is_whole = not file.read(1)
    except UnicodeError as error:
        raise ValueError(
            f"{str(path)!r} is not text in {encoding}: {error}. Write the sidecar's 'encoding', such as \"cp1252\" or "
            f'"utf-16", if it is text; {_BINARY}'
        ) from error
    lines = text.split("\n")
    if not is_whole and len(lines) > 1:
        lines.pop()
    return lines
