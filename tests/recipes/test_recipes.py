"""The recipes as a user runs them: small, but whole."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

BACKEND = os.environ["KERAS_BACKEND"]
PRETRAIN = ["--preset", "nano", "--dataset", "ultrasound_synthetic/quickstart", "--fresh-signals", "512"]
PRETRAIN += ["--batch-size", "64", "--epochs", "2", "--warmup-epochs", "0.5"]
FINETUNE = [
    "--dataset",
    "ultrasound_synthetic/quickstart",
    "--labels",
    "256",
    "--epochs",
    "2",
    "--warmup-epochs",
    "0.5",
]


@pytest.fixture(scope="module")
def recipe(repository, tmp_path_factory):
    """Runs a recipe and returns what it printed; prepared datasets are shared by the tests of this file."""
    environment = {**os.environ, "TFDS_DATA_DIR": str(tmp_path_factory.mktemp("tfds"))}
    environment.pop("DATA_DIR", None)

    def run(name, *arguments, fails=False, **extra):
        command = [sys.executable, str(repository / "recipes" / f"{name}.py"), *map(str, arguments)]
        done = subprocess.run(command, env={**environment, **extra}, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        if fails:
            assert "Traceback" not in done.stderr
        return done.stderr if fails else done.stdout

    return run


@pytest.fixture(scope="module")
def pretrained(recipe, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "pretrained"
    recipe("pretrain", *PRETRAIN, "--output", folder)
    return folder


@pytest.fixture(scope="module")
def classifier(recipe, pretrained):
    folder = pretrained.with_name("classifier")
    recipe("finetune", *FINETUNE, "--pretrained", pretrained, "--output", folder)
    return folder


def test_pretraining_leaves_a_whole_run_folder(pretrained):
    names = {path.name for path in pretrained.iterdir()}
    expected = (
        "config.json metrics.csv metrics.json tensorboard best.weights.h5 last.weights.h5 encoder.keras mae.keras"
    )
    assert names == {*expected.split(), "loss.png", "reconstructions.png"}
    metrics = json.loads((pretrained / "metrics.json").read_text())
    assert metrics["signals_seen"] == 1024
    assert 0.5 < metrics["val_loss"] < 1.2
    assert json.loads((pretrained / "config.json").read_text())["mask_ratio"] == 0.75


def test_a_finished_run_is_not_overwritten_and_can_be_resumed(recipe, pretrained):
    before = (pretrained / "metrics.csv").read_bytes()
    assert "--resume" in recipe("pretrain", *PRETRAIN, "--output", pretrained, fails=True)
    changed = recipe("pretrain", *PRETRAIN, "--seed", 1, "--resume", "--output", pretrained, fails=True)
    assert "seed: 0 there, 1 now" in changed
    recipe("pretrain", *PRETRAIN, "--resume", "--output", pretrained)
    assert (pretrained / "metrics.csv").read_bytes() == before


def test_finetuning_starts_from_the_encoder_and_leaves_what_export_needs(classifier):
    metrics = json.loads((classifier / "metrics.json").read_text())
    assert metrics["labels"] == 256
    scores = metrics["test"]
    assert scores["median_error_ns"] == pytest.approx(10 * scores["median_error_samples"])
    assert scores["median_error_mm"] == pytest.approx(scores["median_error_ns"] * 1480 / 2 * 1e-6)
    with np.load(classifier / "calibration.npz") as calibration, np.load(classifier / "test.npz") as test:
        assert calibration["signal"].shape == (256, 2048)
        assert test["signal"].shape == (600, 2048)
        error = np.abs(test["estimate"] - test["onset"])
        assert np.median(error) == pytest.approx(scores["median_error_samples"], rel=1e-4)


def test_export_takes_the_run_folder_whatever_backend_trained(recipe, classifier):
    printed = recipe("export", "--run", classifier, "--formats", "saved_model,float32,int8", "--seconds", 5)
    assert "TFLM" in printed
    report = json.loads((classifier / "export" / "export.json").read_text())
    assert report["formats"]["float32"]["runtimes"]["LiteRT reference"]["argmax_agreement"] > 0.99


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("pretrain", ["--preset", "huge"], "Unknown preset 'huge'"),
        ("pretrain", ["--dataset", "ultrasound_synthetic/papre"], "papre"),
        ("pretrain", ["--dataset", "mnist"], "mnist"),
        ("pretrain", ["--patch-size", "33"], "multiple of `patch_size`"),
        ("pretrain", ["--mask-ratio", "0.999"], "leaves no patch of 64 visible"),
        ("pretrain", ["--dataset", "ultrasound_measured/paper", "--fresh-signals", "9"], "ultrasound_synthetic/"),
        ("finetune", ["--pretrained", "nowhere"], "There is no pre-trained encoder"),
        ("finetune", ["--bin-width", "15"], "Received: bin_width=15"),
        ("finetune", ["--data-dir", "nowhere"], "nowhere"),
        ("finetune", [*FINETUNE, "--labels", "99999"], "has only"),
        ("export", ["--run", "nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_told_in_one_line_and_leaves_nothing(recipe, tmp_path, name, arguments, message):
    output = tmp_path / "run"
    assert message in recipe(name, *arguments, "--output", output, fails=True)
    assert not output.exists()


@pytest.mark.parametrize("name", ["pretrain", "finetune", "export", "quickstart", "prepare_data"])
def test_help_explains_every_option(recipe, name):
    printed = recipe(name, "--help", COLUMNS="200", TERM="dumb")
    assert "--help" in printed
    undescribed = [line for line in printed.splitlines() if line.strip("│ ").startswith("--") and len(line.split()) < 4]
    assert not undescribed


@pytest.mark.slow
def test_quickstart_runs_whole_without_data(recipe, tmp_path):
    arguments = ["--labels", 128, "--pretrain-epochs", 2, "--finetune-epochs", 2, "--output", tmp_path / "run"]
    printed = recipe("quickstart", *arguments)
    assert "SYNTHETIC STAND-IN, not measured data" in printed
    assert "MEASURED A-scans" not in printed
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert {"pre-trained", "from scratch"} == set(summary["runs"])
    assert {"envelope threshold", "AIC"} == set(summary["pickers"])
    assert len(list((tmp_path / "run").rglob("*.png"))) == 9
