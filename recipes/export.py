"""Exports a fine-tuned classifier to SavedModel, TFLite and ONNX, and proves each file against Keras.

    python recipes/export.py --run runs/finetune_nano

Takes the run folder of finetune.py. Writes RUN/export: saved_model/, model_float32.tflite, model_int8.tflite,
model_int16x8.tflite, firmware_int8/ and firmware_int16x8/ (C sources, golden vectors, README), and export.json. Prints
for each file its size, its arena, and its results on the test split in TensorFlow Lite for Microcontrollers and in
LiteRT. Always runs on TensorFlow, whichever backend trained the model.

A minute for nano (2 CPU cores, 1,600 measured test windows). From a float top-1 of 85.8 % it gave int8 with 91 kB, an
arena of 61 kB and top-1 85.3 % in TFLM, and int16x8 with 110 kB, an arena of 107 kB and top-1 85.7 %.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path
from typing import Annotated

import typer

from keras_usmae import options
from keras_usmae.export import (
    DEFAULT_FORMATS,
    FORMATS,
    check_output,
    export_classifier,
    format_report,
    load_classifier,
    load_signals,
    parse_formats,
)


def main(
    run: Annotated[
        Path,
        typer.Option(
            "--run", "--weights", help="Run folder of finetune.py, with classifier.keras, calibration.npz and test.npz."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option(help="Folder to write; an earlier export there is replaced. Defaults to RUN/export.")
    ] = None,
    formats: Annotated[str, typer.Option(help=f"What to write, with commas between: {', '.join(FORMATS)}.")] = (
        ",".join(DEFAULT_FORMATS)
    ),
    speed_of_sound: options.SpeedOfSound = 1480.0,
    seconds: Annotated[
        float,
        typer.Option(
            min=1.0,
            help="Longest time in s for one file in one runtime. The first test signals that fit into it count.",
        ),
    ] = 120.0,
) -> None:
    """Exports a fine-tuned classifier and verifies every file."""
    # Everything that can be wrong is found before long work begins.
    output = output or run / "export"
    chosen = parse_formats(formats)
    check_output(output)
    calibration, _ = load_signals(run / "calibration.npz")
    signals, onset = load_signals(run / "test.npz")
    classifier = load_classifier(run / "classifier.keras")

    config = run / "config.json"
    training = options.read_json(config) if config.is_file() else None
    report = export_classifier(
        classifier, output, calibration, signals, onset, chosen, speed_of_sound, seconds, training
    )
    print(format_report(report))
    print(f"Written to {output}")


if __name__ == "__main__":
    options.run(main)
