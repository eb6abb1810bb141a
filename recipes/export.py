"""Exports a ready picker, or a fine-tuned classifier, to SavedModel, TFLite and ONNX; proves each file against Keras.

    python recipes/export.py --preset nano
    python recipes/export.py --run runs/finetune_nano

The first takes a picker that ships, and needs no training and no data: integers are calibrated on synthetic signals,
and files are scored on others, or with --data-dir (or DATA_DIR) on the test split of the measured set. The second takes
a run folder of finetune.py, with its calibration and test signals, or one of train_picker.py.

Writes saved_model/, model_float32.tflite, model_int8.tflite, model_int16x8.tflite, firmware_int8/ and
firmware_int16x8/ (C sources, golden vectors, README), report.md and export.json. Prints for each file its size, its
arena, and its results in TensorFlow Lite for Microcontrollers and in LiteRT. Always runs on TensorFlow, whichever
backend trained the model.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path
from typing import Annotated

import typer

import keras_usmae as ku
from keras_usmae import options
from keras_usmae.configs import DEFAULT_FORMATS, FORMATS


def main(
    run: Annotated[
        Path | None,
        typer.Option(
            "--run",
            "--weights",
            help="Run folder of finetune.py, with classifier.keras, calibration.npz and test.npz, or of "
            "train_picker.py, with detector.keras.",
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="A ready picker that ships, nano, nano_mcu, tiny or tiny_patch64, in place of a run."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write; an earlier export there is replaced. Defaults to RUN/export, or runs/export_PRESET."
        ),
    ] = None,
    formats: Annotated[str, typer.Option(help=f"What to write, with commas between: {', '.join(FORMATS)}.")] = (
        ",".join(DEFAULT_FORMATS)
    ),
    dataset: Annotated[
        str, typer.Option(help="Measured set that a picker is scored on where its originals are given.")
    ] = "ultrasound_measured/paper",
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
    speed_of_sound: options.SpeedOfSound = 1480.0,
    seconds: Annotated[
        float,
        typer.Option(
            min=1.0,
            help="Longest time in s for one file in one runtime. The first test signals that fit into it count.",
        ),
    ] = 120.0,
) -> None:
    """Exports a picker or a classifier and verifies every file."""
    # Everything that can be wrong is found before long work begins.
    if (run is None) == (preset is None):
        raise ValueError(
            "Export takes one model: --preset nano for a picker that ships, or --run FOLDER for one of your own. "
            f"Received: run={run}, preset={preset}"
        )
    output = output or (run / "export" if run else Path("runs") / f"export_{preset}")
    chosen = ku.export.parse_formats(formats)
    ku.export.check_output(output)
    model = ku.export.load_model(run) if run else ku.EchoDetector.from_preset(preset)
    found = ku.export.signals_for(model, run, dataset, tfds_dir, raw_dir)
    training = {"made by": f"the preset {preset}, keras_usmae/presets/{preset}_picker.md"} if preset else None
    if run and (run / "config.json").is_file():
        training = options.read_json(run / "config.json")
    reference = ku.export.reference_of(model, found.signals, found.onset, found.source, speed_of_sound)
    report = ku.export.export_model(reference, output, found.calibration, chosen, seconds, training)
    print(ku.export.format_report(report))
    print(f"Written to {output}")


if __name__ == "__main__":
    options.run(main)
