"""TFDS builders of the project. Load them with `keras_usmae.data.builders.load_builder`, not as `datasets`."""
