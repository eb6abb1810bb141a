"""What README and how-tos show, runs, and what they name, exists."""

import re

import pytest

PAGES = ["README.md", "docs/how-to/datasets.md", "docs/how-to/transducer.md"]


@pytest.mark.parametrize("page", PAGES)
def test_python_examples_run(repository, page, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    blocks = re.findall(r"```python\n(.*?)```", (repository / page).read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, page, "exec"), {})
    assert capsys.readouterr().out


def test_the_readme_is_short(repository):
    assert len((repository / "README.md").read_text().splitlines()) <= 120


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_what_is_linked_or_named_exists(repository, page):
    text = (repository / page).read_text()
    named = set(re.findall(r"\]\((?!https?:|#)([^)#]+)", text)) | set(
        re.findall(r"`((?:recipes|docs)/[\w/-]+\.\w+)`", text)
    )
    gone = {"recipes/ablate.py", "docs/formats.md"} if page == "CHANGELOG.md" else set()
    assert named
    assert not [name for name in named - gone if not (repository / name).exists()]


def test_the_commands_of_the_readme_exist(repository):
    from keras_usmae.cli import find_recipes

    table = (repository / "README.md").read_text().split("## Commands")[1].split("## Results")[0]
    named = {name for cell in re.findall(r"^\| (`.*?) \|", table, re.M) for name in re.findall(r"`([\w-]+)`", cell)}
    assert named == set(find_recipes(repository / "recipes"))
