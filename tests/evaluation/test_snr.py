"""What is said of errors over SNR where a dataset stores less than a bound needs."""

import numpy as np

from keras_usmae.evaluation.snr import error_over_snr, snr_table


def test_without_lengths_and_sources_there_is_no_bound():
    arrays = {"snr_db": np.array([20.0, 22.0, 24.0, np.nan]), "onset_sigma": np.array([1.0, 2.0, 3.0, 90.0])}
    errors = {"a": np.array([1.0, -2.0, 3.0, 500.0]), "none": np.full(4, np.nan)}
    rows, together, notes = error_over_snr(arrays, errors, 100e6)
    text = "\n".join(notes)
    assert "There is no bound" in text
    assert "2.00 samples (median" in text  # of the three signals with an SNR
    head, _, *lines = snr_table(rows, together)
    assert head.startswith("| SNR (dB) | signals | label sigma | a, sigma | a, RMSE | none, sigma |")
    assert lines[-1].startswith("| 20.0 to 24.0 | 3 |")
    assert lines[-1].endswith("| nothing found | nothing found |")


def test_no_signal_with_an_snr_is_told():
    assert error_over_snr({"snr_db": np.full(3, np.nan)}, {"a": np.zeros(3)}, 100e6)[:2] == ([], [])
    (note,) = error_over_snr({"snr_db": np.full(3, np.nan)}, {"a": np.zeros(3)}, 100e6)[2]
    assert "no error over SNR" in note
