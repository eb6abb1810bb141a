"""Echoes of records that are longer than the model's window, as `stream.c` of the firmware folder finds them.

It is what the picker does (`keras_usmae.picker`), for any function from windows to probabilities, such as an exported
file in an interpreter.
"""

from collections.abc import Callable

import numpy as np

from keras_usmae.picker.decoding import decode_picks
from keras_usmae.picker.windows import window_starts, window_weights


def stream_picks(
    record: np.ndarray, probabilities: Callable, signal_length: int, bin_width: int, **settings: float
) -> dict:
    """Slides a window over a record, averages what the windows say of each bin, and picks the peaks.

    Windows overlap by half, and each counts most in its middle: an echo is found once, wherever the border of a window
    lies. In a window without variance no echo begins.

    Args:
        record: array of shape `(num_samples,)`, a raw record at the model's sampling rate.
        probabilities: function from raw windows `(n, signal_length)` to the probabilities of their bins,
            `(n, num_bins)`.
        signal_length: int, samples of a window.
        bin_width: int, samples of a bin; divides half of a window.
        **settings: arguments of `decode_picks`; `min_confidence` must be among them.

    Returns:
        The dict of `decode_picks`, without its `"trace"`; onsets in samples from the start of the record.

    Raises:
        ValueError: if the record is shorter than a window, or half a window is no multiple of a bin.
    """
    windows, starts = record_windows(record, signal_length, bin_width)
    varied = windows.max(axis=1) > windows.min(axis=1)
    found = np.zeros((len(windows), signal_length // bin_width), np.float32)
    if varied.any():
        found[varied] = probabilities(windows[varied])
    found *= window_weights(starts, signal_length, bin_width)
    total = np.zeros((1, starts[-1] // bin_width + found.shape[1]), np.float32)
    for row, start in zip(found, starts // bin_width, strict=True):
        total[0, start : start + len(row)] += row
    picks = decode_picks(total, bin_width, **settings)
    return {name: values for name, values in picks.items() if name != "trace"}


def record_windows(record: np.ndarray, signal_length: int, bin_width: int) -> tuple:
    """The windows that slide over a record.

    Args:
        record: array of shape `(num_samples,)`.
        bin_width: int, samples of a bin; divides half of a window.

    Returns:
        A tuple of the windows, `(n, signal_length)`, and where they start, int64 `(n,)`.

    Raises:
        ValueError: if the record is shorter than a window, or half a window is no multiple of a bin.
    """
    record = np.asarray(record)
    if record.ndim != 1 or len(record) < signal_length:
        raise ValueError(
            f"A record must hold at least one window of {signal_length} samples. Received: shape {record.shape}."
        )
    check_bins(signal_length, bin_width)
    starts = window_starts(len(record), signal_length, bin_width)
    return np.lib.stride_tricks.sliding_window_view(record, signal_length)[starts], starts


def check_bins(signal_length: int, bin_width: int) -> None:
    """Checks that windows which overlap by half share their bins.

    Raises:
        ValueError: if half a window is no multiple of a bin.
    """
    if signal_length % (2 * bin_width):
        raise ValueError(
            f"Windows slide by half of their {signal_length} samples, which must be a multiple of the bin width. "
            f"Received: bin_width={bin_width}"
        )
