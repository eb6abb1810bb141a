"""The recipes as a user runs them: small, but whole."""

import csv
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_usmae.models import CNNEncoder, ToFClassifier, load_trained

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
def environment(tfds_dir):
    """No measured data."""
    environment = {**os.environ, "TFDS_DATA_DIR": str(tfds_dir)}
    environment.pop("DATA_DIR", None)
    return environment


@pytest.fixture(scope="module")
def recipe(repository, environment):
    """Runs a recipe in a process of its own and returns what it printed."""

    def run(name, *arguments):
        command = [sys.executable, str(repository / "recipes" / f"{name}.py"), *map(str, arguments)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

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


@pytest.mark.long
def test_pretraining_leaves_a_whole_run_folder(pretrained):
    names = {path.name for path in pretrained.iterdir()}
    expected = (
        "config.json metrics.csv metrics.json tensorboard best.weights.h5 last.weights.h5 encoder.keras mae.keras"
    )
    assert names == {*expected.split(), "loss.png", "reconstructions.png", ".lock"}
    metrics = json.loads((pretrained / "metrics.json").read_text())
    assert metrics["signals_seen"] == 1024
    assert 0.5 < metrics["val_loss"] < 1.2
    assert json.loads((pretrained / "config.json").read_text())["mask_ratio"] == 0.75


@pytest.mark.long
def test_a_preset_keeps_its_patch_size(recipe_here, small_preset, tmp_path):
    arguments = ["--preset", small_preset, "--dataset", "ultrasound_synthetic/quickstart", "--fresh-signals", 64]
    arguments += ["--epochs", 1, "--warmup-epochs", 0.5, "--batch-size", 32, "--output", tmp_path / "run"]
    code, printed = recipe_here("pretrain", *arguments)
    assert code == 0, printed
    assert json.loads((tmp_path / "run" / "config.json").read_text())["patch_size"] == 64
    assert keras.saving.load_model(tmp_path / "run" / "encoder.keras").patch_size == 64


@pytest.mark.long
def test_a_cnn_is_pretrained_and_fine_tuned(recipe_here, small_preset, tmp_path):
    common = ["--preset", small_preset, "--architecture", "cnn", "--dataset", "ultrasound_synthetic/quickstart"]
    common += ["--epochs", 1, "--warmup-epochs", 0.5, "--batch-size", 32]
    code, printed = recipe_here("pretrain", *common, "--fresh-signals", 64, "--output", tmp_path / "cnn")
    assert code == 0, printed
    assert (tmp_path / "cnn" / "reconstructions.png").exists()
    start = ["--labels", 32, "--pretrained", tmp_path / "cnn"]
    code, printed = recipe_here("finetune", *common, *start, "--output", tmp_path / "run")
    assert code == 0, printed
    trained, classifier = (
        load_trained(tmp_path / name, kind)
        for name, kind in (("cnn/encoder.keras", CNNEncoder), ("run/classifier.keras", ToFClassifier))
    )
    assert classifier.encoder.get_config()["hidden_dim"] == trained.hidden_dim
    code, printed = recipe_here("finetune", *start, "--output", tmp_path / "another")
    assert (code, "CNNEncoder" in printed) == (1, True), printed


@pytest.mark.long
def test_a_finished_run_is_not_overwritten_and_can_be_resumed(recipe, recipe_here, pretrained):
    before = (pretrained / "metrics.csv").read_bytes()
    code, printed = recipe_here("pretrain", *PRETRAIN, "--output", pretrained)
    assert (code, "--resume" in printed) == (1, True)
    code, printed = recipe_here("pretrain", *PRETRAIN, "--seed", 1, "--resume", "--output", pretrained)
    assert (code, "seed: 0 there, 1 now" in printed) == (1, True)
    recipe("pretrain", *PRETRAIN, "--resume", "--output", pretrained)
    assert (pretrained / "metrics.csv").read_bytes() == before


@pytest.mark.long
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


@pytest.mark.long
def test_evaluation_scores_a_run_on_any_split(recipe_here, classifier, tmp_path):
    output = tmp_path / "evaluation"
    arguments = ["--run", classifier, "--split", "train[:300]", "--output", output]
    code, printed = recipe_here("evaluate", *arguments)
    assert code == 0, printed
    names = {"metrics.json", "signals.csv", "evaluation.md", "tof_errors.png", "reliability.png", "worst.png"}
    assert {path.name for path in output.iterdir()} == names | {"error_over_snr.png"}
    metrics = json.loads((output / "metrics.json").read_text())
    with (output / "signals.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == metrics["signals"] == 300
    errors = np.array([float(row["error_ns"]) for row in rows])
    scores = metrics["scores"][classifier.name]
    assert scores["mean_error_ns"] == pytest.approx(np.abs(errors).mean())
    assert scores["outliers"] == pytest.approx(np.mean(np.abs(errors) > 640))
    inside = [float(row["low_samples"]) <= float(row["onset_samples"]) <= float(row["high_samples"]) for row in rows]
    assert metrics["calibration"]["interval_coverage"] == pytest.approx(np.mean(inside))
    # Errors over SNR are those of unclipped signals in white noise, beside a bound that falls with the SNR.
    groups, (together,) = metrics["over_snr"], metrics["over_all_snr"]
    assert sum(group["signals"] for group in groups) == together["signals"] < 300
    assert groups[0]["snr_db"] < groups[-1]["snr_db"]
    assert groups[0]["bound"] > 2 * groups[-1]["bound"]
    assert set(together["estimators"]) == set(metrics["scores"])
    assert together["estimators"][classifier.name]["sigma_ratio"] > 1
    assert "unclipped signals of 300" in (output / "evaluation.md").read_text()
    code, printed = recipe_here("evaluate", *arguments)
    assert (code, "name another --output" in printed) == (1, True)

    # The default, the test split, is what fine-tuning scored.
    code, printed = recipe_here("evaluate", "--run", classifier, "--output", tmp_path / "test")
    assert code == 0, printed
    scores = json.loads((tmp_path / "test" / "metrics.json").read_text())["scores"][classifier.name]
    expected = json.loads((classifier / "metrics.json").read_text())["test"]
    assert {name: scores[name] for name in expected} == pytest.approx(expected, rel=1e-3)


@pytest.mark.long
def test_export_takes_the_run_folder_whatever_backend_trained(recipe, classifier):
    printed = recipe("export", "--run", classifier, "--formats", "saved_model,float32,int8", "--seconds", 5)
    assert "TFLM" in printed
    report = json.loads((classifier / "export" / "export.json").read_text())
    assert report["formats"]["float32"]["runtimes"]["LiteRT reference"]["argmax_agreement"] > 0.99


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("pretrain", ["--preset", "huge"], "Unknown preset 'huge'"),
        ("pretrain", ["--dataset", "ultrasound_synthetic/papre"], "papre"),
        ("pretrain", ["--dataset", "mnist"], "mnist"),
        ("pretrain", ["--epochs", "3", "--warmup-epochs", "3"], "--warmup-epochs 3 must be fewer than --epochs 3"),
        ("pretrain", ["--patch-size", "33"], "multiple of `patch_size`"),
        ("pretrain", ["--mask-ratio", "0.999"], "leaves no patch of 64 visible"),
        ("pretrain", ["--dataset", "ultrasound_measured/paper", "--fresh-signals", "9"], "ultrasound_synthetic/"),
        ("pretrain", ["--architecture", "cnn", "--remat"], "--remat is for the transformer's blocks"),
        ("pretrain", ["--stream", "--fresh-signals", "9"], "--stream reads the stored split"),
        ("finetune", ["--pretrained", "nowhere"], "There is no pre-trained encoder"),
        ("finetune", ["--bin-width", "15"], "Received: bin_width=15"),
        ("finetune", ["--data-dir", "nowhere"], "nowhere"),
        ("finetune", [*FINETUNE, "--labels", "99999"], "has only"),
        ("export", ["--run", "nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_told_in_one_line_and_leaves_nothing(recipe_here, pretrained, tmp_path, name, arguments, message):
    output = tmp_path / "run"
    code, printed = recipe_here(name, *arguments, "--output", output)
    assert code == 1
    assert message in printed
    assert not output.exists()


@pytest.mark.parametrize("name", ["pretrain", "finetune", "export", "quickstart", "prepare_data"])
def test_help_explains_every_option(recipe_here, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "200")
    code, printed = recipe_here(name, "--help")
    assert code == 0
    options = [line for line in printed.splitlines() if line.strip("│ *").startswith("--")]
    assert len(options) > 2
    assert not [line for line in options if len(line.split()) < 4]


@pytest.mark.slow
def test_quickstart_runs_whole_without_data(recipe, tmp_path):
    arguments = ["--labels", 128, "--pretrain-epochs", 2, "--finetune-epochs", 2, "--output", tmp_path / "run"]
    printed = recipe("quickstart", *arguments)
    assert "SYNTHETIC STAND-IN, not measured data" in printed
    assert "MEASURED A-scans" not in printed
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert len(summary["scores"]) == 4
    assert summary["scores"]["ready picker nano, no label"]["bias_free"]["within_one_bin"] > 0.9
    errors = np.abs(summary["thickness_error_mm"])
    assert len(errors) == 24 * 36, "every trace has a thickness"
    assert np.median(errors) < 0.05
    assert summary["export"]["formats"]["int8"]["bytes"] > 50_000
    assert {"c_scan.png", "b_scan.png", "tof_errors.png"} <= {path.name for path in (tmp_path / "run").rglob("*.png")}
