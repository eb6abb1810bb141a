"""The command `usmae`: the recipes, by name."""

import subprocess
import sys

import pytest

from keras_usmae import cli
from keras_usmae.shipped import shipped_folder


@pytest.fixture
def usmae(monkeypatch, capsys):
    """Runs the command: its exit code and what it printed."""
    kept = dict(sys.modules)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["usmae", *arguments])
        try:
            code = cli.main()
        except SystemExit as end:
            code = end.code
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    yield run
    for name in [name for name in sys.modules if name.split(".")[0] == "recipes"]:
        del sys.modules[name]
    sys.modules.update({name: module for name, module in kept.items() if name.split(".")[0] == "recipes"})


def test_every_recipe_is_listed_without_keras():
    code = "import sys; from keras_usmae.cli import main; main(); assert 'keras' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    listed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert {"experiment", "predict", "prepare-data", "pretrain", "finetune", "evaluate", "export", "tune"} <= set(
        listed
    )


def test_a_command_is_the_recipe(usmae, repository):
    code, printed = usmae("predict", "--help")
    assert code == 0
    assert "Usage: usmae predict [OPTIONS]" in printed
    script = subprocess.run(
        [sys.executable, repository / "recipes" / "predict.py", "--help"], capture_output=True, text=True, check=True
    )
    assert printed.partition("╭")[2] == script.stdout.partition("╭")[2] != ""


def test_errors_are_told_as_by_the_recipe(usmae, tmp_path):
    code, printed = usmae("prepare_data", "--dataset", "ultrasound_synthetic/none")
    assert code == 1
    assert printed.startswith("ValueError: 'ultrasound_synthetic' has no config 'none'")


def test_an_unknown_command_is_told_with_the_nearest(usmae):
    assert usmae("predikt") == (2, "usmae has no command 'predikt'. Did you mean 'predict'?\n")
    code, printed = usmae("fly")
    assert code == 2
    assert "The commands are " in printed


def test_recipes_and_builders_lie_in_the_wheel_or_beside_the_package(repository):
    assert shipped_folder("recipes") == repository / "recipes"
    assert (shipped_folder("datasets") / "ultrasound_synthetic").is_dir()


HELP = """
import runpy, sys
sys.argv = [sys.argv[1], "--help"]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    print({"keras", "scipy", "tensorflow", "jax", "torch", "matplotlib"} & set(sys.modules))
"""


RECIPES = [*sorted(shipped_folder("recipes").glob("[a-z]*.py")), shipped_folder("recipes") / "experiments" / "run.py"]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_help_waits_for_nothing_heavy(recipe):
    done = subprocess.run([sys.executable, "-c", HELP, str(recipe)], capture_output=True, text=True)
    assert "Usage" in done.stdout
    assert done.stdout.splitlines()[-1] == "set()"
