"""Measures how fast and in how much memory this package pre-trains, against vit-pytorch and the machine itself.

    pip install "keras-usmae[tensorflow,jax,torch,benchmark]"
    python recipes/benchmarks/benchmark.py

A step is forward, backward and AdamW on one batch of random signals. Every contender has a process of its own; they
take turns, so that what else the machine does meets all of them alike. Rates are medians over the rounds with the
smallest and the largest beside them; a ratio is the median of those within a round. Memory is the peak of the process
above that of another one with the smallest batch.

Then each backend alone, over batch size, size of the model, and length of the signals; the exponents are slopes of a
line through the logarithms. Contenders "in parts" accumulate the gradients of parts of the batch, which leaves the
weights the same. Where the rate misses its target, the backend's profiler says what the time of that step goes to.

Writes benchmark.json and benchmark.png. Takes some 25 minutes on two cores, which should have nothing else to do.
"""

import os
import platform
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from keras_usmae import options
from recipes.benchmarks.benchmark_data import dataset, measure_drawing, read_data_source
from recipes.benchmarks.contenders import MATRIX_SIZE, Contender, Worker, build_model, step_flops
from recipes.benchmarks.measuring import MEBIBYTE, in_a_process

BACKENDS = ("torch", "tensorflow", "jax")
REFERENCE = "vit-pytorch eager"
NUM_STORED = 8192


