"""Measured traces from files of others: .npy, .npz, .mat, .h5, .nde, .csv and .wav, each with a sidecar.

These readers alone of `keras_usmae.signals` need h5py, so they are imported by name.
"""

from keras_usmae.signals.readers.reading import read_recordings
from keras_usmae.signals.readers.recording import Recording, make_recording, resample_recording
from keras_usmae.signals.readers.report import (
    RecordingReport,
    estimate_snr,
    find_clipping,
    mean_spectrum,
    report_recording,
)
from keras_usmae.signals.readers.sidecar import OnsetLabel, Sidecar, read_sidecar

__all__ = [
    "OnsetLabel",
    "Recording",
    "RecordingReport",
    "Sidecar",
    "estimate_snr",
    "find_clipping",
    "make_recording",
    "mean_spectrum",
    "read_recordings",
    "read_sidecar",
    "report_recording",
    "resample_recording",
]
