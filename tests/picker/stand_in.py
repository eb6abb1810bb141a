"""A picker that needs no network: it finds where the envelope rises, so that tests of all around it are quick."""

import types

import numpy as np
import scipy.ndimage
import scipy.signal

from keras_usmae.picker.picks import Picks
from keras_usmae.picker.scale import Scale, as_scale


def a_scans(num_traces, num_samples=1000, onsets=(300, 700), amplitudes=(1.0, 0.6), shift=0.5, noise=0.01):
    """Traces with echoes whose onsets move on by `shift` samples a trace, of shape `(num_traces, num_samples)`."""
    time = np.arange(num_samples) - shift * np.arange(num_traces)[:, None]
    signals = noise * np.random.default_rng(0).standard_normal((num_traces, num_samples))
    for onset, amplitude in zip(onsets, amplitudes, strict=True):
        place = time - onset
        inside = (place >= 0) & (place < 80)
        signals += amplitude * inside * np.sin(np.pi * place / 80) ** 2 * np.sin(2 * np.pi * place / 20)
    return signals


class StandIn:
    """In place of `EchoPicker`: echoes that are at least a fifth of the largest, each as sure as it is large."""

    bin_width = 16
    settings = types.MappingProxyType({"min_confidence": 0.1})

    def choose_scale(self, signals, sampling_rate):
        return Scale(1, 1, 2.5e6, 80.0, f"x1, {sampling_rate / 1e6:g} to {sampling_rate / 1e6:g} MHz: a stand-in")

    def pick(self, signals, sampling_rate, start_time=0.0, scale=None, min_confidence=None, batch_size=256):
        envelope = np.abs(scipy.signal.hilbert(signals - np.median(signals, axis=1, keepdims=True), axis=1))
        peak = envelope.max(axis=1, keepdims=True)
        loudest = scipy.ndimage.maximum_filter1d(envelope, 161, axis=1)
        trace, top = np.nonzero((envelope == loudest) & (envelope > 0.2 * peak))
        amplitude = envelope[trace, top]
        quiet = (envelope[trace] < 0.1 * amplitude[:, None]) & (np.arange(signals.shape[1]) < top[:, None])
        onset = signals.shape[1] - 1.0 - quiet[:, ::-1].argmax(axis=1)
        confidence = amplitude / peak[trace, 0]
        keep = confidence >= (self.settings["min_confidence"] if min_confidence is None else min_confidence)
        trace, onset, amplitude, confidence = (values[keep] for values in (trace, onset, amplitude, confidence))
        tof = onset / sampling_rate + start_time
        reason = np.full(len(signals), "no echo", object)
        reason[trace] = ""
        return Picks(
            trace=trace,
            echo=np.arange(len(trace)) - np.searchsorted(trace, trace),
            onset=onset,
            tof=tof,
            interval=tof[:, None] + np.array([-4, 4]) / sampling_rate,
            confidence=confidence,
            amplitude=amplitude,
            snr_db=np.full(len(trace), 30.0),
            num_traces=len(signals),
            reason=reason,
            scale=as_scale(1 if scale is None else scale),
            sampling_rate=sampling_rate,
        )
