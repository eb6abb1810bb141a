"""Footprints against the converter, and what a search writes."""

import csv
import json

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams import metadata

from keras_usmae.export import (
    DEPLOYMENT_FORMS,
    DeploymentGraph,
    TFLMInterpreter,
    convert,
    write_static_saved_model,
)
from keras_usmae.files import save_figure, write_csv
from keras_usmae.models import MAEEncoder, ToFClassifier, ToFCrossentropy, load_preset
from keras_usmae.tuning import (
    Budget,
    Candidates,
    FinetuningHyperModel,
    Footprint,
    FootprintMeter,
    SearchSpace,
    best_first,
    bound_footprint,
    markdown_table,
    pareto_front,
    parse_amount,
    write_best,
    write_hparams,
)
from keras_usmae.tuning.plots import plot_parallel_coordinates, plot_pareto
from tests.tuning.search_here import labelled

OBJECTIVE = ("val_error_samples", "min")
NANO = load_preset("nano")["encoder"]


@pytest.fixture(scope="module")
def meter(tmp_path_factory):
    with FootprintMeter(16, tmp_path_factory.mktemp("footprints")) as meter:
        yield meter


@pytest.fixture(scope="module")
def hypermodel():
    data = np.zeros((4, 2048), "float32"), np.zeros(4, "float32")
    space = SearchSpace(
        "finetune",
        {
            "size": {"choice": ["nano", "base", "free"]},
            "num_layers": {"choice": [1, 3], "when": {"size": "free"}},
        },
    )
    return FinetuningHyperModel(data, data, space)


@pytest.mark.parametrize(("text", "amount"), [("128kB", 128_000), ("64 KiB", 65_536), ("5M", 5_000_000), ("900", 900)])
def test_amounts(text, amount):
    assert parse_amount(text) == amount


@pytest.mark.parametrize("text", ["", "kB", "-3k", "0", "12 bananas", "1e3"])
def test_bad_amounts(text):
    with pytest.raises(ValueError, match="such as 128kB"):
        parse_amount(text)


@pytest.mark.long
def test_an_untrained_classifier_measures_what_the_trained_one_does(meter, tmp_path):
    encoder = {**NANO, "signal_length": 256, "patch_size": 16, "num_layers": 1}
    signals, onset = labelled(64, 0)
    classifier = ToFClassifier(MAEEncoder(**encoder))
    classifier.compile("adam", ToFCrossentropy(16))
    classifier.fit(signals, onset, epochs=3, verbose=0)
    write_static_saved_model(DeploymentGraph(classifier, DEPLOYMENT_FORMS["int8"]), tmp_path)
    content = convert(tmp_path, "int8", signals)
    footprint = meter.measure(encoder, "per_patch")
    assert footprint.flash == pytest.approx(len(content), rel=0.02)
    assert footprint.arena == pytest.approx(TFLMInterpreter(content).arena_bytes(), rel=0.02)


@pytest.mark.parametrize(
    ("sizes", "head"),
    [
        ({"patch_size": 16, "num_layers": 1}, "per_patch"),
        ({"patch_size": 64, "num_heads": 1, "hidden_dim": 16, "head_dim": 8, "num_layers": 1, "mlp_dim": 16}, "pooled"),
        ({"signal_length": 256, "patch_size": 8, "hidden_dim": 48, "mlp_dim": 192}, "per_patch"),
    ],
)
def test_what_is_told_from_sizes_alone(meter, sizes, head):
    encoder = {**NANO, **sizes}
    measured, bound = meter.measure(encoder, head), bound_footprint(encoder, head, 16)
    assert 0.15 * measured.flash < bound.flash <= measured.flash
    assert 0.05 * measured.arena < bound.arena <= measured.arena
    assert bound.macs == pytest.approx(measured.macs, rel=0.01)


def test_footprints_are_kept_and_errors_told(meter):
    meter.measure(NANO, "per_patch")
    with FootprintMeter(16, meter.folder) as other:
        assert other.measure(NANO, "per_patch") == meter.measure(NANO, "per_patch")
        assert other._process is None  # nothing was converted again
    with pytest.raises(RuntimeError, match="hidden_dim=7"):
        meter.measure({**NANO, "hidden_dim": 7}, "per_patch")


