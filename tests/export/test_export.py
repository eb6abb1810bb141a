import json
import shutil

import numpy as np
import pytest

from keras_usmae.export import (
    DEFAULT_FORMATS,
    INTEGER_FORMATS,
    TFLITE_FORMATS,
    TFLM_FORMATS,
    export_model,
    format_report,
    load_signals,
    parse_formats,
)
from keras_usmae.export.cost import CORES


def scores(exported, name, runtime):
    return exported[1]["formats"][name]["runtimes"][runtime]


def test_the_model_has_learned_enough_to_judge_agreement(exported):
    assert exported[1]["keras"]["within_one_bin"] > 0.8


def test_writes_every_format_and_all_figures(exported):
    output, report = exported
    names = {path.name for path in output.iterdir()}
    models = {f"model_{name}.tflite" for name in TFLITE_FORMATS}
    assert names == {
        "saved_model",
        "model.onnx",
        "export.json",
        "report.md",
        *models,
        *(f"firmware_{name}" for name in INTEGER_FORMATS),
    }
    assert json.loads((output / "export.json").read_text()) == report
    assert not [path for path in output.parent.iterdir() if "partial" in path.name]
    for name in TFLITE_FORMATS:
        assert report["formats"][name]["bytes"] == (output / f"model_{name}.tflite").stat().st_size


@pytest.mark.parametrize("runtime", ["TFLM", "LiteRT reference", "LiteRT XNNPACK"])
def test_float32_is_what_keras_computes(exported, runtime):
    found = scores(exported, "float32", runtime)
    assert found["num_signals"] == exported[1]["num_signals"] == 256
    assert found["probability_deviation_max"] < 1e-4
    assert found["argmax_agreement"] > 0.99


@pytest.mark.parametrize("runtime", ["TFLM", "LiteRT reference"])
def test_integers_keep_the_accuracy(exported, runtime):
    keras_scores = exported[1]["keras"]
    for name, same, near, loss in (("int8", 0.8, 0.97, 0.03), ("int16x8", 0.95, 0.99, 0.01)):
        found = scores(exported, name, runtime)
        # Neighbouring bins share the mass of an onset near their edge: there, one LSB decides.
        assert found["argmax_agreement"] > same, name
        # Less what 256 signals can miss by chance (two standard errors): which of them lie on the edge between two far
        # bins depends on the rounding of the training, and so on the machine.
        chance = 2 * np.sqrt(near * (1 - near) / found["num_signals"])
        assert found["argmax_within_one_bin_of_keras"] > near - chance, name
        assert found["within_one_bin"] > keras_scores["within_one_bin"] - loss, name


@pytest.mark.parametrize("name", ["float16", "dynamic"])
def test_narrow_weights_keep_the_accuracy_in_litert(exported, name):
    assert scores(exported, name, "LiteRT reference")["argmax_agreement"] > 0.95
    assert "TFLM" not in exported[1]["formats"][name]["runtimes"]


def test_integers_find_the_echoes_that_the_ready_picker_finds(exported_picker):
    report = exported_picker[1]
    for name, agreement in (("int8", 0.93), ("int16x8", 0.97)):
        found = report["formats"][name]["runtimes"]["TFLM"]
        assert found["picks_of_keras_found"] > agreement, name
        assert found["picks_that_keras_has"] > agreement, name
        assert found["found"] > report["keras"]["found"] - 0.015, name
        assert found["median_error_samples"] < report["keras"]["median_error_samples"] + 0.5, name


def test_the_report_of_a_picker_says_on_what_it_is_scored(exported_picker):
    table = (exported_picker[0] / "report.md").read_text()
    assert f"the same {exported_picker[1]['num_signals']} signals: synthetic." in table
    assert "Keras's picks here" in table


def test_arena_grows_with_the_width_of_activations(exported):
    arena = {name: exported[1]["formats"][name]["arena_bytes"] for name in TFLM_FORMATS}
    assert 10_000 < arena["int8"] < arena["int16x8"] < arena["float32"]


def test_the_table_states_every_runtime(exported):
    table = format_report(exported[1])
    rows = [line for line in table.splitlines() if line.startswith("|")]
    saved_model, onnx, others = 1, 1, len(TFLITE_FORMATS) - len(TFLM_FORMATS)
    against_keras = 3 + saved_model + onnx + 3 * len(TFLM_FORMATS) + 2 * others
    assert len(rows) == against_keras + 2 + len(TFLITE_FORMATS)
    assert f"{exported[1]['formats']['int8']['arena_bytes']:,}" in table


