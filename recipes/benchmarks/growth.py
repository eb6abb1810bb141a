"""Measures how time and memory of a training step grow with the batch, the model and the length of the signals.

    pip install "keras-usmae[tensorflow,jax,torch]"
    python recipes/benchmarks/growth.py

Each backend alone; the exponents are slopes of a line through the logarithms. "In parts" accumulates the gradients of
parts of the batch, which leaves the weights the same; "recomputing" is `--remat`.

Writes growth.json and growth.png. The machine should have nothing else to do.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from keras_usmae import options
from recipes.benchmarks.contenders import Contender, Worker
from recipes.benchmarks.machine import cores, processor
from recipes.benchmarks.measuring import MEBIBYTE
from recipes.benchmarks.rows import print_table, row
from recipes.benchmarks.training import BACKENDS


def main(
    preset: options.Preset = "small",
    batch_size: Annotated[int, typer.Option(min=1, help="Signals in a step, of the one in parts.")] = 256,
    micro_batches: Annotated[int, typer.Option(min=2, help="Parts of that batch.")] = 8,
    signal_length: Annotated[int, typer.Option(min=64, help="Samples in a signal.")] = 2048,
    steps: Annotated[int, typer.Option(min=1, help="Steps in a turn, whose median counts.")] = 3,
    batch_sizes: Annotated[list[int], typer.Option(help="Batch sizes of the first curve.")] = [16, 64, 256],  # noqa: B006
    presets: Annotated[list[str], typer.Option(help="Sizes of the second curve, 64 signals in a step.")] = [  # noqa: B006
        "nano",
        "tiny",
        "small",
        "base",
    ],
    lengths: Annotated[
        list[int], typer.Option(help="Lengths of the third curve, 4 signals in a step, with the cross decoder.")
    ] = [512, 2048, 8192, 32_768, 65_536],  # noqa: B006
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("runs/benchmark"),
) -> None:
    """Prints the table and writes it with its curves."""
    from keras_usmae.files import save_figure, write_json
    from keras_usmae.models import load_preset
    from recipes.benchmarks.plots import plot_cost

    for name in (preset, *presets):
        load_preset(name)
    output.mkdir(parents=True, exist_ok=True)
    size = {"preset": preset, "batch_size": batch_size, "signal_length": signal_length}
    curves = {
        "batch_size": curve("batch_size", batch_sizes, steps, {**size, "decoder": "full"}),
        "preset": curve("preset", presets, steps, {**size, "batch_size": 64, "decoder": "full"}),
        "signal_length": curve("signal_length", lengths, steps, {**size, "batch_size": 4, "decoder": "cross"}),
    }
    rows = exponents(curves["signal_length"])
    longest = {**size, "batch_size": 4, "decoder": "cross", "signal_length": max(lengths)}
    rows += compared(f"recomputing {max(lengths):,} samples", longest, {"remat": True}, steps)
    for decoder in ("full", "cross"):
        parts = {"micro_batches": micro_batches}
        rows += compared(f"{decoder} decoder in {micro_batches} parts", {**size, "decoder": decoder}, parts, steps)
    print(f"{processor()}, {cores()} cores\n")
    print_table(rows)
    settings = {"size": size, "micro_batches": micro_batches, "steps": steps}
    machine = {"processor": processor(), "cores": cores()}
    write_json(output / "growth.json", {**settings, "machine": machine, "rows": rows, "curves": curves})
    save_figure(plot_cost(curves), output / "growth.png")
    print(f"Written to {output / 'growth.json'} and {output / 'growth.png'}")


def curve(parameter, values, steps, size):
    """Seconds and memory of a step of each backend over a parameter, each in a process of its own."""
    points = {backend: [] for backend in BACKENDS}
    for value in values:
        for backend in BACKENDS:
            contender = Contender(f"{backend} {parameter} {value}", backend=backend, **{**size, parameter: value})
            seconds, memory = measured(contender, steps)
            point = {parameter: value, "seconds": seconds, "step_memory": memory}
            points[backend].append({**point, "signals_per_second": contender.batch_size / seconds})
            print(f"{contender.name}: {seconds:.4f} s, {memory / MEBIBYTE:,.0f} MiB", flush=True)
    return points


def measured(contender, steps):
    """Seconds and bytes of a step."""
    with Worker(contender) as worker:
        return min(worker.time(steps)[0] for _ in range(2)), worker.step_memory


def exponents(points):
    """Rows of the exponents with which time and memory of a step grow with the length."""
    rows = []
    for backend, series in points.items():
        length = [point["signal_length"] for point in series]
        for name, bound in (("seconds", 1.3), ("step_memory", 1.1)):
            values = [max(point[name], 1e-9) for point in series]
            slope = np.polyfit(np.log(length), np.log(values), 1)[0] if len(series) > 1 else np.nan
            what = {"seconds": "time", "step_memory": "memory"}[name]
            rows.append(row(f"{backend}: exponent of {what} over length", [slope], "", "<=", bound))
    return rows


def compared(what, size, change, steps):
    """Rows of what a change of a contender saves and costs, on each backend."""
    rows = []
    for backend in BACKENDS:
        plain = Contender(f"{backend}, plain", backend=backend, **size)
        changed = Contender(f"{backend}, {what}", backend=backend, **size, **change)
        (seconds, memory), (seconds_then, memory_then) = (measured(each, steps) for each in (plain, changed))
        rows.append(row(f"{changed.name}: memory / that without", [memory_then / max(memory, 1)], ""))
        rows.append(row(f"{changed.name}: time / that without", [seconds_then / seconds], ""))
        print(f"{changed.name}: {seconds_then:.3f} in place of {seconds:.3f} s", flush=True)
    return rows


if __name__ == "__main__":
    options.run(main)
