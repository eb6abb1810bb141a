"""From recordings to windows of one length and rate, in splits that share no trace and no neighbours."""

import dataclasses
import fnmatch
from pathlib import Path

import numpy as np

from keras_usmae.signals.readers.preparation import SPLITS
from keras_usmae.signals.readers.recording import resample_recording
from keras_usmae.signals.readers.report import find_clipping
from keras_usmae.signals.readers.snr import estimate_snr
from keras_usmae.signals.windows import window_starts

# Shares of a file's traces where no splits are stated; what is left is for the test.
_TRAIN, _VALIDATION = 0.70, 0.15


@dataclasses.dataclass(frozen=True, eq=False)
class WindowPlan:
    """Windows that `cut` cuts from recordings, and what is left out.

    Args:
        recordings: tuple of `Recording`, all at the same rate, in parts of the full scale where that is known.
        windows: dict of arrays of shape `(num_windows,)`: `split` (index into `SPLITS`), `recording`, `row` (trace
            among those that can be used), `trace` (trace in the file), `window_start` and `padding` (samples), `onset`
            (samples in the window, or NaN), `snr_db` (estimate for the trace), `clipped`.
        left_out: tuple of pairs `(name, reason)`.
        labelled: bool.
        signal_length: int.
    """

    recordings: tuple
    windows: dict
    left_out: tuple[tuple[str, str], ...]
    labelled: bool
    signal_length: int

    def cut(self, index):
        """One window.

        Args:
            index: int.

        Returns:
            A float32 array of shape `(signal_length,)`.
        """
        start = self.windows["window_start"][index]
        record = self.recordings[self.windows["recording"][index]].signals[self.windows["row"][index]]
        window = record[start : start + self.signal_length]
        return np.pad(window, (0, self.signal_length - len(window)), constant_values=np.median(record))


def plan_windows(recordings, preparation):
    """Resamples recordings, splits their traces, and chooses windows.

    A window of a labelled trace starts at random, so that the onset may be anywhere in it, `room` from its end; traces
    without label are left out of a set that has labels. In a set without labels, windows follow on each other. Nothing
    is scaled but by the recorder's full scale, and nothing is padded unless `pad` says so.

    Args:
        recordings: list of `Recording`.
        preparation: a `Preparation`.

    Returns:
        A `WindowPlan`.

    Raises:
        ValueError: where the rates make no simple ratio, or a split would have no windows.

    Example:

    ```python
    import pathlib
    import numpy as np
    from keras_usmae.signals.readers import Preparation, make_recording, plan_windows

    noise = np.random.default_rng(0).standard_normal((20, 5000))
    recording = make_recording("scan.npy", noise, 50e6, None, [f"{i}" for i in range(20)], "V", None, 0.0)
    plan = plan_windows([recording], Preparation(pathlib.Path("scan.npy")))
    plan.cut(0).shape  # (2048,)
    ```
    """
    labelled = any(recording.onset is not None for recording in recordings)
    rng = np.random.default_rng(preparation.seed)
    resampled, tables, left_out = [], [], []
    for i, recording in enumerate(recordings):
        split = _split_traces(recording, preparation)
        snr_db, clipping = estimate_snr(recording.signals), find_clipping(recording.signals, recording.full_scale)
        resampled.append(_scale(resample_recording(recording, preparation.sampling_rate)))
        table, reasons = _choose(resampled[-1], split, labelled, preparation, rng)
        left_out += [(f"{Path(recording.source).name}: {name}", reason) for name, reason in reasons]
        table["recording"] = np.full(table["row"].size, i)
        table["trace"] = recording.index[table["row"]]
        table["snr_db"] = snr_db[table["row"]]
        factor = recording.sampling_rate / preparation.sampling_rate
        starts, stops = table["window_start"], table["window_start"] + preparation.signal_length
        table["clipped"] = _any_within(clipping, table["row"], starts * factor, stops * factor)
        tables.append(table)
    windows = {key: np.concatenate([table[key] for table in tables]) for key in tables[0]}
    for name in ("train", "validation"):
        if not np.any(windows["split"] == SPLITS.index(name)):
            why = f" The first trace left out, {left_out[0][0]}: {left_out[0][1]}." if left_out else ""
            raise ValueError(
                f"There are no windows for the split {name!r} in {preparation.data.name!r}.{why} State 'splits' in "
                "prepare.toml, or change what it says of windows."
            )
    return WindowPlan(tuple(resampled), windows, tuple(left_out), labelled, preparation.signal_length)


