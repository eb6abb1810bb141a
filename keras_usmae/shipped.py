"""Folders that lie beside the package in a checkout, and inside of it in a wheel: recipes and dataset builders."""

import importlib.util
import sys
from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped_folder(name: str) -> Path:
    """Where `recipes` or `datasets` lies.

    Args:
        name: str, its name in a checkout.

    Returns:
        A `Path`: in a wheel a folder of the package, under a name that shadows no other package's.
    """
    inside = _PACKAGE / f"_{name}"
    return inside if inside.is_dir() else _PACKAGE.parent / name


def import_package(name: str, folder: Path) -> None:
    """Imports a folder as a package of this name, wherever it lies.

    Args:
        folder: `pathlib.Path`, which holds an `__init__.py`.
    """
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None, "a .py file has one"
    assert spec.loader is not None, "and a loader"
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
