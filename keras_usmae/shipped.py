"""Folders that lie beside the package in a checkout, and inside of it in a wheel: recipes and dataset builders."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped_folder(name):
    """Where `recipes` or `datasets` lies.

    Args:
        name: str, its name in a checkout.

    Returns:
        A `Path`: in a wheel a folder of the package, under a name that shadows no other package's.

    Example:

    ```python
    shipped_folder("recipes") / "predict.py"
    ```
    """
    inside = _PACKAGE / f"_{name}"
    return inside if inside.is_dir() else _PACKAGE.parent / name
