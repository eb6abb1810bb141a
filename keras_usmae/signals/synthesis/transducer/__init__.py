"""A transducer described in a file, and the A-scans that it would record."""

from keras_usmae.signals.synthesis.transducer.config import TransducerConfig
from keras_usmae.signals.synthesis.transducer.file import read_transducer, transducer_names
from keras_usmae.signals.synthesis.transducer.pulses import make_pulses, measured_band

__all__ = [
    "TransducerConfig",
    "make_pulses",
    "measured_band",
    "read_transducer",
    "transducer_names",
]
