"""What a search found: rows, tables, and TensorBoard HParams."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from keras_tuner.engine.trial import TrialStatus
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import summary_v2
from tensorboard.summary.writer.event_file_writer import EventFileWriter

if TYPE_CHECKING:
    import keras_tuner

    from keras_usmae.tuning.search_space import SearchSpace

COSTS = ("flash", "arena", "macs")


def trial_rows(oracle: "keras_tuner.Oracle", space: "SearchSpace", cost: Callable | None = None) -> list[dict]:
    """A row for each trial that is done, in the order in which they began.

    Args:
        oracle: `keras_tuner.Oracle`.
        space: `SearchSpace`.
        cost: function from values to a `Footprint`. Defaults to `None`, no costs.

    Returns:
        List of dicts: `trial`, `status`, the scores, `flash`, `arena` (bytes) and `macs`, and the chosen settings. The
        keys are the same in all; what a row has no value for is empty.
    """
    done = [oracle.trials[name] for name in oracle.start_order if name in oracle.end_order]
    scores = list(dict.fromkeys(name for trial in done for name in trial.metrics.metrics))
    scores.sort(key=lambda name: name != oracle.objective.name)
    rows = []
    for trial in done:
        row = {"trial": trial.trial_id, "status": trial.status.lower()}
        for name in scores:
            known = trial.metrics.exists(name) and trial.metrics.get_history(name)
            row[name] = float(f"{trial.metrics.get_last_value(name):.6g}") if known else ""
        values = trial.hyperparameters.values
        footprint = cost(values) if cost and values else None  # none of a trial whose file was damaged
        row |= {name: getattr(footprint, name, None) or "" for name in COSTS}
        chosen = space.chosen(values)
        rows.append({**row, **{name: chosen.get(name, "") for name in space.dimensions}})
    return rows


def best_first(rows: list, objective: tuple) -> list[dict]:
    """The rows of completed trials, the best first, of equals the one that began first.

    Args:
        rows: list from `trial_rows`.
        objective: tuple of a score's name and `"min"` or `"max"`.
    """
    name, direction = objective
    sign = 1 if direction == "min" else -1
    completed = [row for row in rows if row["status"] == TrialStatus.COMPLETED.lower()]
    return sorted(completed, key=lambda row: sign * row[name])


def pareto_front(rows: list, objective: tuple, cost: str = "flash") -> list[dict]:
    """The rows of completed trials of which none is both better and smaller, from the smallest on.

    Args:
        rows: list from `trial_rows`.
        objective: tuple of a score's name and `"min"` or `"max"`.
        cost: str, one of `COSTS`; rows without it are left out. Defaults to `"flash"`.
    """
    front = []
    candidates = [row for row in best_first(rows, objective) if row[cost] != ""]
    for row in candidates:  # from the best on: what comes later must be smaller
        if not front or row[cost] < front[-1][cost]:
            front.append(row)
    return front[::-1]


def markdown_table(rows: list, objective: tuple, count: int = 20) -> str:
    """The best trials as a Markdown table.

    Args:
        rows: list from `trial_rows`.
        objective: tuple of a score's name and `"min"` or `"max"`.
        count: int, rows at most. Defaults to `20`.
    """
    best = best_first(rows, objective)[:count]
    if not best:
        return "No trial is complete.\n"
    columns = [name for name in best[0] if name != "status" and any(row[name] != "" for row in best)]
    lines = [" | ".join(columns), " | ".join("---" for _ in columns)]
    lines += [" | ".join(_cell(row[name]) for name in columns) for row in best]
    return "".join(f"| {line} |\n" for line in lines)


def write_hparams(folder: str | Path, rows: list, space: "SearchSpace", objective: tuple) -> None:
    """Writes the trials for TensorBoard's HParams, without TensorFlow.

    Args:
        folder: path of the log directory; each trial has a folder in it. Trials that are there already are left.
        rows: list from `trial_rows`.
        space: `SearchSpace`.
        objective: tuple of a score's name and `"min"` or `"max"`.
    """
    folder = Path(folder)
    completed = best_first(rows, objective)
    if not completed:
        return
    scores = [name for name, value in completed[0].items() if isinstance(value, int | float)]
    scores = [name for name in scores if name not in space.dimensions]
    if not folder.exists():
        config = summary_v2.hparams_config_pb(
            hparams=[summary_v2.HParam(name, _domain(dimension)) for name, dimension in space.dimensions.items()],
            metrics=[summary_v2.Metric(name) for name in scores],
        )
        _write_events(folder, [config])
    for row in completed:
        run = folder / row["trial"]
        if run.exists():
            continue
        chosen = {name: row[name] for name in space.dimensions if row[name] != ""}
        values = [Summary.Value(tag=name, simple_value=row[name]) for name in scores if row[name] != ""]
        _write_events(run, [summary_v2.hparams_pb(chosen, trial_id=row["trial"]), Summary(value=values)])


def _domain(dimension):
    if dimension.choice:
        return summary_v2.Discrete(list(dimension.choice))
    interval = summary_v2.IntInterval if isinstance(dimension.low, int) else summary_v2.RealInterval
    return interval(dimension.low, dimension.high)


def _write_events(folder, summaries):
    writer = EventFileWriter(str(folder))
    for summary in summaries:
        writer.add_event(Event(wall_time=time.time(), step=0, summary=summary))
    writer.close()


def _cell(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)