def main(
    preset: options.Preset = "small",
    batch_size: Annotated[int, typer.Option(min=1, help="Signals in a step.")] = 256,
    micro_batches: Annotated[int, typer.Option(min=2, help="Parts of a batch, of the contenders in parts.")] = 8,
    signal_length: Annotated[int, typer.Option(min=64, help="Samples in a signal.")] = 2048,
    rounds: Annotated[int, typer.Option(min=1, help="Times that all contenders take a turn.")] = 5,
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
    from keras_usmae.models import load_preset

    for name in (preset, *presets):
        load_preset(name)
    output.mkdir(parents=True, exist_ok=True)
    size = {"preset": preset, "batch_size": batch_size, "signal_length": signal_length}
    rows, profiles = in_turn(size, micro_batches, rounds, steps)
    rows += latencies(preset, signal_length, steps)
    rows += data_rates(output)
    curves = {
        "batch_size": curve("batch_size", batch_sizes, steps, {**size, "decoder": "full"}),
        "preset": curve("preset", presets, steps, {**size, "batch_size": 64, "decoder": "full"}),
        "signal_length": curve("signal_length", lengths, steps, {**size, "batch_size": 4, "decoder": "cross"}),
    }
    rows += exponents(curves["signal_length"])
    rows += recomputation({**size, "batch_size": 4, "decoder": "cross", "signal_length": max(lengths)}, steps)
    print_table(rows)
    print_profiles(profiles)
    settings = {"size": size, "micro_batches": micro_batches, "rounds": rounds, "steps": steps}
    write(output, {**settings, "profiles": profiles}, rows, curves)


def contenders(size, micro_batches):
    """All that takes turns: each backend and decoder with the whole batch, then with the batch in parts."""
    return [
        Contender("matrix product", task="matrix"),
        Contender(REFERENCE, library="vit-pytorch", **size),
        Contender("vit-pytorch compiled", library="vit-pytorch compiled", **size),
        *(
            Contender(
                f"{backend}, {decoder} decoder{in_parts}", backend=backend, decoder=decoder, micro_batches=parts, **size
            )
            for decoder in ("full", "cross")
            for parts, in_parts in ((1, ""), (micro_batches, f" in {micro_batches} parts"))
            for backend in BACKENDS
        ),
    ]


def in_turn(size, micro_batches, rounds, steps):
    """Rows of all contenders, timed in turn, and the profiles of those that miss the target of their rate."""
    workers = []
    try:
        for contender in contenders(size, micro_batches):
            workers.append(Worker(contender))
            print(f"{contender.name} is warm", flush=True)
        times = {worker.contender.name: [] for worker in workers}
        for _ in range(rounds):
            for worker in workers:
                times[worker.contender.name].append(worker.time(steps))
        memory = {worker.contender.name: worker.step_memory for worker in workers}
        rows = compared(size, times, memory)
        missed = {
            line["what"].split(": ")[0] for line in rows if "rate /" in line["what"] and not line.get("met", True)
        }
        profiles = {worker.contender.name: worker.profile() for worker in workers if worker.contender.name in missed}
    finally:
        for worker in workers:
            worker.__exit__()
    return rows, profiles


def compared(size, times, memory):
    """Rows of rates, ratios, shares of the peak and memory, from the seconds and bytes of each contender."""
    times = {name: np.array(values) for name, values in times.items()}
    peak = 2 * MATRIX_SIZE**3 / times.pop("matrix product") / 1e9
    rows = [row("Matrix product in float32", peak, "GFLOP/s")]
    for name, seconds in times.items():
        rows.append(row(f"{name}: pre-training", size["batch_size"] / seconds, "signals/s"))
    flops = {decoder: step_flops(build_model(Contender("", decoder=decoder, **size))) for decoder in ("full", "cross")}
    full = [name for name in times if "full" in name]
    best = min(full, key=lambda name: np.median(times[name]))
    for name in times:
        done = flops["cross" if "cross" in name else "full"] * size["batch_size"] / times[name] / 1e9
        rows.append(row(f"{name}: share of the matrix peak", done / peak, "", *((">=", 0.65) if name == best else ())))
    for name in times:
        if name != REFERENCE:
            bound = 2.5 if "cross" in name else 1.3 if name == best else 1.0
            target = () if "compiled" in name else (">=", bound)
            rows.append(row(f"{name}: rate / that of {REFERENCE}", times[REFERENCE] / times[name], "", *target))
    for name in times:
        rows.append(row(f"{name}: memory of a step", np.array([memory[name] / MEBIBYTE]), "MiB"))
    for name in full:
        rows.append(
            row(f"{name}: memory / that of {REFERENCE}", np.array([memory[name] / memory[REFERENCE]]), "", "<=", 0.5)
        )
    return rows


def recomputation(size, steps):
    """Rows of what recomputing blocks saves and costs with long signals."""
    rows = []
    for backend in BACKENDS:
        seconds, memory = [], []
        for remat in (False, True):
            with Worker(Contender(f"{backend}, remat={remat}", backend=backend, remat=remat, **size)) as w:
                seconds.append(w.time(steps))
                memory.append(w.step_memory)
        what = f"{backend}, {size['signal_length']} samples, recomputing:"
        rows.append(row(f"{what} memory / that of keeping", np.array([memory[1] / max(memory[0], 1)]), ""))
        rows.append(row(f"{what} time / that of keeping", np.array([seconds[1] / seconds[0]]), ""))
    return rows


def latencies(preset, signal_length, steps):
    """Rows of the time to encode one signal."""
    rows = []
    for backend in BACKENDS:
        contender = Contender(
            backend, "encode", backend=backend, preset=preset, signal_length=signal_length, batch_size=1
        )
        with Worker(contender) as worker:
            seconds = np.array([worker.time(10 * steps) for _ in range(5)])
        rows.append(row(f"{backend}: one signal encoded", 1e3 * seconds, "ms"))
    return rows


def data_rates(folder):
    """Rows of the rates at which signals are drawn and read, on one core; `benchmark_data.py` has more of them."""
    drawn = in_a_process(measure_drawing, NUM_STORED, 3)["signals"]
    with tempfile.TemporaryDirectory(dir=folder) as name:
        in_a_process(prepare, Path(name), NUM_STORED)
        read = in_a_process(read_data_source, NUM_STORED, 3, Path(name))
    return [
        row("signals drawn", 1 / np.array(drawn)[:, 0], "signals/s"),
        row("signals read shuffled, standardised", 1 / np.array(read)[:, 0], "signals/s"),
    ]


def prepare(folder, num_signals):
    """Writes the dataset that is read."""
    dataset(num_signals, folder / "array_record", "array_record").download_and_prepare()


def curve(parameter, values, steps, size):
    """Seconds and memory of a step of each backend over a parameter, each in a process of its own."""
    points = {backend: [] for backend in BACKENDS}
    for value in values:
        for backend in BACKENDS:
            contender = Contender(f"{backend} {parameter} {value}", backend=backend, **{**size, parameter: value})
            with Worker(contender) as worker:
                seconds = min(worker.time(steps) for _ in range(2))
                point = {parameter: value, "seconds": seconds, "step_memory": worker.step_memory}
            points[backend].append({**point, "signals_per_second": contender.batch_size / seconds})
            print(f"{contender.name}: {seconds:.4f} s, {worker.step_memory / MEBIBYTE:,.0f} MiB", flush=True)
    return points


def exponents(points):
    """Rows of the exponents with which time and memory of a step grow with the length."""
    rows = []
    for backend, series in points.items():
        length = [point["signal_length"] for point in series]
        for name, bound in (("seconds", 1.3), ("step_memory", 1.1)):
            values = [max(point[name], 1e-9) for point in series]
            slope = np.polyfit(np.log(length), np.log(values), 1)[0] if len(series) > 1 else np.nan
            what = {"seconds": "time", "step_memory": "memory"}[name]
            rows.append(row(f"{backend}: exponent of {what} over length", np.array([slope]), "", "<=", bound))
    return rows


def row(what, values, unit, sign=None, bound=None):
    """A row of the table: median, smallest and largest, and whether a target is met."""
    median, low, high = (float(function(values)) for function in (np.median, np.min, np.max))
    result = {"what": what, "median": median, "low": low, "high": high, "unit": unit}
    if sign:
        result |= {"target": f"{sign} {bound}", "met": bool(median >= bound if sign == ">=" else median <= bound)}
    return result


def print_table(rows):
    """Prints rows as a Markdown table."""
    print("| | median | lowest to highest | | target | |\n| --- | ---: | ---: | --- | --- | --- |")
    for line in rows:
        digits = 0 if line["unit"] in ("signals/s", "MiB", "GFLOP/s") else 2
        numbers = [f"{line[name]:,.{digits}f}" for name in ("median", "low", "high")]
        spread = f"{numbers[1]} to {numbers[2]}" if line["low"] != line["high"] else ""
        met = {True: "met", False: "missed"}.get(line.get("met"), "")
        print(f"| {line['what']} | {numbers[0]} | {spread} | {line['unit']} | {line.get('target', '')} | {met} |")


def print_profiles(profiles):
    """Prints what the time of each step goes to that missed its target."""
    for name, shares in profiles.items():
        print(
            f"{name} spends " + ", ".join(f"{share:.0%} on {kind}" for kind, share in shares.items() if share >= 0.005)
        )


def write(folder, settings, rows, curves):
    """Writes JSON and plot."""
    from importlib.metadata import version

    from keras_usmae.files import save_figure, write_json
    from recipes.benchmarks.plots import plot_cost

    machine = {"platform": platform.platform(), "cores": len(os.sched_getaffinity(0))}
    machine |= {name: version(name) for name in ("keras", "torch", "jax", "vit-pytorch", "numpy")}
    write_json(folder / "benchmark.json", {**settings, "machine": machine, "rows": rows, "curves": curves})
    save_figure(plot_cost(curves), folder / "benchmark.png")
    print(f"Written to {folder / 'benchmark.json'} and {folder / 'benchmark.png'}")


if __name__ == "__main__":
    options.run(main)
