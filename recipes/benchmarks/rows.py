"""Rows of a benchmark's table, and its memory of earlier runs."""

import datetime

import numpy as np

from recipes.benchmarks.machine import QUIET

HISTORY_FILE = "history.json"
_WHOLE = ("signals/s", "traces/s", "MiB", "GFLOP/s")


def row(what, values, unit, sign=None, bound=None, others=()):
    """A row of the table: median, smallest and largest, and whether a target is met.

    Args:
        what: str, name of the row, one of a kind.
        values: sequence of float, one a round.
        unit: str.
        sign: str, `">="` or `"<="`, of a target, or `None`.
        bound: float, the target.
        others: sequence of float, cores that others took meanwhile, NaN where that was not measured. Defaults to `()`.

    Returns:
        dict.
    """
    median, low, high = (float(function(values)) for function in (np.median, np.min, np.max))
    result = {"what": what, "median": median, "low": low, "high": high, "unit": unit}
    if np.isfinite(others).any():
        result["others"] = float(np.nanmax(others))
    if sign:
        result |= {"target": f"{sign} {bound}", "met": bool(median >= bound if sign == ">=" else median <= bound)}
    return result


def print_table(rows, earlier=None):
    """Prints rows as a Markdown table, and what was not measured in quiet.

    Args:
        rows: list of dicts of `row`.
        earlier: dict as an entry of the history, or `None`.
    """
    past = {} if earlier is None else earlier["rows"]
    before = f" {earlier['date']} |" if earlier else ""
    print(f"| | median | lowest to highest | | target | |{before}")
    print(f"| --- | ---: | ---: | --- | --- | --- |{' ---: |' if earlier else ''}")
    for line in rows:
        digits = 0 if line["unit"] in _WHOLE else 2
        numbers = [f"{line[name]:,.{digits}f}" for name in ("median", "low", "high")]
        spread = f"{numbers[1]} to {numbers[2]}" if line["low"] != line["high"] else ""
        met = {True: "met", False: "missed"}.get(line.get("met"), "")
        then = f" {past[line['what']]:,.{digits}f} |" if line["what"] in past else " |" if earlier else ""
        cells = (line["what"], numbers[0], spread, line["unit"], line.get("target", ""), met)
        print(f"| {' | '.join(cells)} |{then}")
    loud = [line for line in rows if line.get("others", 0) > QUIET]
    if loud:
        print(f"\nNot in quiet, since others took more than {QUIET} cores (the most that they took in a round):")
        for line in loud:
            print(f"  {line['others']:.1f}  {line['what']}")


def remembered(history, processor):
    """The last earlier run on a processor of this name, or `None`."""
    return next((run for run in reversed(history) if run["processor"] == processor), None)


def remember(history, processor, rows):
    """A history with one more run: its date, processor, and the median of each row."""
    date = datetime.datetime.now().strftime("%Y-%m-%d %H:%M")
    return [*history, {"date": date, "processor": processor, "rows": {each["what"]: each["median"] for each in rows}}]
