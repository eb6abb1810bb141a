"""A recording as the rest of the package wants it, and the checks that every trace passes first."""

import dataclasses
import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import scipy.signal

from keras_usmae.signals.readers.settle import Provenance

# Amplitudes beyond these, in whatever unit, are bytes read in the wrong order or as the wrong type.
_PEAK_RANGE = (1e-20, 1e20)
_LARGEST_RATIO = 1000
# Samples, at the wanted rate, by which the end of a record may be off where the rates make no simple ratio.
_LARGEST_DRIFT = 0.5


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
        later_onsets: dict of float64 arrays of shape `(n,)` by name: onsets of further echoes, in order of arrival.
            Defaults to none.
        groups: tuple of `n` str or `None`. What each trace belongs to, such as a specimen. Defaults to `None`.
        provenance: `Provenance`. Where the description came from, what was left out, and what is doubtful. Defaults to
            an empty one.
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
    later_onsets: dict = dataclasses.field(default_factory=dict)
    groups: tuple[str, ...] | None = None
    provenance: Provenance = dataclasses.field(default_factory=Provenance)


def make_recording(
    source: str,
    signals: np.ndarray,
    sampling_rate: float,
    onset: np.ndarray | None,
    names: Sequence[str],
    unit: str,
    full_scale: tuple[float, float] | None,
    start_time: float,
    later_onsets: dict | None = None,
    groups: Sequence[str] | None = None,
    provenance: Provenance | None = None,
) -> Recording:
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
        later_onsets: dict of arrays of shape `(n,)` in samples, by name, or `None`. Defaults to `None`.
        groups: sequence of `n` str, or `None`. Defaults to `None`.
        provenance: a `Provenance`, or `None`. Defaults to `None`.

    Raises:
        ValueError: where no trace can be used.

    Example: see `read_recordings`.
    """
    with np.errstate(over="ignore"):
        signals = np.ascontiguousarray(signals, dtype=np.float32)
    reasons = [_fault(trace) for trace in signals]
    onset = None if onset is None else np.asarray(onset, dtype=np.float64)
    later_onsets = {key: np.asarray(values, dtype=np.float64) for key, values in (later_onsets or {}).items()}
    for values in [*([] if onset is None else [onset]), *later_onsets.values()]:
        for i, value in enumerate(values):
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
        names=tuple(names[int(i)] for i in index),
        unit=unit,
        full_scale=full_scale,
        start_time=float(start_time),
        rejected=rejected,
        later_onsets={key: values[index] for key, values in later_onsets.items()},
        groups=None if groups is None else tuple(groups[int(i)] for i in index),
        provenance=provenance or Provenance(),
    )


def resample_recording(recording: Recording, sampling_rate: float) -> Recording:
    """Brings a recording to another sampling rate, with no delay; nothing is resampled but by this call.

    The ratio of the rates is taken as that of two integers up to 1000, so that sample 0 stays sample 0 and an onset
    scales exactly. Where it is not quite one, as for 20.8333 MHz, the nearest is used, and the drift that this makes at
    the end of a record is among the doubts of its provenance. A polyphase low-pass filter (SciPy's, Kaiser window)
    keeps out what the lower of the two rates cannot hold. The line between a trace's ends is taken out while it is
    filtered, so that an offset does not ring at the ends.

    Args:
        recording: a `Recording`.
        sampling_rate: float. Wanted rate in Hz.

    Returns:
        A `Recording` with signals of shape `(n, ceil(L * sampling_rate / recording.sampling_rate))`.

    Raises:
        ValueError: where the rate is not positive, or the nearest ratio drifts by more than half a sample.

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
    simple = _simple_ratio(ratio)
    drift = abs(float(simple / ratio) - 1) * recording.signals.shape[1] * float(ratio) if simple else math.inf
    if drift > _LARGEST_DRIFT:
        raise ValueError(
            f"{recording.source!r}: {sampling_rate:.10g} Hz over {recording.sampling_rate:.10g} Hz is no ratio of "
            f"integers up to {_LARGEST_RATIO}, and the nearest drifts by {drift:.3g} samples over a record. Choose a "
            "rate that is, such as a multiple of the recording's own."
        )
    if simple == 1 and drift == 0:
        return recording
    provenance = recording.provenance
    if drift > 1e-6:
        told = f"resampled by {simple}, the nearest simple ratio: the end of a record is off by {drift:.2g} samples"
        provenance = dataclasses.replace(provenance, doubts=(*provenance.doubts, told))
    up, down = simple.numerator, simple.denominator
    signals = recording.signals
    if simple != 1:
        signals = scipy.signal.resample_poly(signals, up, down, axis=1, padtype="line").astype(np.float32)
    onset = None if recording.onset is None else recording.onset * up / down
    return dataclasses.replace(
        recording,
        signals=signals,
        onset=onset,
        later_onsets={key: values * up / down for key, values in recording.later_onsets.items()},
        sampling_rate=float(sampling_rate),
        provenance=provenance,
    )


def _simple_ratio(ratio):
    """The nearest ratio of two integers up to the largest, 0 where there is none."""
    if ratio <= 1:
        return ratio.limit_denominator(_LARGEST_RATIO)
    inverse = (1 / ratio).limit_denominator(_LARGEST_RATIO)
    return 1 / inverse if inverse else Fraction(0)


def _fault(trace):
    """Why a trace cannot be used, or None."""
    finite = np.isfinite(trace)
    if not finite.all():
        return f"{np.sum(~finite)} of {trace.size} samples are NaN or infinite in float32"
    low, high = float(trace.min()), float(trace.max())
    if low == high:
        return f"all samples are {low:g}"
    peak = max(abs(low), abs(high))
    if peak <= _PEAK_RANGE[0]:
        return f"its largest amplitude is {peak:.3g}. Multiply the traces by some {1 / peak:.0e} and save them again"
    if peak >= _PEAK_RANGE[1]:
        return f"its largest amplitude is {peak:.3g}: wrong byte order, dtype or unit"
    return None
