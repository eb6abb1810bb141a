"""Looks at measured data of your own before any training: prints a report, and saves a picture and the report as JSON.

    python recipes/inspect_data.py scan.npz
    python recipes/inspect_data.py ../shared/data/measured/openhw_pic0rick_un0rick \
        --sidecar datasets/ultrasound_measured/sidecars/pic0rick.toml

Reads a file or folder of arrays (.npy, .npz, .mat, HDF5, .wav, .tdms) or tables (.csv and the like). For each
instrument's export, docs/how-to/formats.md has the lines of sidecar that it needs, if any. The report says where rate,
start and unit came from, what of the file was left out, and what is doubtful; where a sidecar is missing, one for this
very file is printed. Files that cannot be read are named with the reason behind the reports of the others. The second
command takes a few seconds and finds 28 traces at 60 MHz, labels from 16.803 to 37.261 µs, and 85.7 % of the traces
clipped.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from keras_usmae import options


def main(
    path: Annotated[Path, typer.Argument(help="File or folder of measured traces.")],
    sidecar: options.Sidecar = None,
    output: Annotated[Path, typer.Option(help="Folder for pictures and reports.")] = Path("runs/inspect_data"),
    seed: options.Seed = 0,
) -> None:
    """Prints what is in measured data, and saves pictures of it."""
    from keras_usmae.files import save_figure
    from keras_usmae.signals.readers import iterate_recordings, report_recording
    from keras_usmae.signals.readers.plots import plot_recording

    output.mkdir(parents=True, exist_ok=True)
    failed = []
    for file, recording in iterate_recordings(path, sidecar):
        if isinstance(recording, Exception):
            failed.append(recording)
            continue
        report = report_recording(recording)
        print(report.to_text())
        name = file.name
        partial = output / f"{name}.json.partial"
        partial.write_text(report.to_json() + "\n", encoding="utf-8")
        os.replace(partial, output / f"{name}.json")
        print(f"  {'picture':<15} {save_figure(plot_recording(recording, seed=seed), output / f'{name}.png')}")
    for error in failed:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    if failed:
        raise typer.Exit(1)


if __name__ == "__main__":
    options.run(main)