def test_a_converter_that_does_not_start_is_told(monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with FootprintMeter(16) as meter, pytest.raises(RuntimeError, match="ended with code 1, at "):
        meter.measure(NANO, "per_patch")


def test_a_budget_tells_what_fits_and_what_cannot(meter, hypermodel):
    budget = Budget(flash=80_000, arena=64_000)
    candidates = Candidates(hypermodel, meter, budget)
    candidates.check_budget(seed=0)
    assert not candidates.fit({"size": "nano"})
    assert not candidates.fit({"size": "base"})  # known from its sizes: nothing is converted
    assert candidates.fit({"size": "free", "num_layers": 1})
    with pytest.raises(ValueError, match=r"Nothing in .*\(flash 9\.0 kB\).*needs at least flash \d+\.\d kB.*Raise"):
        Candidates(hypermodel, meter, Budget(flash=9_000)).check_budget(seed=0)
    with pytest.raises(ValueError, match=r"macs 0\.01 M"):
        Candidates(hypermodel, meter, Budget(macs=10_000)).check_budget(seed=0)
    assert budget.exceeded_by(Footprint(100_000, 1_000, 1)) == {"flash": 1.25}


def test_without_the_converter_only_multiply_accumulates_can_be_bounded(monkeypatch, meter, hypermodel):
    monkeypatch.setattr(FootprintMeter, "missing", staticmethod(lambda: ["tflite_micro"]))
    with pytest.raises(ValueError, match=r"needs tflite_micro.*keras-usmae\[tensorflow-cpu,mcu\]"):
        Candidates(hypermodel, meter, Budget(arena=1_000))
    candidates = Candidates(hypermodel, meter, Budget(macs=5_000_000))
    assert candidates.fit({"size": "nano"})
    assert not candidates.fit({"size": "base"})
    assert candidates.cost({"size": "nano"}).flash is None


_NAMES = ("trial", "status", "val_error_samples", "flash", "size", "learning_rate")
ROWS = [
    dict(zip(_NAMES, values, strict=True))
    for values in (
        ("0", "completed", 9.0, 90, "nano", 1e-3),
        ("1", "failed", "", 40, "nano", 2e-3),
        ("2", "completed", 7.0, 300, "tiny", 3e-3),
        ("3", "completed", 9.5, 120, "", 4e-3),
        ("4", "completed", 40.0, 30, "nano", 5e-3),
    )
]
SPACE = SearchSpace(
    "finetune", {"size": {"choice": ["nano", "tiny"]}, "learning_rate": {"low": 1e-3, "high": 1e-2, "log": True}}
)


def test_order_and_front():
    assert [row["trial"] for row in best_first(ROWS, OBJECTIVE)] == ["2", "0", "3", "4"]
    assert [row["trial"] for row in best_first(ROWS, ("val_error_samples", "max"))] == ["4", "3", "0", "2"]
    assert [row["trial"] for row in pareto_front(ROWS, OBJECTIVE)] == ["4", "0", "2"]
    lines = markdown_table(ROWS, OBJECTIVE, 2).splitlines()
    assert lines[0] == "| trial | val_error_samples | flash | size | learning_rate |"
    assert lines[2] == "| 2 | 7 | 300 | tiny | 0.003 |"
    assert len(lines) == 4


def test_files(tmp_path):
    write_csv(tmp_path / "results.csv", ROWS)
    with (tmp_path / "results.csv").open() as file:
        assert [row["trial"] for row in csv.DictReader(file)] == ["0", "1", "2", "3", "4"]
    completed = best_first(ROWS, OBJECTIVE)
    for name, figure in (
        ("parallel", plot_parallel_coordinates(completed, ("size", "learning_rate"), OBJECTIVE)),
        ("pareto", plot_pareto(completed, pareto_front(completed, OBJECTIVE), OBJECTIVE, budget=100)),
    ):
        assert save_figure(figure, tmp_path / f"{name}.png").stat().st_size > 5000
    axes = plot_parallel_coordinates(completed, ("size", "learning_rate"), OBJECTIVE).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["size", "learning_rate", "val_error_samples"]


def test_hparams_are_read_back(tmp_path):
    folder = tmp_path / "tensorboard"
    for _ in range(2):  # a search that goes on writes again
        write_hparams(folder, ROWS, SPACE, OBJECTIVE)
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["0", "2", "3", "4"]

    def values(path):
        (file,) = (file for file in path.iterdir() if file.is_file())
        return {value.tag: value for event in EventFileLoader(str(file)).Load() for value in event.summary.value}

    experiment = metadata.parse_experiment_plugin_data(
        values(folder)["_hparams_/experiment"].metadata.plugin_data.content
    )
    assert [info.name for info in experiment.hparam_infos] == ["size", "learning_rate"]
    trial = values(folder / "2")
    start = metadata.parse_session_start_info_plugin_data(
        trial["_hparams_/session_start_info"].metadata.plugin_data.content
    )
    assert start.hparams["size"].string_value == "tiny"
    assert "val_error_samples" in trial


def test_best_is_a_preset_with_options_told_relative_to_it(tmp_path):
    parts = load_preset("nano")
    options = {"epochs": 3, "pretrained": tmp_path / "pretrained" / "abc" / "encoder.keras"}
    write_best(tmp_path / "best.json", parts, finetune=options)
    content = json.loads((tmp_path / "best.json").read_text())
    assert content["finetune"] == {"epochs": 3, "pretrained": "pretrained/abc/encoder.keras"}
    assert load_preset(str(tmp_path / "best.json")) == parts
    write_best(tmp_path / "given.json", {"encoder": {}}, finetune={"epochs": 3})
    assert json.loads((tmp_path / "given.json").read_text()) == {"finetune": {"epochs": 3}}
