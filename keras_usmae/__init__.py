"""Masked autoencoders for 1D ultrasound signals in Keras 3."""

__version__ = "0.1.0"
