"""The documentation: tutorials run as they stand there, and the reference has every public name."""

import importlib
import inspect
import os
import pkgutil
import re
import stat
import subprocess
import sys
import zlib

import numpy as np
import pytest

import keras_usmae as ku

ROOMS = (
    "configs",
    "data",
    "evaluation",
    "labelling",
    "layers",
    "models",
    "picker",
    "signals",
    "signals.readers",
    "training",
    "tuning",
)
PACKAGES = [f"keras_usmae.{room}" for room in ["configs", *ROOMS]]


@pytest.fixture
def shell(tmp_path, repository):
    """Runs lines of a shell in an empty folder, with `usmae` at hand."""
    commands = tmp_path / "bin"
    commands.mkdir()
    usmae = commands / "usmae"
    usmae.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from keras_usmae.cli import main; main()" "$@"\n')
    usmae.chmod(usmae.stat().st_mode | stat.S_IXUSR)
    path = [str(commands), os.environ["PATH"]]
    python = [str(repository), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PATH": os.pathsep.join(path), "PYTHONPATH": os.pathsep.join(python)}

    def run(lines):
        done = subprocess.run(["bash", "-ec", lines], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{lines}\n{done.stdout}\n{done.stderr}"

    return run


@pytest.mark.slow
@pytest.mark.parametrize("name", ["scan", "ablation", "chip"])
def test_a_tutorial_runs_from_its_first_line_to_its_last(name, repository, tmp_path, monkeypatch, shell):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", (repository / f"docs/tutorials/{name}.md").read_text(), re.M | re.S)
    assert {"python", "sh"} <= {language for language, _ in blocks}
    names = {}
    for language, block in blocks:
        if language == "python":
            exec(compile(block, f"{name}.md", "exec"), names)
        elif language == "sh" and not block.startswith("pip install"):
            shell(block)
    if name == "scan":
        assert np.nanmedian(abs(names["error"])) < 0.2


def test_every_tutorial_is_tested(repository):
    assert {path.stem for path in (repository / "docs/tutorials").glob("*.md")} == {"scan", "ablation", "chip"}


def test_the_first_page_of_the_reference_has_every_name_of_the_face(repository):
    page = (repository / "docs/reference/index.md").read_text()
    packages = {name for name in ku.__all__ if name.islower() and f"`{name}`" in page}
    assert not [name for name in ku.__all__ if f"`ku.{name}`" not in page and name not in packages | {"__version__"}]


@pytest.mark.parametrize("room", ["layers", "models", "training", "tuning"])
def test_a_public_method_has_a_docstring_unless_it_overrides_one(room):
    package = importlib.import_module(f"keras_usmae.{room}")
    modules = [
        importlib.import_module(f"{package.__name__}.{each.name}") for each in pkgutil.iter_modules(package.__path__)
    ]
    classes = {item for module in modules for item in vars(module).values() if inspect.isclass(item)}
    own = [item for item in classes if item.__module__.startswith("keras_usmae.") and item.__name__[0] != "_"]
    assert own
    assert not [
        f"{owner.__name__}.{name}"
        for owner in own
        for name, member in vars(owner).items()
        if not name.startswith("_")
        and inspect.isfunction(getattr(member, "fget", getattr(member, "__func__", member)))
        and not member.__doc__
        and not any(hasattr(base, name) for base in owner.__mro__[1:])
    ]


@pytest.mark.slow
def test_the_site_is_built_strictly_and_has_every_public_name(repository, tmp_path):
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    pytest.importorskip("mkdocstrings", reason="the extra docs is not installed")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    inventory = (tmp_path / "objects.inv").read_bytes().split(b"\n", 4)[4]
    entries = {line.split()[0] for line in zlib.decompress(inventory).decode().splitlines()}
    # By the package that exports a name, or by the module that it lies in; constants are in a table.
    missing = {
        f"{package}.{name}"
        for package in PACKAGES
        for name in importlib.import_module(package).__all__
        if not any(re.fullmatch(rf"{package}(\.\w+)?\.{name}", entry) for entry in entries)
        and f"| `{name}` |" not in (repository / f"docs/reference/{package.rpartition('.')[2]}.md").read_text()
    }
    assert not missing
    pages = "".join(page.read_text() for page in tmp_path.rglob("*.html"))
    assert not re.findall(r'(?:src|href)="https?://[^"]+\.(?:js|css|woff2?)"', pages)
