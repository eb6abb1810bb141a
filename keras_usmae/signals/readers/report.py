"""What a recording is like, in numbers that an engineer would ask for first."""

import dataclasses
import json
from typing import TYPE_CHECKING

import numpy as np
import scipy.signal

from keras_usmae.signals.readers.snr import DRIFT, estimate_snr

if TYPE_CHECKING:
    from keras_usmae.signals.readers.recording import Recording

_FLAT_RUN = 3
_CHUNK_SIZE = 256
_ORIGINS = {
    "sampling_rate": "rate",
    "start_time": "start",
    "unit": "unit",
    "full_scale": "full scale",
    "axis": "axis",
}


@dataclasses.dataclass(frozen=True)
class RecordingReport:
    """A recording in numbers.

    Args:
        source: str. Path of the file.
        num_traces: int. Traces that can be used.
        num_samples: int. Samples of each.
        sampling_rate: float. In Hz.
        start_time: float. Time of the first sample, in s.
        unit: str. Of the amplitude.
        amplitude: pair of float. Lowest and highest sample, in `unit`.
        snr_db: triple of float. 5th, 50th and 95th percentile over the traces, see `estimate_snr`.
        clipped_samples: float. Share of the samples at an end of the scale.
        clipped_traces: float. Share of the traces with such a sample.
        clipping_from: str. `"full_scale"`, or `"flat tops"` where the full scale is not known, see `find_clipping`.
        peak_frequency: float. Of the mean power spectrum above 1 % of the sampling rate, in Hz.
        num_labels: int. Traces with a label.
        onset_range: pair of float in samples, or `None` without labels.
        tof_range: pair of float in s after the transmit pulse, or `None` without labels.
        rejected: tuple of pairs `(name, reason)`.
        origins: dict of str. Where rate, start time, unit, full scale and axis came from.
        left_out: tuple of str. What of the file is no trace.
        doubts: tuple of str. What is to be looked at.
    """

    source: str
    num_traces: int
    num_samples: int
    sampling_rate: float
    start_time: float
    unit: str
    amplitude: tuple[float, float]
    snr_db: tuple[float, float, float]
    clipped_samples: float
    clipped_traces: float
    clipping_from: str
    peak_frequency: float
    num_labels: int
    onset_range: tuple[float, float] | None
    tof_range: tuple[float, float] | None
    rejected: tuple[tuple[str, str], ...]
    origins: dict
    left_out: tuple[str, ...]
    doubts: tuple[str, ...]

    def to_json(self) -> str:
        """The report as JSON, a str; what is not a finite number becomes null."""
        values = dataclasses.asdict(self)
        values["snr_db"] = [value if np.isfinite(value) else None for value in self.snr_db]
        return json.dumps(values, indent=2, allow_nan=False)

    def _start(self):
        start = self.start_time * 1e6
        return f" from {start:g} µs" if start else ""

    def to_text(self, max_rejected: int = 10) -> str:
        """The report as a table of text.

        Args:
            max_rejected: int. Rejected traces that are listed one by one. Defaults to `10`.
        """
        unit = f" {self.unit}" if self.unit else " (unit not stated)"
        duration = self.num_samples / self.sampling_rate * 1e6
        low, median, high = self.snr_db
        rows = [
            ("traces", f"{self.num_traces:,} used, {len(self.rejected):,} rejected"),
            ("samples", f"{self.num_samples:,} at {self.sampling_rate / 1e6:g} MHz, {duration:.2f} µs{self._start()}"),
            ("amplitude", f"{self.amplitude[0]:.4g} to {self.amplitude[1]:.4g}{unit}"),
            ("spectral peak", f"{self.peak_frequency / 1e6:.2f} MHz"),
            ("SNR estimate", f"median {median:.1f} dB, 5 % to 95 %: {low:.1f} to {high:.1f} dB"),
            (
                "clipping",
                f"{self.clipped_samples:.3%} of samples, {self.clipped_traces:.1%} of traces (by {self.clipping_from})",
            ),
        ]
        if self.onset_range is None or self.tof_range is None:
            rows.append(("ToF", "no labels"))
        else:
            first, last = (value * 1e6 for value in self.tof_range)
            samples = f"onset at sample {self.onset_range[0]:.1f} to {self.onset_range[1]:.1f}"
            rows.append(("ToF", f"{first:.3f} to {last:.3f} µs, {samples}, {self.num_labels:,} labels"))
        rows += [(f"{_ORIGINS[key]} from", where) for key, where in self.origins.items()]
        rows += [("left out", text) for text in self.left_out]
        rows += [("doubtful", text) for text in self.doubts]
        rows += [("rejected", f"{name}: {reason}") for name, reason in self.rejected[:max_rejected]]
        if len(self.rejected) > max_rejected:
            rows.append(("rejected", f"and {len(self.rejected) - max_rejected:,} more"))
        return "\n".join([self.source, *(f"  {name:<15} {text}" for name, text in rows)])


