"""Exports several trainings to integers and scores their files in the runtime of microcontrollers.

    python recipes/experiments/exports.py --run runs/nano_0 --run runs/nano_1 --output docs/experiments

Takes run folders of finetune.py and of train_picker.py. Each is exported as `export.py` does, calibrated without a
test signal, and scored on measured test signals in TensorFlow Lite for Microcontrollers: a classifier on those of its
run, a picker on the windows without a drilled hole ahead. Writes `exports.csv`, a row for each run and file, and
`exports.md` with mean and standard deviation over the runs, after each run: rows of others that the CSV has stay.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import tempfile
from pathlib import Path
from typing import Annotated

import typer

import keras_usmae as ku
from keras_usmae import options
from keras_usmae.files import write_csv
from recipes.experiments.csv_rows import read_rows
from recipes.experiments.exports_report import FORMATS, KERAS, SHOWN, SIZES, write_page


def rows_of(run, tfds_dir, raw_dir, seconds):
    """A row for Keras and for each integer file of a run."""
    config = options.read_json(run / "config.json")
    model = ku.export.load_model(run)
    found = ku.export.signals_for(model, run, "ultrasound_measured/paper", tfds_dir, raw_dir)
    reference = ku.export.reference_of(model, found.signals, found.onset, found.source)
    with tempfile.TemporaryDirectory() as folder:
        report = ku.export.export_model(reference, Path(folder) / "export", found.calibration, FORMATS, seconds)
    row = {"preset": config["preset"], "model": report["kind"], "labels": config.get("labels", 0), "run": run.name}
    row |= {"seed": config["seed"], "signals": report["num_signals"]}
    yield row | {"file": KERAS} | scored(report["keras"])
    for name in FORMATS:
        file = report["formats"][name]
        core = file["cores"]["Cortex-M4"]
        sizes = (file["bytes"], file["arena_bytes"], core["instructions"], round(core["picks_per_second"], 2))
        yield row | {"file": name} | scored(file["runtimes"]["TFLM"]) | dict(zip(SIZES, sizes, strict=True))


def scored(scores):
    """The shown scores of a runtime, those that the signals have."""
    same = scores.get("argmax_agreement", scores.get("picks_of_keras_found"))
    return {key: scores[key] for key in SHOWN if scores.get(key) is not None} | {"same_bin": same}


def main(
    run: Annotated[list[Path], typer.Option(help="Run folder of finetune.py or train_picker.py. Repeat.")],
    output: Annotated[Path, typer.Option(help="Folder of the table and the CSV.")] = Path("docs/experiments"),
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
    seconds: Annotated[float, typer.Option(min=1.0, help="Longest time in s for a file in a runtime.")] = 600.0,
) -> Path:
    """Exports and scores the runs, writes their table, and returns its path."""
    for folder in run:
        ku.export.load_model(folder)  # before the first of them takes its minutes
    output.mkdir(parents=True, exist_ok=True)
    for number, folder in enumerate(run, start=1):
        rows = list(rows_of(folder, tfds_dir, raw_dir, seconds))
        for row in rows:
            print(f"{row['run']}, {row['file']}: mean error {row['mean_error_samples']:.2f} samples", flush=True)
        print(f"{number} of {len(run)} runs: {write_table(rows, output)}", flush=True)
    return output / "exports.md"


def write_table(rows, output):
    """Writes rows beside those of other runs, and returns the path of the table."""
    path = output / "exports.csv"
    mine = {(row["preset"], row["run"]) for row in rows}
    kept = read_rows("exports", output) if path.exists() else []
    rows = [row for row in kept if (row["preset"], row["run"]) not in mine] + rows
    rows.sort(key=lambda row: tuple(str(row[key]) for key in ("preset", "model", "labels")))
    columns = list(dict.fromkeys(key for row in rows for key in row))
    write_csv(path, [{key: row.get(key, "") for key in columns} for row in rows])
    return write_page(rows, output)


if __name__ == "__main__":
    options.run(main)
