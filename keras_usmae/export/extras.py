"""The optional packages that run and read TFLite files."""

import importlib


def import_extra(module):
    """Imports a module of the optional extra `mcu`.

    Args:
        module: str, its full name.

    Returns:
        The module.

    Raises:
        ImportError: telling how to install it.

    Example:

    ```python
    schema = import_extra("ai_edge_litert.schema_py_generated")
    ```
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"Checking exported models needs {module.split('.')[0]!r}, which is not installed ({error}). "
            "Install it with: pip install keras-usmae[mcu]"
        ) from error
