"""Grids of experiments: each trial is run once, by whichever process comes to it first, and is kept."""

import hashlib
import json
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from scipy import stats

from keras_usmae.files import write_json

_FOLDER = "cells"


def trial_file(folder, trial):
    """The file that holds the result of a trial.

    Args:
        folder: path of the experiment.
        trial: dict of plain values that decide the result.
    """
    # The words of earlier versions: a result that was computed once is found again.
    text = json.dumps({"contender" if key == "method" else key: trial[key] for key in trial}, sort_keys=True)
    return Path(folder) / _FOLDER / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"


def run_trials(trials, run, folder):
    """Runs the trials that have no result yet.

    Start the same experiment in several processes to share the work: a trial that another process is at is left to it.
    A trial that was interrupted leaves nothing, and is run again.

    Args:
        trials: list of dicts of plain values.
        run: function from a trial to a dict of results.
        folder: path of the experiment.

    Returns:
        List of dicts, trial and results together, of all trials that are done.

    Example:

    ```python
    rows = run_trials([{"seed": seed} for seed in range(5)], lambda trial: {"square": trial["seed"] ** 2}, "runs/mine")
    ```
    """
    (Path(folder) / _FOLDER).mkdir(parents=True, exist_ok=True)
    for number, trial in enumerate(trials, start=1):
        path = trial_file(folder, trial)
        try:
            with FileLock(f"{path}.lock", timeout=0):
                if path.exists():
                    continue
                name = ", ".join(f"{key} {value}" for key, value in trial.items())
                print(f"[{number}/{len(trials)}] {name}", flush=True)
                write_json(path, {"trial": trial, "result": run(trial)})
        except Timeout:
            continue  # another process is at it
    return read_trials(trials, folder)


def read_trials(trials, folder):
    """Reads the results of the trials that are done; see `run_trials`."""
    files = ((trial, trial_file(folder, trial)) for trial in trials)
    return [{**trial, **json.loads(path.read_text())["result"]} for trial, path in files if path.exists()]


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


def paired_test(rows, value, method, reference, key="method", pair="seed"):
    """Paired t-test of two methods over the seeds that both have.

    Args:
        rows: list of dicts.
        value: str, key of the compared value.
        method: value of `key` of the rows to judge.
        reference: value of `key` of the rows to compare with.
        key: str. Defaults to `"method"`.
        pair: str, key of what is equal in a pair. Defaults to `"seed"`.

    Returns:
        A dict of `difference` (mean of method minus reference), `low` and `high` (its 95 % confidence interval),
        `p_value` and `n`.

    Raises:
        ValueError: if there are fewer than two pairs.

    Example:

    ```python
    paired_test(rows, "accuracy", "pre-trained", "from scratch")["p_value"]
    ```
    """
    columns = [{row[pair]: row[value] for row in rows if row[key] == name} for name in (method, reference)]
    shared = sorted(set(columns[0]) & set(columns[1]))
    if len(shared) < 2:
        raise ValueError(
            f"A paired test needs two or more {pair}s that both {method!r} and {reference!r} have; there are "
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
