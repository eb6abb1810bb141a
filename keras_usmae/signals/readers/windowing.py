"""From recordings to windows of one length and rate, in splits that share no trace and no neighbours."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.signals.readers.preparation import SPLITS
from keras_usmae.signals.readers.recording import resample_recording
from keras_usmae.signals.readers.report import find_clipping
from keras_usmae.signals.readers.snr import estimate_snr
from keras_usmae.signals.readers.splitting import assign_splits, matching_any
from keras_usmae.signals.readers.windows import window_starts

if TYPE_CHECKING:
    from keras_usmae.signals.readers.preparation import Preparation
    from keras_usmae.signals.readers.recording import Recording


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

    def cut(self, index: int) -> np.ndarray:
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


def plan_windows(recordings: "list[Recording]", preparation: "Preparation") -> WindowPlan:
    """Resamples recordings, splits their traces, and chooses windows.

    A window of a labelled trace starts at random, so that the onset may be anywhere in it, `room` from its end; of
    several echoes each has windows, that start behind the one before. Traces without label are left out of a set that
    has labels. In a set without labels, windows follow on each other. Nothing
    is scaled but by the recorder's full scale, and nothing is padded unless `pad` says so.

    Args:
        recordings: list of `Recording`.
        preparation: a `Preparation`.

    Raises:
        ValueError: where the rates make no simple ratio, no trace of a file gives a window, or a split would have none.

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
    recordings = [r for r in recordings if not matching_any(Path(r.source).name, preparation.leave_out)]
    if not recordings:
        raise ValueError(f"'leave_out' leaves none of the recordings of {preparation.data.name!r}.")
    labelled = any(recording.onset is not None for recording in recordings)
    splits = assign_splits(recordings, preparation)
    rng = np.random.default_rng(preparation.seed)
    resampled, tables, left_out = [], [], []
    for i, recording in enumerate(recordings):
        snr_db, clipping = estimate_snr(recording.signals), find_clipping(recording.signals, recording.full_scale)
        resampled.append(_scale(resample_recording(recording, preparation.sampling_rate)))
        table, reasons = _choose(resampled[-1], splits[i], labelled, preparation, rng)
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


def _choose(recording, split, labelled, preparation, rng):
    """Windows of one recording, and the traces left out with their reasons."""
    columns, reasons = {key: [] for key in ("row", "window_start", "onset")}, []
    unfit = 0
    for row, name in enumerate(recording.names):
        if split[row] < 0:
            reasons.append((name, "it lies between two splits, or in none"))
            continue
        onsets = _onsets(recording, row)
        if labelled and not onsets:
            reasons.append((name, "it has no label, and others of the set have one"))
            continue
        windows = _windows(recording, row, onsets if labelled else None, preparation, rng)
        if not windows:
            unfit += 1
            reasons.append((name, _why_none(recording, row, onsets if labelled else None, preparation)))
        for start, onset in windows:
            columns["row"].append(row)
            columns["window_start"].append(start)
            columns["onset"].append(onset - start)
    if unfit and not columns["row"]:
        name = Path(recording.source).name
        raise ValueError(
            f"No trace of {name!r} gives a window. The first, {reasons[-1][0]}: {reasons[-1][1]}. Change what "
            f"prepare.toml says of windows, or write leave_out = [{name!r}] in it."
        )
    table = {"row": np.array(columns["row"], dtype=np.int64)}
    table["window_start"] = np.array(columns["window_start"], dtype=np.int64)
    table["onset"] = np.array(columns["onset"], dtype=np.float64)
    table["split"] = split[table["row"]]
    padding = table["window_start"] + preparation.signal_length - recording.signals.shape[1]
    table["padding"] = np.maximum(padding, 0)
    return table, reasons


def _onsets(recording, row):
    """Known onsets of a trace, in order of arrival."""
    if recording.onset is None:
        return []
    onsets = [recording.onset[row], *(values[row] for values in recording.later_onsets.values())]
    return sorted(float(onset) for onset in onsets if not np.isnan(onset))


def _windows(recording, row, onsets, preparation, rng):
    """Pairs of the start of a window and the onset in the record, NaN without labels."""
    length, num_samples = preparation.signal_length, recording.signals.shape[1]
    skip = int(np.ceil(preparation.skip * preparation.sampling_rate))
    # A short trace is padded up to one window.
    end = max(num_samples, skip + length) if preparation.pad else num_samples
    if onsets is None:
        pairs = [(start, np.nan) for start in range(skip, end - length + 1, length)]
    else:
        pairs, earliest = [], skip
        for onset in onsets:
            first, last = window_starts(
                np.array([onset]), np.array([preparation.room_samples]), np.array([earliest]), np.array([end]), length
            )
            admissible = np.arange(first[0], last[0] + 1)
            count = min(preparation.windows_per_trace, len(admissible))
            pairs += [(int(start), onset) for start in rng.choice(admissible, count, replace=False)] if count else []
            # The window of a later echo does not hold the one before.
            earliest = onset + preparation.room_samples
    return [(start, onset) for start, onset in pairs if np.ptp(recording.signals[row, start : start + length])]


def _why_none(recording, row, onsets, preparation):
    length, rate, num_samples = preparation.signal_length, preparation.sampling_rate, recording.signals.shape[1]
    skip = int(np.ceil(preparation.skip * rate))
    record = f"its {num_samples:,} samples at {rate:g} Hz"
    if num_samples < skip + length and not preparation.pad:
        behind = f" behind the {skip:,} of 'skip'" if skip else ""
        return f"{record} are fewer than the {length:,} of a window ('signal_length'){behind}, and 'pad' is false"
    if onsets:
        room = preparation.room_samples
        return (
            f"no window of {length:,} samples holds its onset at sample {onsets[0]:.1f} and the {room:.0f} samples of "
            f"'room' behind it, within {record} and behind 'skip'"
        )
    return f"all of {record} are constant within each window"


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
