"""Measured traces from files of others: arrays (.npy, .npz, .mat, HDF5, .wav, .tdms) and tables (.csv and the like).

A file says what it can of its rate, start and units, and a sidecar the rest.

These readers alone of `keras_usmae.signals` need h5py, so they are imported by name.
"""

from keras_usmae.signals.readers.preparation import Preparation, fingerprint, read_preparation
from keras_usmae.signals.readers.reading import iterate_recordings, read_recordings
from keras_usmae.signals.readers.recording import Recording, make_recording, resample_recording
from keras_usmae.signals.readers.report import (
    RecordingReport,
    find_clipping,
    is_drift,
    mean_spectrum,
    report_recording,
)
from keras_usmae.signals.readers.settle import MissingKeyError, Provenance
from keras_usmae.signals.readers.sidecar import Column, OnsetLabel, Sidecar, read_sidecar
from keras_usmae.signals.readers.snr import estimate_snr
from keras_usmae.signals.readers.windowing import WindowPlan, plan_windows

__all__ = [
    "Column",
    "MissingKeyError",
    "OnsetLabel",
    "Preparation",
    "Provenance",
    "Recording",
    "RecordingReport",
    "Sidecar",
    "WindowPlan",
    "estimate_snr",
    "find_clipping",
    "fingerprint",
    "is_drift",
    "iterate_recordings",
    "make_recording",
    "mean_spectrum",
    "plan_windows",
    "read_preparation",
    "read_recordings",
    "read_sidecar",
    "report_recording",
    "resample_recording",
]
