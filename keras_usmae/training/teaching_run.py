"""Teaching of a picker from labelled recordings: from files to a run folder that `predict.py --run` takes."""

import dataclasses
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from keras_usmae.configs import TeachConfig
from keras_usmae.files import check_free, save_figure, whole_folder, write_csv, write_json
from keras_usmae.picker import EchoPicker
from keras_usmae.picker.echo_table import LEAST_LABELS, MOST_ERROR, SURE, EchoTable, hold_out
from keras_usmae.picker.engines import KerasEngine, write_engine_of_run
from keras_usmae.picker.recording_scales import RecordingScales
from keras_usmae.picker.report import load_picker
from keras_usmae.picker.scale import as_scale
from keras_usmae.picker.settings import DETECTOR_FILE, PredictConfig, TraceConfig
from keras_usmae.picker.source import Source, count
from keras_usmae.training.run_folder import save_model
from keras_usmae.training.teaching import teach
from keras_usmae.training.teaching_windows import LabelledTraces


@dataclasses.dataclass(frozen=True, eq=False)
class _Labelled:
    """The labelled traces of a file; the others are not kept.

    Args:
        file: str, its name.
        signals: float32 array of shape `(n, L)`.
        sampling_rate: float, Hz.
        start_time: float, s.
        place: int array of shape `(n,)`, places of the traces in the file.
        table: `EchoTable` of `k` labels, whose traces are rows of `signals` and whose gates are numbers of echoes.
        number: int array of shape `(k,)`, places of the labelled traces among those of all files.
        group: list of `k` str or `None`.
    """

    file: str
    signals: np.ndarray
    sampling_rate: float
    start_time: float
    place: np.ndarray
    table: EchoTable
    number: np.ndarray
    group: list[str] | None


def teach_recordings(config: TeachConfig, traces: TraceConfig, output: str | Path, verbose: int = 1) -> dict:
    """Teaches a picker the labels of recordings, and scores it before and after on those that it did not learn.

    About a fifth of the labels is held out, in stretches of 16 neighbouring traces or by the groups of the sidecar. The
    folder appears once it is whole: `detector.keras`, for LiteRT `detector.tflite`, `config.json`, `metrics.json`,
    `held_out.csv` and `held_out.png`.

    Args:
        config: `TeachConfig`.
        traces: `TraceConfig`: what to read, and the picker to begin with. Its sidecar names the labels.
        output: path of the folder, which must not exist.
        verbose: int, `0` for no progress bar. Defaults to `1`.

    Returns:
        The content of `metrics.json`, a dict: `"labels"` that were learnt, `"held_out"` ones, and of these `"before"`
        and `"after"`, each with its `"traces"`, `"mean_error_ns"`, `"median_error_ns"`, `"far"` (the share whose
        nearest pick is more than 64 samples of the network off, and counts as these) and `"in_interval"` (the share in
        the 95 % interval of the nearest pick).

    Raises:
        ValueError: where no file can be read, or fewer than 8 labels are there.
        OSError: where there is nothing to read, or the folder exists or cannot be written.

    Example:

    ```python
    teach_recordings(TeachConfig(), TraceConfig("scan.npy", sidecar="scan.toml"), "runs/teach_scan")["after"]
    ```
    """
    started = time.monotonic()
    fixed = None if traces.scale is None else as_scale(traces.scale)
    check_free(output)
    source = Source(traces.source, traces.sidecar, traces.stated, lambda recording: None)
    ahead = source.ahead
    parts, rejected = _read_labels(source)
    picker = load_picker(PredictConfig("", preset=traces.preset, run=traces.run, engine="keras"))
    assert isinstance(picker.engine, KerasEngine), "it was asked for"
    detector, scales = picker.engine.detector, RecordingScales(picker, fixed, ahead)
    del ahead  # whole recordings, of which the labelled traces are enough from here on
    keras.utils.set_random_seed(config.seed)
    with whole_folder(output) as folder:
        held = _held_out(parts)
        before = _held_out_rows(picker, parts, held, scales)
        learnt = [_to_learn(part, ~rows, scales.of(part)) for part, rows in zip(parts, held, strict=True)]
        with tqdm(total=config.steps, unit=" steps", desc="Teaching", disable=None if verbose else True) as bar:
            teach(detector, learnt, config, lambda step: bar.update(step - bar.n))
        after = _held_out_rows(EchoPicker(detector), parts, held, scales)
        save_model(folder / DETECTOR_FILE, detector)
        write_engine_of_run(folder)
        metrics: dict[str, Any] = {
            "labels": int(sum((~rows).sum() for rows in held)),
            "held_out": len(after),
            "before": _score(before),
            "after": _score(after),
            "files": len(source.files),
            "failed": {str(path): reason for path, reason in source.failed.items()},
            "rejected": rejected,
            "doubts": [*source.doubts, *_ungrouped(parts)],
            "scales": sorted({scales.of(part).why if fixed is None else str(fixed) for part in parts}),
            "seconds": time.monotonic() - started,
        }
        write_json(folder / "config.json", dataclasses.asdict(traces) | dataclasses.asdict(config))
        write_json(folder / "metrics.json", metrics)
        if after:
            told = ("file", "trace", "echo", "label_us")
            rows = [
                {key: new[key] for key in told} | {"before_us": old["nearest_us"], "after_us": new["nearest_us"]}
                for old, new in zip(before, after, strict=True)
            ]
            rows = [{key: round(each, 4) if key.endswith("_us") else each for key, each in row.items()} for row in rows]
            write_csv(folder / "held_out.csv", rows)
            save_figure(_plot(before, after), folder / "held_out.png")
    return metrics


