"""Picks made by hand, for tests of what is done with them."""

import numpy as np

from keras_usmae.picker import Picks, Scale

SCALE = Scale(2, 1, 2.25e6, 140.0, "by hand")


def picks_of(rows, num_traces=4, scale=SCALE):
    """Picks of rows `(trace, echo, onset, confidence, amplitude)` at 1 MHz, so that samples are microseconds."""
    trace, echo, onset, confidence, amplitude = np.array(rows, "float64").reshape(-1, 5).T
    reason = np.full(num_traces, "no echo", object)
    reason[trace.astype(int)] = ""
    return Picks(
        trace=trace.astype(int),
        echo=echo.astype(int),
        onset=onset,
        tof=onset * 1e-6,
        interval=(onset[:, None] + [-3, 3]) * 1e-6,
        confidence=confidence,
        amplitude=amplitude,
        snr_db=20 * np.log10(amplitude),
        num_traces=num_traces,
        reason=reason,
        scale=scale,
        sampling_rate=1e6,
    )
