"""Data sets: loading of the project's TFDS builders and of what they prepared, and writing of their files."""

from keras_usmae.data.builders import StoredSplit, load_arrays, load_builder
from keras_usmae.data.dataset import SignalDataset, load_dataset
from keras_usmae.data.preparing import prepare

__all__ = ["SignalDataset", "StoredSplit", "load_arrays", "load_builder", "load_dataset", "prepare"]
