"""Finds the time of flight of every trace of a file or folder of A-scans, without labels.

    python recipes/predict.py scan.npy --sampling-rate 50e6
    python recipes/predict.py scan.mat --gate front=20us:40us --gate back=40us:60us --thickness --speed-of-sound 5920
    python recipes/predict.py folder --sidecar scan.toml --scan 41x81 --step 0.5

Reads what recipes/inspect_data.py reads, with a sidecar or with the options that stand in for one. Writes
runs/predict_NAME, whole or not at all: picks.csv (a row for each echo, and one with the reason for each trace without),
picks.npz, summary.json, and pictures: a_scans.png, b_scan.png, c_scan.png of a scan or profile.png, histogram.png and
doubtful.png. Labels that the sidecar names are scored. A file that cannot be read is reported and does not stop the
others; the command fails where none can be read. `KERAS_BACKEND` chooses the backend.
"""

from pathlib import Path
from typing import Annotated

import typer

from keras_usmae import options
from keras_usmae.files import free_name
from keras_usmae.picker.settings import PredictConfig

DEFAULT = PredictConfig("")
Gates = Annotated[
    list[str] | None,
    typer.Option("--gate", help="Part of the record to look in: 20us:40us, back=40us:60us, 20us: or 5mm:9mm. Repeat."),
]
Echo = Annotated[str, typer.Option(help="Which echo of each gate: first, strongest, all, or its number from 1.")]
Thickness = Annotated[
    bool, typer.Option("--thickness", help="Thickness from the spacing of two gates, or of two echoes of one.")
]
SpeedOfSound = Annotated[
    float | None, typer.Option(min=1.0, help="Speed of sound in m/s of the specimen: for thickness, or depth from ToF.")
]
Step = Annotated[str | None, typer.Option(help="Step of the scan in mm: 0.5, or 1x0.5 from line to line and along it.")]
MinConfidence = Annotated[
    float | None, typer.Option(min=0.0, max=1.0, help="Drops picks that are less sure. Defaults to the picker's own.")
]
Engine = Annotated[
    str, typer.Option(help="litert runs the network on the processor, keras on what its backend uses, as a GPU.")
]


def main(
    source: options.Source,
    sidecar: options.Sidecar = None,
    sampling_rate: options.SamplingRate = DEFAULT.sampling_rate,
    axis: options.Axis = DEFAULT.axis,
    signals: options.Signals = DEFAULT.signals,
    start_time: options.StartTime = DEFAULT.start_time,
    gate: Gates = None,
    echo: Echo = DEFAULT.echo,
    thickness: Thickness = DEFAULT.thickness,
    speed_of_sound: SpeedOfSound = DEFAULT.speed_of_sound,
    scan: options.Scan = DEFAULT.scan,
    step: Step = DEFAULT.step,
    preset: options.Picker = DEFAULT.preset,
    run: options.PickerRun = None,
    min_confidence: MinConfidence = DEFAULT.min_confidence,
    scale: options.Scale = DEFAULT.scale,
    engine: Engine = DEFAULT.engine,
    output: options.Output = None,
) -> Path:
    """Finds the time of flight of every trace of a file or folder of A-scans, without labels."""
    config = PredictConfig(
        **options.trace_settings(source, sidecar, sampling_rate, axis, signals, start_time, preset, run, scale),
        gates=tuple(gate or ()),
        echo=echo,
        thickness=thickness,
        speed_of_sound=speed_of_sound,
        scan=scan,
        step=step,
        min_confidence=min_confidence,
        engine=engine,
    )
    from keras_usmae.picker.report import predict  # here: --help, and a mistyped option, need not wait for SciPy
    from keras_usmae.picker.summary import format_summary

    folder = output or free_name(Path("runs") / f"predict_{source.resolve().stem}")
    print(format_summary(predict(config, folder)))
    print(f"Written to {folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")
    return folder


if __name__ == "__main__":
    options.run(main)
