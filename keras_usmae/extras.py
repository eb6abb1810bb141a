"""The optional packages: imported where they are used, with an error that names the command that installs them."""

import importlib
from types import ModuleType


def import_extra(module: str, extra: str = "mcu") -> ModuleType:
    """Imports a module of an optional extra.

    Args:
        module: str, its full name.
        extra: str, the extra of this package that brings it. Defaults to `"mcu"`.

    Raises:
        ImportError: telling how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"This needs {module.split('.')[0]!r}, which is not installed ({error}). "
            f"Install it with: pip install 'keras-usmae[{extra}]'"
        ) from error
