import pytest

import keras_usmae as ku
from keras_usmae.files import write_json
from recipes.experiments import exports, exports_report
from recipes.experiments.csv_rows import read_rows


def test_the_table_has_means_over_runs_and_what_integers_lose():
    costs = {"bytes": 1002, "arena_bytes": 10, "instructions_m4": 2e6, "picks_per_second_m4": 60.0}
    rows = []
    for seed in range(3):
        row = {"preset": "nano", "model": "classifier", "labels": 320, "run": f"run_{seed}", "same_bin": 1.0}
        keras = {"file": exports_report.KERAS, "within_one_bin": 0.99 + 0.002 * seed, "mean_error_samples": 3.0 + seed}
        int8 = {"file": "int8", "within_one_bin": 0.981 + 0.001 * seed, "mean_error_samples": 3.0 + 1.1 * seed}
        rows += [row | keras, row | int8 | costs]
    lines = list(exports_report.table(rows))
    assert lines[0][:4] == ["`nano`, classifier, 320 labels", exports_report.KERAS, "3", "99.20 ± 0.20"]
    assert lines[1][3:] == ["98.20 ± 0.10", "-", "4.10 ± 1.10", "-", "100.00 ± 0.00", "1,002", "10", "2.0 M, 60.0/s"]
    first = next(iter(exports_report.losses(rows)))
    assert first.startswith("- `nano`, classifier, int8 minus Keras: -1.00 points within one bin (-1.25 to -0.75)")


@pytest.mark.long
@pytest.mark.skipif(not ku.picker.engines.has_litert(), reason="LiteRT is not installed")
def test_a_picker_is_exported_and_scored(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    ku.EchoDetector.from_preset("nano_mcu").save(run / "detector.keras")
    write_json(run / "config.json", {"preset": "nano_mcu", "seed": 10})
    for _ in range(2):  # the second replaces the rows of the first
        exports.main([run], tmp_path, seconds=1.0)
    rows = read_rows("exports", tmp_path)
    assert [row["file"] for row in rows] == [exports_report.KERAS, *exports_report.FORMATS]
    assert all(row["mean_error_samples"] < 8 for row in rows)
    assert rows[1]["same_bin"] > 0.9
    assert rows[1]["bytes"] < 120_000
