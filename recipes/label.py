"""Opens a page in the browser for labels of measured traces, the doubtful ones first.

    python recipes/label.py scan.mat
    python recipes/label.py scan.npy --sampling-rate 50e6 --axis 1 --gate front=20us:40us --gate back=40us:60us

The ready picker picks all traces beside the page, and a label is mostly one key: accept. `?` on the page lists the
keys. Each label is on the disk before the page shows the next trace. `l` fine-tunes the picker on the labels so far and
sorts the queue anew. Writes the folder scan_labels beside the data: labels.csv, which sidecars name, the journal that
it is made from, picks, and pickers that have learnt. The same command goes on where it ended. Ctrl-C ends it and prints
the command that fine-tunes with the labels. The page is served on loopback to whoever has the token in its address;
nothing outside is asked for. `KERAS_BACKEND` chooses the backend.
"""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from keras_usmae import options
from keras_usmae.labelling import LabelConfig

DEFAULT = LabelConfig("")
Gates = Annotated[
    list[str] | None,
    typer.Option("--gate", help="Where an echo is looked for, and its name: front=20us:40us. Repeat for several."),
]
Echo = Annotated[str, typer.Option(help="Which echo of a gate is proposed: first, strongest, or its number from 1.")]
SpeedOfSound = Annotated[float | None, typer.Option(min=1.0, help="Speed of sound in m/s, for gates in mm.")]
Who = Annotated[str | None, typer.Option(help="Who labels, for the table. Defaults to your user name.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port of the loopback; 0 takes a free one.")]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Whether to open the page in a browser.")]
Output = Annotated[Path | None, typer.Option(help="Folder of the labels. Defaults to NAME_labels beside the data.")]


def main(
    source: options.Source,
    sidecar: options.Sidecar = None,
    sampling_rate: options.SamplingRate = None,
    axis: options.Axis = DEFAULT.axis,
    signals: options.Signals = DEFAULT.signals,
    start_time: options.StartTime = None,
    gate: Gates = None,
    echo: Echo = DEFAULT.echo,
    speed_of_sound: SpeedOfSound = DEFAULT.speed_of_sound,
    scan: options.Scan = DEFAULT.scan,
    preset: options.Picker = DEFAULT.preset,
    run: options.PickerRun = None,
    scale: options.Scale = DEFAULT.scale,
    who: Who = None,
    port: Port = 0,
    browser: Browser = True,
    output: Output = None,
) -> Path:
    """Opens a page in the browser for labels of measured traces, the doubtful ones first."""
    config = LabelConfig(
        **options.trace_settings(source, sidecar, sampling_rate, axis, signals, start_time, preset, run, scale),
        gates=tuple(gate or ()),
        echo=echo,
        speed_of_sound=speed_of_sound,
        scan=scan,
        who=getpass.getuser() if who is None else who,
    )
    from keras_usmae.labelling import label  # here: --help, and a mistyped option, need not wait for SciPy

    folder = output or source.parent / f"{source.stem}_labels"
    for line in label(config, folder, port, browser):
        print(line)
    return folder


if __name__ == "__main__":
    options.run(main)
