"""TFDS builders of the project. Load them with `keras_usmae.training.builders.load_builder`, not as `datasets`."""
