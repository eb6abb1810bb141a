"""Windows around the front echo in recordings of two open-hardware boards, which no data set holds.

Few records of nearly constant time of flight: another maker's electronics and probes, to test on and not to learn from.
"""

from fractions import Fraction
from pathlib import Path

import numpy as np
import scipy.signal

from datasets.ultrasound_measured import corpus
from keras_usmae.signals import standardize
from keras_usmae.signals.readers import read_recordings
from keras_usmae.signals.readers.windows import cut_windows

WINDOWS = 16  # of each record
_FOLDER = "openhw_pic0rick_un0rick"
_SIDECARS = Path(corpus.__file__).parent / "sidecars"
# Behind the transmit pulse and the receiver's recovery from it, in seconds; see the sidecars `prepare_*.toml`.
_SKIPPED = {"pic0rick": 5e-6, "un0rick": 10e-6}
# The value of a series of acquisitions, since single picks come early where the gain clips the echo.
_PIC0RICK = {"file": "tof_labels_pic0rick.csv", "key": "tof_front_echo", "unit": "samples"}
# From the README of the recordings, in seconds: 30 % of the peak, the same on all lines of a file to one sample.
_UN0RICK = {"20240208182809_ndt.npz": 39.375e-6, "20210117173109.npz": 24.61e-6}
BOARDS = tuple(_SKIPPED)


def find_boards(raw_dir):
    """Folder of the recordings below that of all measured ones, or `None`."""
    folder = Path(raw_dir) / _FOLDER if raw_dir else None
    return folder if folder and folder.is_dir() else None


def board_windows(board, folder):
    """Standardised windows at the data set's rate, whose onsets lie anywhere in them.

    Args:
        board: str, one of `BOARDS`.
        folder: `pathlib.Path` of `find_boards`.

    Returns:
        A dict of arrays as a split of the measured data set has them: `"signal"`, `"onset"` in samples, `"hole_echo"`.
    """
    rng = np.random.default_rng(0)
    signals, onsets = [], []
    for recording in _read(board, folder):
        ratio = Fraction(corpus.SAMPLING_RATE / recording.sampling_rate).limit_denominator(1000)
        records = scipy.signal.resample_poly(recording.signals, ratio.numerator, ratio.denominator, axis=1)
        onset = np.repeat(float(ratio) * _onset(board, recording), WINDOWS)
        earliest = np.maximum(corpus.SAMPLING_RATE * _SKIPPED[board], onset - corpus.ONSET_RANGE[1])
        start = np.floor(rng.uniform(earliest, onset)).astype(int)
        rows = np.repeat(np.arange(len(records)), WINDOWS)
        signals.append(cut_windows(records, rows, start, corpus.SIGNAL_LENGTH))
        onsets.append(onset - start)
    signal, onset = standardize(np.concatenate(signals)), np.concatenate(onsets)
    return {"signal": signal, "onset": onset, "hole_echo": np.zeros(len(onset), bool)}


def _read(board, folder):
    labels = {"onset": _PIC0RICK} if board == "pic0rick" else {}
    return read_recordings(folder, _SIDECARS / f"{board}.toml", **labels)


def _onset(board, recording):
    """Onset of each record in samples of its own rate."""
    if board == "pic0rick":
        return recording.onset
    return np.full(len(recording.signals), recording.sampling_rate * _UN0RICK[Path(recording.source).name])
