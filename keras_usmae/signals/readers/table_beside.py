"""Settings that lie in a file of their own beside the numbers, as Rohde & Schwarz' RTO writes them."""

from pathlib import Path

from keras_usmae.signals.readers.facts import Fact, fact_of

# `scan.Wfm.csv` has the numbers, and `scan.csv` a setting in each line, as `XStart:-1e-06:`.
_NUMBERS_END = ".wfm.csv"
_WORDS = {"Resolution": "sample interval [s]", "XStart": "start time [s]", "VerticalUnit": "vertical unit"}
_LONGEST = 2**16


def settings_file(path: Path) -> Path | None:
    """Path of the settings of a table, or `None` where it has none beside it."""
    if not path.name.lower().endswith(_NUMBERS_END):
        return None
    beside = path.with_name(path.name[: -len(_NUMBERS_END)] + path.suffix)
    return beside if beside.is_file() and not beside.is_symlink() else None


def facts_beside(path: Path) -> list[Fact]:
    """What the settings beside a table say of its rate, start and unit.

    Returns:
        A list of `Fact`; empty where there are no settings beside it.
    """
    beside = settings_file(path)
    if beside is None:
        return []
    with beside.open(encoding="utf-8", errors="replace") as file:
        text = file.read(_LONGEST)
    pairs = (line.strip().split(":")[:2] for line in text.splitlines() if ":" in line)
    stated = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
    facts = (
        fact_of(word, stated[key], f"setting {key!r} of {beside.name!r}")
        for key, word in _WORDS.items()
        if key in stated
    )
    return [fact for fact in facts if fact is not None]
