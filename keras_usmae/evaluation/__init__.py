"""How good a model is: scores, calibration, errors over the SNR, probes of frozen encoders, and their plots."""

from keras_usmae.evaluation.calibration import coverage, fit_temperature, reliability
from keras_usmae.evaluation.scores import score_onsets
from keras_usmae.evaluation.snr_scores import score_over_snr

__all__ = ["coverage", "fit_temperature", "reliability", "score_onsets", "score_over_snr"]
