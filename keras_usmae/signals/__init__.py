"""Ultrasound signals without Keras: synthesis, classical picking with its bounds, and readers of recordings."""

from keras_usmae.signals.normalization import check_signals, standardize
from keras_usmae.signals.picking.bounds import delay_crb_carrier, delay_crb_envelope
from keras_usmae.signals.picking.correlation import pick_cross_correlation, pick_matched_filter, pulse_bank
from keras_usmae.signals.picking.first_rise import pick_aic, pick_threshold
from keras_usmae.signals.picking.onset_bounds import (
    estimate_bandwidth,
    measured_onset_bounds,
    onset_bound,
    synthetic_onset_bounds,
)
from keras_usmae.signals.synthesis.bursts import ENVELOPES, tone_burst
from keras_usmae.signals.synthesis.config import SignalConfig
from keras_usmae.signals.synthesis.example_scan import ExampleScan, example_scan
from keras_usmae.signals.synthesis.noise import NOISE_COLORS
from keras_usmae.signals.synthesis.synthesize import draw_parameters, render, synthesize
from keras_usmae.signals.synthesis.transducer import TransducerConfig, read_transducer, transducer_names
from keras_usmae.signals.tof import (
    class_to_onset,
    mm_to_samples,
    onset_to_class,
    samples_to_mm,
    samples_to_seconds,
    seconds_to_samples,
)

__all__ = [
    "ENVELOPES",
    "NOISE_COLORS",
    "ExampleScan",
    "SignalConfig",
    "TransducerConfig",
    "check_signals",
    "class_to_onset",
    "delay_crb_carrier",
    "delay_crb_envelope",
    "draw_parameters",
    "estimate_bandwidth",
    "example_scan",
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
    "seconds_to_samples",
    "standardize",
    "synthesize",
    "synthetic_onset_bounds",
    "tone_burst",
    "transducer_names",
]
