"""A recording as the rest of the package wants it, and the checks that every trace passes first."""

import dataclasses
import math
from fractions import Fraction

import numpy as np
import scipy.signal

# Amplitudes beyond these, in whatever unit, are bytes read in the wrong order or as the wrong type.
_PEAK_RANGE = (1e-20, 1e20)
_LARGEST_RATIO = 1000


@dataclasses.dataclass(frozen=True, eq=False)
class Recording:
    """Traces of one file that passed all checks, at one sampling rate.

    Args:
        source: str. Path of the file.
        signals: float32 array of shape `(n, L)`, in `unit`.
        sampling_rate: float. In Hz.
        onset: float64 array of shape `(n,)`, 0-based samples, NaN for a trace without label; or `None`, no labels.
        index: int64 array of shape `(n,)`. Place of each trace among those of the file.
        names: tuple of `n` str.
        unit: str. Unit of the amplitude, `""` where it is not stated.
        full_scale: pair of float in `unit`, or `None` where it is not known.
        start_time: float. Time of the first sample after the transmit pulse, in s.
        rejected: tuple of pairs `(name, reason)`, the traces that were left out.
    """

    source: str
    signals: np.ndarray
    sampling_rate: float
    onset: np.ndarray | None
    index: np.ndarray
    names: tuple[str, ...]
    unit: str
    full_scale: tuple[float, float] | None
    start_time: float
    rejected: tuple[tuple[str, str], ...]


def make_recording(source, signals, sampling_rate, onset, names, unit, full_scale, start_time):
    """Checks traces and leaves out those that cannot be used.

    Args:
        source: str. Path of the file, for messages.
        signals: array of real numbers of shape `(n, L)`.
        sampling_rate: float. In Hz.
        onset: array of shape `(n,)` in samples, or `None`.
        names: sequence of `n` str.
        unit: str.
        full_scale: pair of float, or `None`.
        start_time: float. In s.

    Returns:
        A `Recording`.

    Raises:
        ValueError: where no trace can be used.

    Example: see `read_recordings`.
    """
    with np.errstate(over="ignore"):
        signals = np.ascontiguousarray(signals, dtype=np.float32)
    reasons = [_fault(trace) for trace in signals]
    if onset is not None:
        onset = np.asarray(onset, dtype=np.float64)
        for i, value in enumerate(onset):
            if reasons[i] is None and not (np.isnan(value) or 0 <= value < signals.shape[1]):
                reasons[i] = f"its onset, sample {value:.6g}, lies outside of its {signals.shape[1]} samples"
    rejected = tuple((name, reason) for name, reason in zip(names, reasons, strict=True) if reason is not None)
    index = np.flatnonzero([reason is None for reason in reasons])
    if not index.size:
        raise ValueError(
            f"{source!r}: none of {len(names)} traces can be used. The first, {rejected[0][0]!r}: {rejected[0][1]}."
        )
    return Recording(
        source=source,
        signals=signals if not rejected else signals[index],
        sampling_rate=float(sampling_rate),
        onset=None if onset is None else onset[index],
        index=index,
        names=tuple(names[i] for i in index),
        unit=unit,
        full_scale=full_scale,
        start_time=float(start_time),
        rejected=rejected,
    )


def resample_recording(recording, sampling_rate):
    """Brings a recording to another sampling rate, with no delay; nothing is resampled but by this call.

    The ratio of the rates must be that of two integers, so that sample 0 stays sample 0 and an onset scales exactly. A
    polyphase low-pass filter (SciPy's, Kaiser window) keeps out what the lower of the two rates cannot hold. The line
    between a trace's ends is taken out while it is filtered, so that an offset does not ring at the ends.

    Args:
        recording: a `Recording`.
        sampling_rate: float. Wanted rate in Hz.

    Returns:
        A `Recording` with signals of shape `(n, ceil(L * sampling_rate / recording.sampling_rate))`.

    Raises:
        ValueError: where the rate is not positive, or the ratio is not one of integers up to 1000.

    Example:

    ```python
    from keras_usmae.signals.readers import make_recording, resample_recording
    from keras_usmae.signals import SignalConfig, synthesize

    data = synthesize(SignalConfig.from_preset("paper"), num_signals=2, seed=0)
    recording = make_recording("synthetic", data["signal"], 100e6, data["onset"], ["a", "b"], "", None, 0.0)
    resample_recording(recording, 60e6).signals.shape  # (2, 1229)
    ```
    """
    if not (math.isfinite(sampling_rate) and sampling_rate > 0):
        raise ValueError(f"`sampling_rate` must be positive, in Hz, but is {sampling_rate!r}.")
    ratio = Fraction(sampling_rate) / Fraction(recording.sampling_rate)
    simple = ratio.limit_denominator(_LARGEST_RATIO)
    if simple.numerator > _LARGEST_RATIO or simple == 0 or abs(simple / ratio - 1) > 1e-12:
        raise ValueError(
            f"{recording.source!r}: {sampling_rate:g} Hz over {recording.sampling_rate:g} Hz is no ratio of integers "
            f"up "
            f"to {_LARGEST_RATIO}. Choose a rate that is, such as a multiple of the recording's own."
        )
    if simple == 1:
        return recording
    up, down = simple.numerator, simple.denominator
    signals = scipy.signal.resample_poly(recording.signals, up, down, axis=1, padtype="line").astype(np.float32)
    onset = None if recording.onset is None else recording.onset * up / down
    return dataclasses.replace(recording, signals=signals, onset=onset, sampling_rate=float(sampling_rate))


def _fault(trace):
    """Why a trace cannot be used, or None."""
    finite = np.isfinite(trace)
    if not finite.all():
        return f"{np.sum(~finite)} of {trace.size} samples are NaN or infinite in float32"
    low, high = float(trace.min()), float(trace.max())
    if low == high:
        return f"all samples are {low:g}"
    peak = max(abs(low), abs(high))
    if not _PEAK_RANGE[0] < peak < _PEAK_RANGE[1]:
        return f"its largest amplitude is {peak:.3g}: wrong byte order, dtype or unit"
    return None
