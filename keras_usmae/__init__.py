"""Masked autoencoders for 1D ultrasound signals in Keras 3."""

from keras_usmae.registration import register_lazily

__version__ = "0.1.0"

register_lazily()
