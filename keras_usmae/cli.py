"""The command `usmae`: each recipe as a subcommand, with the same code as `python recipes/NAME.py`."""

import ast
import difflib
import importlib
import sys

import keras_usmae
from keras_usmae.shipped import shipped_folder

_EPILOG = "`usmae COMMAND --help` lists the options of a command. KERAS_BACKEND chooses tensorflow, jax or torch."


def main():
    """Runs the command that the first argument names; without one, lists them."""
    folder = shipped_folder("recipes")
    recipes = find_recipes(folder)
    command, arguments = (sys.argv[1] if sys.argv[1:] else "--help"), sys.argv[2:]
    if command in ("--help", "-h"):
        print(_listing(recipes))
    elif command == "--version":
        print(keras_usmae.__version__)
    elif command.replace("_", "-") in recipes:
        path = recipes[command.replace("_", "-")]
        sys.path.insert(0, str(folder))  # as Python does for a script
        sys.argv = [str(path), *arguments]
        recipe = importlib.import_module(path.stem)
        importlib.import_module("options").run(recipe.main, f"usmae {command}")
    else:
        near = difflib.get_close_matches(command, recipes, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"The commands are {', '.join(recipes)}."
        print(f"usmae has no command {command!r}. {hint}", file=sys.stderr)
        sys.exit(2)


def find_recipes(folder):
    """The recipes of a folder.

    Args:
        folder: `Path`.

    Returns:
        A dict from the names of commands, such as `"prepare-data"`, to the paths of their files.

    Example:

    ```python
    find_recipes(Path("recipes"))["predict"]  # recipes/predict.py
    ```
    """
    files = sorted(folder.glob("*.py"))
    return {path.stem.replace("_", "-"): path for path in files if '__name__ == "__main__"' in path.read_text("utf-8")}


def _listing(recipes):
    width = max(map(len, recipes))
    # Parsed, not imported: to list them takes no Keras.
    first = {
        name: ast.get_docstring(ast.parse(path.read_text("utf-8"))).split("\n\n")[0] for name, path in recipes.items()
    }
    lines = (f"  {name:{width}}  {' '.join(text.split())}" for name, text in first.items())
    return "\n".join(["Usage: usmae COMMAND [OPTIONS]", "", "Commands:", *lines, "", _EPILOG])
