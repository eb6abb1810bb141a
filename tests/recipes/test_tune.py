"""tune.py as a user runs it: small, but whole."""

import csv
import json

import pytest

SPACE = """
[size]
choice = ["free"]
[hidden_dim]
choice = [8, 64]
[num_layers]
choice = [1]
[num_heads]
choice = [1]
[head_dim]
choice = [8]
[patch_size]
choice = [64]
[learning_rate]
low = 1e-3
high = 1e-2
"""
SEARCH = ["--task", "finetune", "--dataset", "ultrasound_synthetic/quickstart", "--tuner", "random", "--labels", 64]
SEARCH += ["--epochs", 1]


def rows(folder):
    with (folder / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.long
@pytest.mark.usefixtures("without_xla")
def test_a_search_is_stopped_goes_on_and_its_best_is_what_finetune_gives(recipe_here, tmp_path):
    space, folder = tmp_path / "space.toml", tmp_path / "search"
    space.write_text(SPACE)
    arguments = [*SEARCH, "--space", space, "--max-flash", "40kB", "--output", folder]
    code, printed = recipe_here("tune", *arguments, "--max-trials", 1)
    assert code == 0, printed
    code, printed = recipe_here("tune", *arguments, "--max-trials", 2)
    assert (code, "--resume" in printed) == (1, True)
    code, printed = recipe_here("tune", *arguments, "--max-trials", 2, "--seed", 1, "--resume")
    assert (code, "seed: 0 there, 1 now" in printed) == (1, True)
    code, printed = recipe_here("tune", *arguments, "--max-trials", 2, "--resume")
    assert code == 0, printed
    assert "best so far" in printed
    found = rows(folder)
    assert [row["status"] for row in found] == ["completed"] * 2
    assert {row["hidden_dim"] for row in found} == {"8"}
    assert all(0 < int(row["flash"]) <= 40_000 for row in found)
    names = {path.name for path in folder.iterdir()}
    plots = {"parallel_coordinates.png", "pareto.png"}
    assert names == {
        *plots, ".lock", "config.json", "results.csv", "results.md", "best.json", "trials", "footprints", "tensorboard"
    }  # fmt: skip

    code, printed = recipe_here("finetune", "--config", folder / "best.json", "--output", tmp_path / "run")
    assert code == 0, printed
    with (tmp_path / "run" / "metrics.csv").open(newline="") as file:
        errors = [float(row["val_error_samples"]) for row in csv.DictReader(file)]
    assert min(errors) == pytest.approx(min(float(row["val_error_samples"]) for row in found), rel=1e-3)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["encoder.hidden_dim"] == 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--objective", "val_error"], "Unknown objective 'val_error'"),
        (["--max-flash", "much"], "such as 128kB"),
        (["--space", "nowhere.toml"], "nowhere.toml"),
        (["--pretrained", "nowhere"], "no pre-trained encoder at nowhere"),
        (["--pretrained", "nowhere", "--pretraining", "ultrasound_synthetic/quickstart"], "Give one of them"),
        (["--task", "pretrain", "--pretrained", "nowhere"], "is for --task finetune"),
        (["--dataset", "mnist"], "mnist"),
        (["--max-macs", "1k", "--labels", 64], "Nothing in finetune.toml fits the budget (macs 0.001 M)"),
    ],
)
def test_bad_input_is_told_in_one_line_and_leaves_nothing(recipe_here, tmp_path, arguments, message):
    output = tmp_path / "run"
    code, printed = recipe_here("tune", *SEARCH, *arguments, "--output", output)
    assert code == 1
    assert message in printed
    assert not output.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ('{"pretrain": {}}', "has no entry 'finetune'"),
        ('{"finetune": {"epoch": 3}}', "has options ['epoch']"),
        ('{"finetune": {"epochs": 0}}', "epochs"),
    ],
)
def test_bad_files_of_options(recipe_here, tmp_path, content, message):
    (tmp_path / "best.json").write_text(content)
    code, printed = recipe_here("finetune", "--config", tmp_path / "best.json", "--output", tmp_path / "run")
    assert code != 0
    assert message in printed
    assert not (tmp_path / "run").exists()


def test_help_explains_every_option(recipe_here, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, printed = recipe_here("tune", "--help")
    assert code == 0
    options = [line for line in printed.splitlines() if line.strip("│ *").startswith("--")]
    assert len(options) > 15
    assert not [line for line in options if len(line.split()) < 4]


def test_a_worker_waits_for_the_chief_and_writes_nothing_before(recipe_here, tmp_path, monkeypatch):
    for name, value in {"TUNER_ID": "worker-1", "ORACLE_IP": "127.0.0.1", "ORACLE_PORT": "1"}.items():
        monkeypatch.setenv(f"KERASTUNER_{name}", value)
    folder = tmp_path / "search"
    code, printed = recipe_here("tune", *SEARCH, "--max-trials", 1, "--lost-after", 2, "--output", folder)
    assert (code, "No chief opened" in printed) == (1, True), printed
    assert not folder.exists()