def test_the_table_states_what_a_microcontroller_pays_and_how_it_is_estimated(exported):
    table = format_report(exported[1])
    costs = {
        row[0].strip(): row for row in (line.split("|")[1:] for line in table.splitlines()) if " M, " in "".join(row)
    }
    int8 = exported[1]["formats"]["int8"]
    cells = [cell.strip() for cell in costs["int8"]]
    assert cells[1:5] == [str(sum(int8["operators"].values())), str(len(int8["operators"])), "yes", f"{int8['macs']:,}"]
    for cell, core in zip(cells[5:8], CORES, strict=True):
        costs = int8["cores"][core.name]
        assert cell == f"{costs['instructions'] / 1e6:.1f} M, {costs['picks_per_second']:.1f}/s"
    assert "1.3 cycles an instruction on Cortex-M4" in table


def test_a_delegate_that_disagrees_is_told(exported):
    report = json.loads(json.dumps(exported[1]))
    assert "XNNPACK disagrees" not in format_report({**report, "formats": {"float32": report["formats"]["float32"]}})
    report["formats"]["int8"]["runtimes"]["LiteRT XNNPACK"]["accuracy"] = 0.163
    assert "XNNPACK disagrees with the reference kernels on int8: top-1 16.30%" in format_report(report)


@pytest.mark.parametrize("text", ["int8,int4", "", ",", "INT8"])
def test_refuses_unknown_formats(text):
    with pytest.raises(ValueError, match=r"must be some of saved_model.*Received"):
        parse_formats(text)


def test_formats_are_read_in_order_and_once():
    assert parse_formats(" int8, float32,int8 ") == ("int8", "float32")
    assert set(INTEGER_FORMATS) < set(DEFAULT_FORMATS)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda x: x[:31], "at least 32 signals.*Received: 31"),
        (lambda x: np.where(np.arange(len(x))[:, None] == 5, np.nan, x), "index 5 holds NaN"),
        (lambda x: x[:, :-1], "1024 samples, but got 1023"),
    ],
)
def test_refuses_unfit_calibration(reference, run_folder, tmp_path, damage, message):
    calibration, _ = load_signals(run_folder / "calibration.npz")
    with pytest.raises(ValueError, match=message):
        export_model(reference, tmp_path / "out", damage(calibration), ("int8",))
    assert not list(tmp_path.iterdir())


def test_a_failed_export_leaves_nothing_and_keeps_the_earlier_one(reference, tmp_path, monkeypatch):
    import keras_usmae.export.export as module

    output = tmp_path / "out"
    output.mkdir()
    (output / "export.json").write_text("{}")

    def fail(*args):
        raise RuntimeError("no space left")

    monkeypatch.setattr(module, "verify_tflite", fail)
    with pytest.raises(RuntimeError, match="no space"):
        export_model(reference, output, [], ("float32",))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (output / "export.json").read_text() == "{}"


def test_other_formats_of_the_same_model_stay(exported_picker, picker_reference, tmp_path):
    output = tmp_path / "export"
    shutil.copytree(exported_picker[0], output)
    report = export_model(picker_reference, output, [], ("saved_model",))
    names = {path.name for path in output.iterdir()}
    assert {"saved_model", "firmware_int8", "model_int8.tflite", "firmware_int16x8"} <= names
    assert set(report["formats"]) == {"saved_model", "int8", "int16x8"}
    assert report["formats"]["int8"]["runtimes"] == exported_picker[1]["formats"]["int8"]["runtimes"]


def test_rows_that_were_scored_on_other_signals_are_named(exported_picker):
    report = json.loads(json.dumps(exported_picker[1]))
    count = report["num_signals"]
    report["formats"]["int8"]["runtimes"]["TFLM"]["num_signals"] = count - 1
    report["formats"]["int8"]["signals"] = "others"
    table = format_report(report)
    assert f"A row that is not named below is scored on the same {count} signals" in table
    assert f"int8, of an earlier export: {count}" in table or f"int8, of an earlier export: {count - 1}" in table


def test_another_model_takes_the_place_of_all(exported_picker, reference, tmp_path):
    output = tmp_path / "export"
    shutil.copytree(exported_picker[0], output)
    export_model(reference, output, [], ("saved_model",))
    assert {path.name for path in output.iterdir()} == {"saved_model", "report.md", "export.json"}
