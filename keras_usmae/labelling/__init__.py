"""Labels by hand, the doubtful traces first: a page on loopback, and what it keeps."""

import importlib

__all__ = ["LabelConfig", "LabelStore", "label"]

# When they are asked for: a recipe says what is wrong with an option without Starlette and SciPy.
_LAZY = {"LabelConfig": "settings", "LabelStore": "store", "label": "serving"}


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
