"""What the README shows, runs."""

import re

import pytest


def blocks(repository):
    return re.findall(r"```python\n(.*?)```", (repository / "README.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_python_examples_run(repository, index, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert len(blocks(repository)) == 3
    exec(compile(blocks(repository)[index], f"README example {index}", "exec"), {})
    assert capsys.readouterr().out


def test_named_recipes_and_modules_exist(repository):
    text = (repository / "README.md").read_text()
    named = set(re.findall(r"recipes/[\w/]+\.py", text)) | set(re.findall(r"\]\((datasets/[^)#]+)", text))
    assert named
    assert not [name for name in named if not (repository / name).exists()]
