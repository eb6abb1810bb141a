"""Echoes of records that are longer than the model's window."""

import numpy as np


def window_starts(num_samples, signal_length, hop):
    """Where windows start that slide over a record; the last one ends with the record.

    Args:
        num_samples: int, samples of the record.
        signal_length: int, samples of a window.
        hop: int, samples from one window to the next, at most `signal_length`.

    Returns:
        List of int.

    Raises:
        ValueError: if the record is shorter than a window, or the hop would leave samples out.

    Example:

    ```python
    window_starts(5000, 2048, 1024)  # [0, 1024, 2048, 2952]
    ```
    """
    if num_samples < signal_length:
        raise ValueError(f"A record must hold at least one window of {signal_length} samples. Received: {num_samples}.")
    if not 1 <= hop <= signal_length:
        raise ValueError(f"`hop` must lie in 1..{signal_length} samples, so that windows touch. Received: hop={hop}")
    last = num_samples - signal_length
    return [*range(0, last, hop), last]


def stream_picks(record, measure, signal_length, hop, min_confidence=0.5, merge_distance=64.0):
    """Slides a window over a record, measures each, and merges the picks of overlapping windows.

    A window without an echo gets a pick too, of low confidence. Of picks that lie closer than `merge_distance`, the
    most confident stays. Windows without variance are left out. `stream.c` of the firmware folder does the same.

    Args:
        record: array of shape `(num_samples,)`, a raw record at the model's sampling rate.
        measure: function from signals `(n, signal_length)` to a dict with `"onset"` (samples) and `"confidence"`, both
            of shape `(n,)`, such as `ToFClassifier.predict_tof`.
        signal_length: int, samples of a window.
        hop: int, samples from one window to the next; half a window is usual.
        min_confidence: float, picks below are dropped. Defaults to `0.5`.
        merge_distance: float, samples. Defaults to `64.0`.

    Returns:
        A tuple `(onset, confidence)` of float64 arrays, in order of the onset in samples from the start of the record.

    Raises:
        ValueError: if the record is shorter than a window, or the hop would leave samples out.

    Example:

    ```python
    onset, confidence = stream_picks(record, classifier.predict_tof, 2048, hop=1024)
    ```
    """
    record = np.asarray(record)
    starts = np.array(window_starts(len(record), signal_length, hop))
    windows = np.lib.stride_tricks.sliding_window_view(record, signal_length)[starts]
    varied = windows.max(axis=1) > windows.min(axis=1)
    if not varied.any():
        return np.empty(0), np.empty(0)
    measured = measure(windows[varied])
    picks = []
    for onset, confidence in zip(starts[varied] + measured["onset"], measured["confidence"], strict=True):
        near = [pick for pick in picks if abs(pick[0] - onset) < merge_distance]
        if confidence < min_confidence or any(pick[1] >= confidence for pick in near):
            continue
        picks = sorted([pick for pick in picks if pick not in near] + [(onset, confidence)])
    onset, confidence = np.array(picks, "float64").reshape(-1, 2).T
    return onset, confidence
