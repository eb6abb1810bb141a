"""The ready picker: echoes of recordings of any rate, length and unit, found by a shipped network."""

from keras_usmae.picker.picker import EchoPicker
from keras_usmae.picker.picks import Picks
from keras_usmae.picker.scale import Scale
from keras_usmae.picker.thickness import thickness

__all__ = ["EchoPicker", "Picks", "Scale", "thickness"]
