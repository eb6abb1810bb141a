"""What a described transducer's record holds beside echoes: the ring-down, and interference."""

from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.signals.synthesis.blocks import from_db
from keras_usmae.signals.synthesis.bursts import evaluate_envelope

if TYPE_CHECKING:
    from keras_usmae.signals.synthesis.transducer.config import TransducerConfig


def add_ringdown(signal: np.ndarray, parameters: dict, config: "TransducerConfig") -> None:
    """Adds the decaying oscillation of the transducer after its transmit pulse, in place."""
    rows = np.flatnonzero(parameters["ringdown_amplitude"])
    begin = _column(parameters["trigger_delay"][rows] - config.start_time * config.sampling_rate)
    since = np.arange(config.signal_length, dtype=np.float32) - begin
    angle = _column(2 * np.pi / config.sampling_rate * parameters["center_frequency"][rows]) * since
    ring = np.sin(angle + _column(parameters["ringdown_phase"][rows]))
    ring *= np.exp(-np.maximum(since, 0) / _column(parameters["ringdown_decay"][rows]))
    signal[rows] += _column(parameters["ringdown_amplitude"][rows]) * ring * (since >= 0)


def add_interference(signal: np.ndarray, burst_rms: np.ndarray, parameters: dict, config: "TransducerConfig") -> None:
    """Adds continuous waves and bursts of other devices, in place."""
    time = np.arange(config.signal_length, dtype=np.float32)
    for k in range(len(config.interference)):
        frequency, snr_db, phase, start, stop = (
            parameters[f"interference_{name}"][:, k] for name in ("frequency", "snr_db", "phase", "start", "stop")
        )
        rows = np.flatnonzero(~np.isnan(snr_db))
        amplitude = np.sqrt(2) * burst_rms[rows] / from_db(snr_db[rows])
        sine = np.sin(_column(2 * np.pi / config.sampling_rate * frequency[rows]) * time + _column(phase[rows]))
        if config.interference[k].duration:
            length = stop[rows] - start[rows]
            sine *= evaluate_envelope("tukey", (time - _column(start[rows])) / _column(length), np.ones(len(rows)))
        signal[rows] += _column(amplitude) * sine


def _column(values):
    return np.asarray(values).astype(np.float32)[:, None]
