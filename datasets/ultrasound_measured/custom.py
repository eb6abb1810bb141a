"""The config `custom`: recordings of the user's own, windows and splits as `prepare.toml` states them."""

import dataclasses
import json
import os
import pathlib

import numpy as np
import tensorflow_datasets as tfds

from keras_usmae.signals.readers import (
    Preparation,
    fingerprint,
    plan_windows,
    read_preparation,
    read_recordings,
    report_recording,
)
from keras_usmae.signals.readers.preparation import SPLITS

_WAY_OUT = "Pass a folder or file of recordings, or a .toml file that names them, as `raw_dir`, or set DATA_DIR."


def find_preparation(raw_dir):
    """Reads how the recordings are prepared.

    Args:
        raw_dir: path, or `None` for the one that the environment variable `DATA_DIR` names.

    Returns:
        A `Preparation`, or `None` where neither names a path.
    """
    raw_dir = raw_dir or os.environ.get("DATA_DIR")
    return None if raw_dir is None else read_preparation(raw_dir)


def stored_metadata(folder):
    """Metadata of a prepared set in a folder, or `None`."""
    file = pathlib.Path(folder) / "metadata.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def stated_metadata(raw_dir):
    """Metadata of a set that is still to be prepared: as stated, or the defaults."""
    stated = find_preparation(raw_dir) or Preparation
    return {"sampling_rate": stated.sampling_rate, "signal_length": stated.signal_length}


def features(signal_length):
    """Features of an example."""
    return {
        "signal": tfds.features.Tensor(shape=(signal_length,), dtype=np.float32, encoding="bytes"),
        "onset": np.float32,
        "snr_db": np.float32,
        "clipped": np.bool_,
        "recording": np.int32,
        "trace": np.int32,
        "window_start": np.int32,
        "padding": np.int32,
        "record_start": np.float32,
        "source_sampling_rate": np.float32,
    }


def check_prepared(info, preparation):
    """Refuses to take a prepared set for that of other recordings or settings.

    Raises:
        ValueError: where the set was made from others.
    """
    if info.metadata["fingerprint"] != fingerprint(preparation):
        raise ValueError(
            f"{info.full_name} in {str(info.data_dir)!r} was prepared from other recordings, sidecars or settings than "
            f"those of {str(preparation.data)!r} now. Choose another folder for prepared datasets (`data_dir`, "
            "--tfds-dir), or delete that one."
        )


def plan(preparation):
    """Reads, checks, resamples and splits all recordings.

    Args:
        preparation: a `Preparation` or `None`.

    Returns:
        A tuple of a `WindowPlan` and a dict, what is to be told of it.

    Raises:
        FileNotFoundError: where there are no recordings.
        ValueError: where they cannot be used.
    """
    if preparation is None:
        raise FileNotFoundError(f"ultrasound_measured/custom has no recordings to prepare. {_WAY_OUT}")
    recordings = read_recordings(preparation.data, preparation.sidecar)
    planned = plan_windows(recordings, preparation)
    used = {resampled.source: resampled.provenance.doubts for resampled in planned.recordings}
    reports = [
        # What resampling adds to the doubts belongs to the recording's report.
        dataclasses.replace(report_recording(recording), doubts=used[recording.source])
        for recording in recordings
        if recording.source in used
    ]
    counts = np.bincount(planned.windows["split"], minlength=len(SPLITS))
    return planned, {
        "sampling_rate": preparation.sampling_rate,
        "signal_length": preparation.signal_length,
        "labelled": planned.labelled,
        "fingerprint": fingerprint(preparation),
        "report": [report.to_text() for report in reports],
        "recordings": [json.loads(report.to_json()) for report in reports],
        "left_out": [list(pair) for pair in planned.left_out],
        "windows": {name: int(count) for name, count in zip(SPLITS, counts, strict=True)},
    }


def examples(planned, recordings, split):
    """Yields the examples of one split.

    Args:
        planned: a `WindowPlan`.
        recordings: list of dict, the `recordings` of the metadata.
        split: str. One of `SPLITS`.

    Yields:
        Pairs of a key and an example.
    """
    windows = planned.windows
    for index in np.flatnonzero(windows["split"] == SPLITS.index(split)):
        place = int(windows["recording"][index])
        yield (
            int(index),
            {
                "signal": planned.cut(index),
                "record_start": np.float32(planned.recordings[place].start_time),
                "source_sampling_rate": np.float32(recordings[place]["sampling_rate"]),
                "recording": place,
                **{key: windows[key][index] for key in ("onset", "snr_db")},
                **{key: int(windows[key][index]) for key in ("trace", "window_start", "padding")},
                "clipped": bool(windows["clipped"][index]),
            },
        )
