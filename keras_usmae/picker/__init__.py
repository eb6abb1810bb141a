"""The ready picker: echoes of recordings of any rate, length and unit, found by a shipped network."""

import importlib

from keras_usmae.picker.thickness import thickness

__all__ = ["EchoPicker", "Picks", "Scale", "thickness"]

# When they are asked for: a recipe shows its help, and says what is wrong with an option, without Keras and SciPy.
_LAZY = {"EchoPicker": "picker", "Picks": "picks", "Scale": "scale"}


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
