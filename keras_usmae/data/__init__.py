"""Data sets: loading of the project's TFDS builders and of what they prepared, and writing of their files."""

from keras_usmae.data.builders import StoredSplit, load_arrays, load_builder
from keras_usmae.data.preparing import prepare

__all__ = ["StoredSplit", "load_arrays", "load_builder", "prepare"]