def _split_traces(recording, preparation):
    """Index into `SPLITS` for each trace, or -1."""
    index, split = recording.index, np.full(len(recording.index), -1)
    if preparation.splits is None:
        count = int(index.max()) + 1
        first = round(_TRAIN * count)
        second = first + round(_VALIDATION * count)
        ranges = {0: (0, first - 1), 1: (first + preparation.guard, second - 1), 2: (second + preparation.guard, count)}
        for number, (low, high) in ranges.items():
            split[(index >= low) & (index <= high)] = number
        return split
    name = Path(recording.source).name
    for number, part in enumerate(SPLITS):
        for entry in preparation.splits.get(part, ()):
            if isinstance(entry, str):
                members = np.full(len(index), fnmatch.fnmatchcase(name, entry))
            else:
                members = (index >= entry[0]) & (index <= entry[1])
            if np.any(members & (split >= 0) & (split != number)):
                raise ValueError(
                    f"Trace {index[(members & (split >= 0)).argmax()]} of {name!r} is in two of the 'splits'."
                )
            split[members] = number
    return split


def _choose(recording, split, labelled, preparation, rng):
    """Windows of one recording, and the traces left out with their reasons."""
    length, rate = preparation.signal_length, preparation.sampling_rate
    num_samples, skip = recording.signals.shape[1], int(np.ceil(preparation.skip * rate))
    columns, reasons = {key: [] for key in ("row", "window_start", "onset")}, []
    # A short trace is padded up to one window.
    end = max(num_samples, skip + length) if preparation.pad else num_samples
    for row in range(len(recording.signals)):
        onset = np.nan if recording.onset is None else recording.onset[row]
        if split[row] < 0:
            reasons.append((recording.names[row], "it lies between two splits, or in none"))
            continue
        if labelled and np.isnan(onset):
            reasons.append((recording.names[row], "it has no label, and others of the set have one"))
            continue
        if labelled:
            first, last = window_starts([onset], [preparation.room * rate], [skip], end, length)
            admissible = np.arange(first[0], last[0] + 1)
            starts = rng.choice(admissible, min(preparation.windows_per_trace, len(admissible)), replace=False)
        else:
            starts = np.arange(skip, end - length + 1, length)
        starts = [start for start in starts if np.ptp(recording.signals[row, start : start + length])]
        if not starts:
            why = f"no window of {length} samples fits its {num_samples} at {rate:g} Hz, 'skip', 'room' and onset"
            reasons.append((recording.names[row], f"{why}, or all would be constant"))
            continue
        columns["row"] += [row] * len(starts)
        columns["window_start"] += [int(start) for start in starts]
        columns["onset"] += [onset - start for start in starts]
    table = {"row": np.array(columns["row"], dtype=np.int64)}
    table["window_start"] = np.array(columns["window_start"], dtype=np.int64)
    table["onset"] = np.array(columns["onset"], dtype=np.float64)
    table["split"] = split[table["row"]]
    table["padding"] = np.maximum(table["window_start"] + length - num_samples, 0)
    return table, reasons


def _scale(recording):
    if recording.full_scale is None:
        return recording
    largest = np.float32(max(map(abs, recording.full_scale)))
    return dataclasses.replace(recording, signals=recording.signals / largest)


def _any_within(mask, rows, starts, stops):
    """Whether a sample of a row's mask is set between a start and a stop."""
    count = np.concatenate([np.zeros((len(mask), 1), dtype=np.int64), np.cumsum(mask, axis=1)], axis=1)
    starts, stops = (np.clip(np.round(edge).astype(int), 0, mask.shape[1]) for edge in (starts, stops))
    return count[rows, stops] > count[rows, starts]
