"""Grids of experiments: each cell is run once, by whichever process comes to it first, and is kept."""

import hashlib
import json
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from scipy import stats

from keras_usmae.files import write_json


def cell_file(folder, cell):
    """The file that holds the result of a cell.

    Args:
        folder: path of the experiment.
        cell: dict of plain values that decide the result.

    Returns:
        `pathlib.Path`.
    """
    text = json.dumps(cell, sort_keys=True)
    return Path(folder) / "cells" / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"


def run_cells(cells, run, folder):
    """Runs the cells that have no result yet.

    Start the same experiment in several processes to share the work: a cell that another process is at is left to it.
    A cell that was interrupted leaves nothing, and is run again.

    Args:
        cells: list of dicts of plain values.
        run: function from a cell to a dict of results.
        folder: path of the experiment.

    Returns:
        List of dicts, cell and results together, of all cells that are done.

    Example:

    ```python
    rows = run_cells([{"seed": seed} for seed in range(5)], lambda cell: {"square": cell["seed"] ** 2}, "runs/mine")
    ```
    """
    (Path(folder) / "cells").mkdir(parents=True, exist_ok=True)
    for number, cell in enumerate(cells, start=1):
        path = cell_file(folder, cell)
        try:
            with FileLock(f"{path}.lock", timeout=0):
                if path.exists():
                    continue
                name = ", ".join(f"{key} {value}" for key, value in cell.items())
                print(f"[{number}/{len(cells)}] {name}", flush=True)
                write_json(path, {"cell": cell, "result": run(cell)})
        except Timeout:
            continue  # another process is at it
    return read_cells(cells, folder)


def read_cells(cells, folder):
    """Reads the results of the cells that are done; see `run_cells`."""
    files = (cell_file(folder, cell) for cell in cells)
    contents = (json.loads(path.read_text()) for path in files if path.exists())
    return [{**content["cell"], **content["result"]} for content in contents]


def summarize(rows, by, values):
    """Mean and spread over the rows that agree in `by`, such as those of all seeds.

    Args:
        rows: list of dicts.
        by: tuple of str, keys of the groups, in their order of appearance.
        values: tuple of str, keys to average.

    Returns:
        List of dicts: the keys of `by`, `n`, and for each value `NAME_mean` and `NAME_std` (sample standard deviation,
        NaN for one row).

    Example:

    ```python
    summarize([{"x": 1, "y": 2.0}, {"x": 1, "y": 4.0}], by=("x",), values=("y",))  # y_mean 3.0, y_std 1.41
    ```
    """
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in by), []).append(row)
    table = []
    for key, members in groups.items():
        line = {**dict(zip(by, key, strict=True)), "n": len(members)}
        for name in values:
            column = np.array([row[name] for row in members], "float64")
            line[f"{name}_mean"] = float(column.mean())
            line[f"{name}_std"] = float(column.std(ddof=1)) if len(column) > 1 else float("nan")
        table.append(line)
    return table


def paired_test(rows, value, contender, reference, key="contender", pair="seed"):
    """Paired t-test of two contenders over the seeds that both have.

    Args:
        rows: list of dicts.
        value: str, key of the compared value.
        contender: value of `key` of the rows to judge.
        reference: value of `key` of the rows to compare with.
        key: str. Defaults to `"contender"`.
        pair: str, key of what is equal in a pair. Defaults to `"seed"`.

    Returns:
        A dict of `difference` (mean of contender minus reference), `low` and `high` (its 95 % confidence interval),
        `p_value` and `n`.

    Raises:
        ValueError: if there are fewer than two pairs.

    Example:

    ```python
    paired_test(rows, "accuracy", "pre-trained", "from scratch")["p_value"]
    ```
    """
    columns = [{row[pair]: row[value] for row in rows if row[key] == name} for name in (contender, reference)]
    shared = sorted(set(columns[0]) & set(columns[1]))
    if len(shared) < 2:
        raise ValueError(
            f"A paired test needs two or more {pair}s that both {contender!r} and {reference!r} have; there are "
            f"{len(shared)}. Run the experiment to its end, or with more seeds."
        )
    result = stats.ttest_rel(*[[column[name] for name in shared] for column in columns])
    low, high = result.confidence_interval()
    difference = np.mean([columns[0][name] - columns[1][name] for name in shared])
    return {
        "difference": float(difference),
        "low": float(low),
        "high": float(high),
        "p_value": float(result.pvalue),
        "n": len(shared),
    }
