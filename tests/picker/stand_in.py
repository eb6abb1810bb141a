"""A picker that needs no network: it finds where the envelope rises, so that tests of all around it are quick."""

import types

import numpy as np
import scipy.ndimage

from keras_usmae.picker.picks import Picks
from keras_usmae.picker.scale import Scale
from keras_usmae.signals.analytic import analytic_signal


class StandIn:
    """In place of `EchoPicker`."""

    detector = types.SimpleNamespace(bin_width=16)
    settings = types.MappingProxyType({"min_confidence": 0.3})

    def choose_scale(self, signals, sampling_rate):
        return Scale(1, 1, 2.5e6, 40.0, "x1: a stand-in")

    def pick(self, signals, sampling_rate, start_time=0.0, scale=None, min_confidence=None, batch_size=256):
        signals = np.atleast_2d(signals).astype("float64")
        signals = signals - np.median(signals, axis=1, keepdims=True)
        envelope = np.abs(analytic_signal(signals, 1.0, (0.004, 0.2)))
        peak = envelope.max(axis=1, keepdims=True)
        trace, onset, confidence, amplitude = [], [], [], []
        for i, row in enumerate(envelope):
            loud = scipy.ndimage.maximum_filter1d(row, 161)
            for place in np.flatnonzero((row == loud) & (row > 0.2 * peak[i])):
                start = place - np.argmax(row[place::-1] < 0.1 * row[place])
                trace.append(i)
                onset.append(float(start))
                amplitude.append(row[place])
                confidence.append(float(np.clip(row[place] / peak[i, 0], 0, 1)))
        trace, onset, confidence, amplitude = (np.array(x) for x in (trace, onset, confidence, amplitude))
        trace = trace.astype("int64")
        rank = np.arange(len(trace)) - np.searchsorted(trace, trace)
        tof = onset / sampling_rate + start_time
        reason = np.full(len(signals), "no echo", object)
        reason[trace] = ""
        return Picks(
            trace=trace,
            echo=rank,
            onset=onset,
            tof=tof,
            interval=tof[:, None] + np.array([-4, 4]) / sampling_rate,
            confidence=confidence,
            amplitude=amplitude,
            snr_db=np.full(len(trace), 30.0),
            num_traces=len(signals),
            reason=reason,
            scale=scale if isinstance(scale, Scale) else Scale(int(scale or 1), 1, np.nan, np.nan, "as asked for"),
            sampling_rate=sampling_rate,
        )
