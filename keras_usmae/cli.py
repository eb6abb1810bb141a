"""The command `usmae`: each recipe as a subcommand, with the same code as `python recipes/NAME.py`."""

import ast
import importlib
import sys
from pathlib import Path

import keras_usmae
from keras_usmae.fields import did_you_mean
from keras_usmae.shipped import import_package, shipped_folder

_EPILOG = "`usmae COMMAND --help` lists the options of a command. KERAS_BACKEND chooses tensorflow, jax or torch."


def main() -> None:
    """Runs the command that the first argument names; without one, lists them."""
    folder = shipped_folder("recipes")
    recipes = find_recipes(folder)
    command, arguments = (sys.argv[1] if sys.argv[1:] else "--help"), sys.argv[2:]
    if command in ("--help", "-h"):
        print(_listing(recipes))
    elif command == "--version":
        print(keras_usmae.__version__)
    elif command.replace("_", "-") in recipes:
        _run(folder, recipes[command.replace("_", "-")], arguments, f"usmae {command}")
    else:
        hint = did_you_mean(command, recipes) or f" The commands are {', '.join(recipes)}."
        print(f"usmae has no command {command!r}.{hint}", file=sys.stderr)
        sys.exit(2)


def find_recipes(folder: Path) -> dict:
    """The recipes of a folder.

    Returns:
        A dict from the names of commands, such as `"prepare-data"`, to the paths of their files.
    """
    recipes = {path.stem.replace("_", "-"): path for path in folder.glob("*.py") if not path.stem.startswith("_")}
    recipes["experiment"] = folder / "experiments" / "run.py"
    return dict(sorted(recipes.items()))


def _run(folder, path, arguments, command):
    # In a wheel the folder lies inside of this package; its files know each other as `recipes`.
    import_package("recipes", folder)
    recipe = importlib.import_module(".".join(["recipes", *path.relative_to(folder).with_suffix("").parts]))
    sys.argv = [str(path), *arguments]

    from keras_usmae import options  # here: to list the commands takes no typer

    options.run(recipe.main, command)


def _listing(recipes):
    width = max(map(len, recipes))
    lines = (f"  {name:{width}}  {_summary(path)}" for name, path in recipes.items())
    return "\n".join(["Usage: usmae COMMAND [OPTIONS]", "", "Commands:", *lines, "", _EPILOG])


def _summary(path):
    # Parsed, not imported: to list the recipes takes no Keras.
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split())
