"""How good a model is: scores, calibration, errors over the SNR, probes of frozen encoders, and their plots."""

from keras_usmae.evaluation.calibration import coverage, fit_temperature, reliability
from keras_usmae.evaluation.evaluate import Evaluation, evaluate
from keras_usmae.evaluation.label_ceiling import ceiling_interval, label_ceiling
from keras_usmae.evaluation.label_scores import score_in_sigma
from keras_usmae.evaluation.pick_scores import echo_recall, median_offset, pick_classically, score_estimates
from keras_usmae.evaluation.records import interval_over_records, number_records, split_error
from keras_usmae.evaluation.scores import score_onsets
from keras_usmae.evaluation.snr_scores import score_over_snr

__all__ = [
    "Evaluation",
    "ceiling_interval",
    "coverage",
    "echo_recall",
    "evaluate",
    "fit_temperature",
    "interval_over_records",
    "label_ceiling",
    "median_offset",
    "number_records",
    "pick_classically",
    "reliability",
    "score_estimates",
    "score_in_sigma",
    "score_onsets",
    "score_over_snr",
    "split_error",
]