def _read_labels(source):
    """The labelled traces of all files, a list of `_Labelled`; and the traces that cannot be used, a list of str."""
    parts, rejected, before = [], [], 0
    for _, recording in source.recordings():
        if recording is None:
            continue
        if recording.onset is not None:
            onset = np.stack([recording.onset, *recording.later_onsets.values()])
            echo, trace = np.nonzero(np.isfinite(onset))
            rows, row = np.unique(trace, return_inverse=True)
            part = _Labelled(
                file=Path(recording.source).name,
                signals=recording.signals[rows],
                sampling_rate=recording.sampling_rate,
                start_time=recording.start_time,
                place=recording.index[rows],
                table=EchoTable(row, echo, np.full(len(row), SURE), onset[echo, trace]),
                number=before + recording.index[trace],
                group=None if recording.groups is None else [recording.groups[each] for each in trace],
            )
            parts += [part] if len(part.table) else []
        rejected += [f"{recording.source}: {name}: {reason}" for name, reason in recording.rejected]
        before += count(recording)
    total = sum(len(part.table) for part in parts)
    if total < LEAST_LABELS:
        unread = f", and {len(source.failed)} files unread" if source.failed else ""
        raise ValueError(
            f"{total or 'No'} labels in {str(source.path)!r}, which has {before:,} traces{unread}: {LEAST_LABELS} or "
            'more are expected. Name the onsets in the sidecar, such as onset = { key = "tof", unit = "us" }, or label '
            "some traces with usmae label."
        )
    return parts, rejected


def _held_out(parts):
    """Which labels of each part are held out: a list of bool arrays."""
    number = np.concatenate([part.number for part in parts])
    group = None
    if all(part.group is not None for part in parts):
        group = [name for part in parts for name in part.group]
    return np.split(hold_out(number, group), np.cumsum([len(part.table) for part in parts])[:-1])


def _ungrouped(parts):
    """A doubt where some files have groups and others none."""
    without = [part.file for part in parts if part.group is None]
    if not without or len(without) == len(parts):
        return []
    return [f"{without[0]} has no groups, so that stretches of neighbours are held out in place of groups"]


def _to_learn(part, rows, scale):
    return LabelledTraces(part.signals.__getitem__, part.signals.shape[1], part.table.select(rows), scale)


def _held_out_rows(picker, parts, held, scales):
    """Each held-out label with its nearest pick: a list of dicts."""
    rows = []
    for part, chosen in zip(parts, held, strict=True):
        table, scale = part.table.select(chosen), scales.of(part)
        if not len(table):
            continue
        most = MOST_ERROR / scale.ratio / part.sampling_rate
        signals = part.signals[table.trace]
        picks = picker.pick(signals, part.sampling_rate, part.start_time, scale=scale, batch_size=64)
        label = table.onset / part.sampling_rate + part.start_time
        nearest = picks.nearest(label)
        tof, (low, high) = nearest.of_each_trace("tof"), nearest.of_each_trace("interval").T
        error = np.nan_to_num(np.abs(tof - label), nan=np.inf)
        rows += [
            {
                "file": part.file,
                "trace": int(part.place[table.trace[row]]),
                "echo": int(table.gate[row]) + 1,
                "label_us": 1e6 * label[row],
                "nearest_us": 1e6 * tof[row],
                "error_ns": 1e9 * min(error[row], most),
                "far": bool(error[row] > most),
                "in_interval": bool(low[row] <= label[row] <= high[row]),
            }
            for row in range(len(table))
        ]
    return rows


def _score(rows):
    if not rows:
        return None
    error = np.array([row["error_ns"] for row in rows])
    return {
        "traces": len({(row["file"], row["trace"]) for row in rows}),
        "mean_error_ns": float(error.mean()),
        "median_error_ns": float(np.median(error)),
        "far": float(np.mean([row["far"] for row in rows])),
        "in_interval": float(np.mean([row["in_interval"] for row in rows])),
    }


def _plot(before, after):
    """Which share of the held-out labels has its nearest pick within what distance, before and after."""
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    found = [np.sort([row["error_ns"] for row in rows if not row["far"]]) for rows in (before, after)]
    edge = 1.05 * max([*found[0], *found[1], 1.0])
    for name, error, style in zip(("before", "after"), found, ("--", "-"), strict=True):
        share = np.arange(len(error) + 1) / len(before) * 100
        axes.step([0, *error, edge], [*share, share[-1]], style, where="post", label=name)
    traces = len({(row["file"], row["trace"]) for row in before})
    axes.set(xlabel="Distance of the nearest pick / ns", ylabel="Held-out labels / %", ylim=(0, 101), xlim=(0, edge))
    axes.set_title(f"{len(before)} labels of {traces} traces", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    return figure
