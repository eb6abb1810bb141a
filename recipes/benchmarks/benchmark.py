"""Measures how fast this package picks, trains, draws signals and starts, beside others and the machine itself.

    pip install "keras-usmae[tensorflow,jax,torch,benchmark]"
    python recipes/benchmarks/benchmark.py

Picks: the ready pickers and the classical ones in turns, and `usmae predict` from file to table. Training: a step is
forward, backward and AdamW on one batch of random signals; every contender has a process of its own, and they take
turns, so that what else the machine does meets all of them alike. Rates are medians over the rounds with the smallest
and the largest beside them; a ratio is the median of those within a round. Memory is the peak of the process above that
of another one with the smallest batch. Where a training misses its target, the backend's profiler says what its time
goes to. The table names what was measured while others took a part of the machine, and has the last earlier run on such
a processor beside it.

Writes benchmark.json and history.json. Takes some twelve minutes on two cores without bfloat16,
which should have nothing else to do.
`picking.py`, `benchmark_data.py` and `growth.py` measure more of each.
"""

import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from keras_usmae import options
from recipes.benchmarks import training
from recipes.benchmarks.benchmark_data import dataset, measure_drawing, read_data_source
from recipes.benchmarks.machine import Watch, computes_bfloat16, cores, processor
from recipes.benchmarks.measuring import in_a_process
from recipes.benchmarks.picking import COMMAND, measure_picking
from recipes.benchmarks.rows import HISTORY_FILE, print_table, remember, remembered, row

NUM_STORED = 8192
HELP_SECONDS = 1.0


def main(
    preset: options.Preset = "small",
    batch_size: Annotated[int, typer.Option(min=1, help="Signals in a step.")] = 256,
    signal_length: Annotated[int, typer.Option(min=64, help="Samples in a signal.")] = 2048,
    rounds: Annotated[int, typer.Option(min=1, help="Times that all contenders take a turn.")] = 3,
    steps: Annotated[int, typer.Option(min=1, help="Steps in a turn, whose median counts.")] = 3,
    traces: Annotated[int, typer.Option(min=256, help="Traces to pick.")] = 4096,
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("runs/benchmark"),
) -> None:
    """Prints the table and writes it."""
    from keras_usmae.files import write_json
    from keras_usmae.models import load_preset

    load_preset(preset)
    output.mkdir(parents=True, exist_ok=True)
    history = options.read_json(output / HISTORY_FILE)["runs"] if (output / HISTORY_FILE).exists() else []
    started = time.perf_counter()
    rows = starting()
    rows += in_a_process(measure_picking, traces, rounds, False, one_core=False)
    rows += data_rates(output)
    rows += training.latencies(preset, signal_length, steps)
    size = {"preset": preset, "batch_size": batch_size, "signal_length": signal_length}
    trained, profiles = training.in_turn(size, rounds, steps)
    rows += trained
    print(f"\n{processor()}, {cores()} cores; took {(time.perf_counter() - started) / 60:.0f} minutes\n")
    print_table(rows, remembered(history, processor()))
    if not computes_bfloat16():
        print("\nbfloat16 was left out: this processor has no instructions for it.")
    training.print_profiles(profiles)
    machine = {"processor": processor(), "cores": cores()}
    machine |= {name: version(name) for name in ("keras", "torch", "jax", "vit-pytorch", "numpy")}
    settings = {"size": size, "rounds": rounds, "steps": steps, "machine": machine}
    write_json(output / "benchmark.json", {**settings, "profiles": profiles, "rows": rows})
    write_json(output / HISTORY_FILE, {"runs": remember(history, processor(), rows)})
    print(f"Written to {output / 'benchmark.json'} and {output / HISTORY_FILE}")


def starting():
    """Rows of how long the help of four recipes takes."""
    rows = []
    for name in ("predict", "pretrain", "tune", "experiment"):
        times, others = [], []
        for _ in range(3):
            with Watch(others):
                started = time.perf_counter()
                subprocess.run([sys.executable, "-c", COMMAND, name, "--help"], check=True, capture_output=True)
                times.append(time.perf_counter() - started)
        rows.append(row(f"`usmae {name} --help`", times, "s", "<=", HELP_SECONDS, others))
    return rows


def data_rates(folder):
    """Rows of the rates at which signals are drawn and read, on one core; `benchmark_data.py` has more of them."""
    others = []
    with tempfile.TemporaryDirectory(dir=folder) as name, Watch(others):
        drawn = in_a_process(measure_drawing, NUM_STORED, 3)["signals"]
        in_a_process(prepare, Path(name), NUM_STORED)
        read = in_a_process(read_data_source, NUM_STORED, 3, Path(name))
    return [
        row("signals drawn", 1 / np.array(drawn)[:, 0], "signals/s", others=others),
        row("signals read shuffled, standardised", 1 / np.array(read)[:, 0], "signals/s", others=others),
    ]


def prepare(folder, num_signals):
    """Writes the dataset that is read."""
    dataset(num_signals, folder / "array_record", "array_record").download_and_prepare()


if __name__ == "__main__":
    options.run(main)