def report_recording(recording: "Recording") -> RecordingReport:
    """Measures a recording.

    Args:
        recording: a `Recording`.

    Example:

    ```python
    from keras_usmae.signals import SignalConfig, synthesize
    from keras_usmae.signals.readers import make_recording, report_recording

    data = synthesize(SignalConfig.from_preset("paper"), num_signals=4, seed=0)
    recording = make_recording("synthetic", data["signal"], 100e6, data["onset"], list("abcd"), "", None, 0.0)
    print(report_recording(recording).to_text())
    ```
    """
    signals, onset = recording.signals, recording.onset
    clipped = find_clipping(signals, recording.full_scale)
    known = onset[~np.isnan(onset)] if onset is not None else np.empty(0)
    onset_range = (float(known.min()), float(known.max())) if known.size else None
    frequencies, power = mean_spectrum(signals, recording.sampling_rate)
    low, median, high = np.percentile(estimate_snr(signals), [5, 50, 95])
    return RecordingReport(
        source=recording.source,
        num_traces=len(signals),
        num_samples=signals.shape[1],
        sampling_rate=recording.sampling_rate,
        start_time=recording.start_time,
        unit=recording.unit,
        amplitude=(float(signals.min()), float(signals.max())),
        snr_db=(float(low), float(median), float(high)),
        clipped_samples=float(clipped.mean()),
        clipped_traces=float(clipped.any(axis=1).mean()),
        clipping_from="flat tops" if recording.full_scale is None else "full_scale",
        peak_frequency=float(frequencies[np.where(is_drift(frequencies, recording.sampling_rate), -1, power).argmax()]),
        num_labels=known.size,
        onset_range=onset_range,
        tof_range=onset_range and (_seconds(onset_range[0], recording), _seconds(onset_range[1], recording)),
        rejected=recording.rejected,
        origins=recording.provenance.origins,
        left_out=recording.provenance.left_out,
        doubts=recording.provenance.doubts,
    )


def _seconds(onset, recording):
    return onset / recording.sampling_rate + recording.start_time


def find_clipping(signals: np.ndarray, full_scale: tuple[float, float] | None) -> np.ndarray:
    """Samples at an end of the recorder's scale.

    Args:
        signals: array of shape `(n, L)`.
        full_scale: pair of float in the unit of `signals`; or `None`, where a run of three or more equal samples at the
            lowest or highest value of a signal counts in their place.

    Returns:
        A bool array of shape `(n, L)`.

    Example:

    ```python
    import numpy as np
    from keras_usmae.signals.readers import find_clipping

    find_clipping(np.array([[0, 2, 2, 2, 1, -1]]), None)  # [[False, True, True, True, False, False]]
    ```
    """
    signals = np.asarray(signals)
    if full_scale is not None:
        return (signals <= full_scale[0]) | (signals >= full_scale[1])
    clipped = np.zeros(signals.shape, dtype=bool)
    if signals.shape[1] < _FLAT_RUN:
        return clipped
    for extreme in (signals.min(axis=1, keepdims=True), signals.max(axis=1, keepdims=True)):
        runs = np.lib.stride_tricks.sliding_window_view(signals == extreme, _FLAT_RUN, axis=1).all(axis=2)
        for offset in range(_FLAT_RUN):
            clipped[:, offset : offset + runs.shape[1]] |= runs
    return clipped


def mean_spectrum(signals: np.ndarray, sampling_rate: float) -> tuple:
    """Mean power spectrum of signals, each with its mean taken out and under a Hann window.

    Args:
        signals: array of shape `(n, L)`.
        sampling_rate: float. In Hz.

    Returns:
        A tuple `(frequencies, power)` of arrays of shape `(L // 2 + 1,)`, in Hz and in the square of the unit per Hz.

    Example:

    ```python
    import numpy as np
    from keras_usmae.signals.readers import mean_spectrum

    frequencies, power = mean_spectrum(np.sin(2 * np.pi * 5e6 / 60e6 * np.arange(600))[None], 60e6)
    frequencies[power.argmax()]  # 5e6
    ```
    """
    power = 0.0
    for i in range(0, len(signals), _CHUNK_SIZE):
        frequencies, spectra = scipy.signal.periodogram(signals[i : i + _CHUNK_SIZE], sampling_rate, window="hann")
        power = power + spectra.sum(axis=0, dtype=np.float64)
    return frequencies, power / len(signals)


def is_drift(frequencies: np.ndarray, sampling_rate: float) -> np.ndarray:
    """Which frequencies of a spectrum are those of drift and of the recovery from the transmit pulse.

    Args:
        frequencies: array of shape `(k,)`, in Hz.
        sampling_rate: float. In Hz.

    Returns:
        A bool array of shape `(k,)`: true below 1 % of the sampling rate.

    Example:

    ```python
    import numpy as np
    from keras_usmae.signals.readers import is_drift

    is_drift(np.array([0.0, 1e5, 1e6]), 60e6)  # [True, True, False]
    ```
    """
    return frequencies < DRIFT * sampling_rate
