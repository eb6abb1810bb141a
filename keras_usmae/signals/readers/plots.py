"""A picture of a recording: A-scans, B-scan, amplitudes and spectrum. Axes are in microseconds and megahertz."""

from typing import TYPE_CHECKING

import numpy as np
import scipy.signal
from matplotlib.figure import Figure

from keras_usmae.signals.readers import is_drift, mean_spectrum

if TYPE_CHECKING:
    from keras_usmae.signals.readers.recording import Recording

_SIGNAL, _ENVELOPE, _LABEL = "0.35", "tab:blue", "tab:red"
_MAX_COLUMNS = 2000


def plot_recording(recording: "Recording", num_traces: int = 4, seed: int = 0) -> Figure:
    """Draws random A-scans with envelope and label, the B-scan with the labels, amplitudes, and the mean spectrum.

    Args:
        num_traces: int. A-scans to draw, at most as many as there are. Defaults to `4`.
    """
    signals, onset = recording.signals, recording.onset
    chosen = np.sort(np.random.default_rng(seed).permutation(len(signals))[:num_traces])
    figure = Figure(figsize=(12, 1.5 * len(chosen) + 5.5), layout="constrained")
    top, bottom = figure.subfigures(2, 1, squeeze=False, height_ratios=[1.5 * len(chosen), 5.5])[:, 0]
    time = (np.arange(signals.shape[1]) / recording.sampling_rate + recording.start_time) * 1e6
    tof = None if onset is None else (onset / recording.sampling_rate + recording.start_time) * 1e6
    rows = top.subplots(len(chosen), 1, sharex=True, squeeze=False)[:, 0]
    for axes, i in zip(rows, chosen, strict=True):
        offset = np.median(signals[i])
        axes.plot(time, signals[i], color=_SIGNAL, linewidth=0.6, label="signal")
        axes.plot(time, _envelope(signals[i] - offset) + offset, color=_ENVELOPE, linewidth=0.8, label="envelope")
        if tof is not None and np.isfinite(tof[i]):
            axes.axvline(tof[i], color=_LABEL, linewidth=1.0, label="label")
        axes.set_title(recording.names[i], fontsize=8, loc="left", pad=2)
    rows[0].legend(loc="upper right", fontsize=7, ncols=3)
    rows[-1].set(xlabel="Time / µs", xlim=(time[0], time[-1]))
    unit = recording.unit or "unit not stated"
    top.supylabel(f"Amplitude / {unit}", fontsize=9)
    b_scan, histogram, spectrum = bottom.subplots(1, 3, width_ratios=[2, 1, 1])
    _draw_b_scan(b_scan, signals, time, tof)
    histogram.hist(signals.ravel(), bins=129, color=_SIGNAL, log=True)
    for edge in recording.full_scale or ():
        histogram.axvline(edge, color=_LABEL, linewidth=0.8, linestyle="--", label="full scale")
    histogram.set(xlabel=f"Amplitude / {unit}", ylabel="Samples", title="Amplitudes")
    frequencies, power = mean_spectrum(signals, recording.sampling_rate)
    # Drift may be far stronger than all echoes; it runs out of the picture at the top.
    peak = power[~is_drift(frequencies, recording.sampling_rate)].max()
    level = 10 * np.log10(np.maximum(power / peak, 1e-12))
    spectrum.plot(frequencies / 1e6, level, color=_SIGNAL, linewidth=0.8)
    spectrum.set(
        xlabel="Frequency / MHz",
        ylabel="Power / dB of its peak",
        title="Mean spectrum",
        xlim=(0, frequencies[-1] / 1e6),
        ylim=(max(level.min(), -100), 3),
    )
    return figure


def _envelope(signal):
    # The Hilbert transform is periodic: mirrored ends keep one end's pulse from showing up at the other.
    margin = len(signal) // 4
    return np.abs(scipy.signal.hilbert(np.pad(signal, margin, mode="reflect")))[margin : margin + len(signal)]


def _draw_b_scan(axes, signals, time, tof):
    # A picture has fewer columns than a trace has samples: the largest of each step is kept, so that no echo is lost.
    step = -(-signals.shape[1] // _MAX_COLUMNS)
    count = signals.shape[1] // step * step
    magnitude = np.abs(signals - np.median(signals, axis=1, keepdims=True))[:, :count]
    magnitude = magnitude.reshape(len(signals), -1, step).max(axis=2)
    level = 20 * np.log10(np.maximum(magnitude / magnitude.max(), 1e-3))
    extent = (time[0], time[count - 1], len(signals) - 0.5, -0.5)
    image = axes.imshow(level, aspect="auto", extent=extent, cmap="gray", vmin=-60, vmax=0, interpolation="nearest")
    axes.figure.colorbar(image, ax=axes, label="Magnitude / dB of the largest", pad=0.01)
    if tof is not None:
        axes.plot(tof, np.arange(len(tof)), ".", color=_LABEL, markersize=5, label="label")
        axes.legend(loc="upper right", fontsize=7)
    axes.set(xlabel="Time / µs", ylabel="Trace", title="B-scan")
