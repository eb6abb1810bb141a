"""Ultrasound signals without Keras: synthesis, classical time of flight, bounds, measured labels and windows."""

from keras_usmae.signals.bounds import delay_crb_carrier, delay_crb_envelope
from keras_usmae.signals.burst_fitting import fit_bursts
from keras_usmae.signals.bursts import ENVELOPES, tone_burst
from keras_usmae.signals.config import SignalConfig
from keras_usmae.signals.correlation import pick_cross_correlation, pick_matched_filter, pulse_bank
from keras_usmae.signals.impossible import BURST_KINDS, alternating_noise, broken_bursts, burst_patches
from keras_usmae.signals.interpolation import INTERPOLATIONS, interpolate_removed
from keras_usmae.signals.noise import NOISE_COLORS
from keras_usmae.signals.normalization import check_signals, standardize
from keras_usmae.signals.onset_bounds import (
    estimate_bandwidth,
    measured_onset_bounds,
    onset_bound,
    synthetic_onset_bounds,
)
from keras_usmae.signals.picking import pick_aic, pick_threshold
from keras_usmae.signals.snr_scores import score_over_snr
from keras_usmae.signals.synthesis import draw_parameters, render, synthesize
from keras_usmae.signals.tof import (
    class_to_onset,
    mm_to_samples,
    onset_to_class,
    samples_to_mm,
    samples_to_seconds,
    seconds_to_samples,
)
from keras_usmae.signals.transducer import TransducerConfig, read_transducer, transducer_names

__all__ = [
    "BURST_KINDS",
    "ENVELOPES",
    "INTERPOLATIONS",
    "NOISE_COLORS",
    "SignalConfig",
    "TransducerConfig",
    "alternating_noise",
    "broken_bursts",
    "burst_patches",
    "check_signals",
    "class_to_onset",
    "delay_crb_carrier",
    "delay_crb_envelope",
    "draw_parameters",
    "estimate_bandwidth",
    "fit_bursts",
    "interpolate_removed",
    "measured_onset_bounds",
    "mm_to_samples",
    "onset_bound",
    "onset_to_class",
    "pick_aic",
    "pick_cross_correlation",
    "pick_matched_filter",
    "pick_threshold",
    "pulse_bank",
    "read_transducer",
    "render",
    "samples_to_mm",
    "samples_to_seconds",
    "score_over_snr",
    "seconds_to_samples",
    "standardize",
    "synthesize",
    "synthetic_onset_bounds",
    "tone_burst",
    "transducer_names",
]
