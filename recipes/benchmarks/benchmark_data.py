"""Measures how fast synthetic signals are drawn, written and read, and in how much memory.

    python recipes/benchmarks/benchmark_data.py

Draws `paper` signals against plain Gaussians, writes them as a dataset against `numpy.save`, and reads them shuffled
against the rate at which the `small` model trains. Each part runs in a process of its own and on one core, but for the
training, which has the machine. Prints a table, and writes it as JSON. Takes about 5 minutes on two quiet cores, and
3 GB of disk.

Rates are medians over repeats, by wall time and by processor time, which other work on the machine disturbs less (the
training's is divided by the number of cores). Ratios are medians of those within a repeat. The wall time is judged.
"""

import dataclasses
import logging
import os
import platform
import statistics
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from keras_usmae import options
from keras_usmae.signals import SignalConfig, standardize, synthesize
from recipes.benchmarks.measuring import MEBIBYTE, in_a_process, peak_memory, timed

BATCH_SIZE = 256


def main(
    num_signals: Annotated[int, typer.Option(min=4 * BATCH_SIZE, help="Signals to draw, write and read.")] = 48_000,
    repeats: Annotated[int, typer.Option(min=1, help="Times that each is measured.")] = 3,
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("runs/benchmark_data.json"),
) -> None:
    """Prints how fast signals are drawn, written and read."""
    from keras_usmae.files import write_json

    output.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory(dir=output.parent) as name:
        folder = Path(name)
        drawing = in_a_process(measure_drawing, num_signals, repeats)
        rows += [rate("Gaussians drawn by NumPy", drawing["gaussians"]), rate("Signals drawn", drawing["signals"])]
        rows += [ratio("Drawing: time / that of Gaussians", drawing["signals"], drawing["gaussians"], "<=", 3)]

        writing = in_a_process(measure_writing, num_signals, repeats, folder)
        plain = writing.pop("numpy.save")
        rows += [rate("Drawn, then numpy.save", plain)]
        for file_format, times in writing.items():
            rows += [rate(f"Drawn and written as {file_format}", times)]
            rows += [ratio(f"Writing {file_format}: time / drawing + numpy.save", times, plain, "<=", 3)]

        for factor in (1, 4):
            peak = in_a_process(peak_of_writing, factor * num_signals, folder / f"peak_{factor}")
            rows += [memory(f"Memory to write {factor * num_signals:,} signals", peak)]
        rows += [
            memory("Memory to read an epoch of them, shuffled", in_a_process(peak_of_reading, num_signals, folder))
        ]

        training = in_a_process(measure_training, repeats, one_core=False)
        rows += [rate("`small` trains on all cores, no data read", training)]
        for name, measure in (("as_data_source", read_data_source), ("tf.data", read_tf_data)):
            times = in_a_process(measure, num_signals, repeats, folder)
            rows += [rate(f"Read shuffled by {name}, standardised", times)]
            rows += [ratio(f"Reading by {name}: rate / that of training", training, times, ">=", 20, in_turn=False)]

    print_table(rows)
    machine = {"platform": platform.platform(), "cores": os.cpu_count(), "numpy": np.__version__}
    machine["backend"] = os.environ.get("KERAS_BACKEND", "tensorflow")
    write_json(output, {"num_signals": num_signals, "repeats": repeats, "machine": machine, "rows": rows})
    print(f"Written to {output}")


# What is measured: lists of (wall, processor) seconds per signal, one for each repeat.


def measure_drawing(num_signals, repeats):
    """Times of drawing signals, and as many Gaussians, in the same pieces."""
    config, rng = SignalConfig.from_preset("paper"), np.random.default_rng(0)
    pieces = range(0, num_signals, BATCH_SIZE)
    times = {"gaussians": [], "signals": []}
    for _ in range(repeats):
        with timed(times["gaussians"], len(pieces) * BATCH_SIZE):
            for _ in pieces:
                rng.standard_normal((BATCH_SIZE, config.signal_length), dtype=np.float32)
        with timed(times["signals"], len(pieces) * BATCH_SIZE):
            for start in pieces:
                synthesize(config, BATCH_SIZE, seed=0, start=start)
    return times


def measure_writing(num_signals, repeats, folder):
    """Times of drawing and writing signals: plainly, and as a dataset of each file format."""
    times = {"numpy.save": [], "array_record": [], "tfrecord": []}
    builder = dataset(64, folder / "warm_up", "tfrecord")
    builder.download_and_prepare()  # imports what is imported late
    config, seed = builder.builder_config.signals, builder.builder_config.seed
    for repeat in range(repeats):
        with timed(times["numpy.save"], num_signals):
            np.save(folder / "plain.npy", synthesize(config, num_signals, seed)["signal"])
        (folder / "plain.npy").unlink()
        for file_format in ("array_record", "tfrecord"):
            # The last ones are kept, to be read.
            last = repeat == repeats - 1
            builder = dataset(num_signals, folder / (file_format if last else f"{file_format}_{repeat}"), file_format)
            with timed(times[file_format], num_signals):
                builder.download_and_prepare()
    return times


def peak_of_writing(num_signals, folder):
    """Peak memory in bytes of a process that writes a dataset."""
    dataset(num_signals, folder, "array_record").download_and_prepare()
    return peak_memory()


def peak_of_reading(num_signals, folder):
    """Peak memory in bytes of a process that reads an epoch of a dataset."""
    for _ in streamed(num_signals, folder):
        pass
    return peak_memory()


def measure_training(repeats):
    """Times of optimiser steps of the `small` autoencoder."""
    import keras

    from keras_usmae.models import MaskedAutoencoder
    from keras_usmae.training import build_optimizer, jit_compile

    keras.utils.set_random_seed(0)
    mae = MaskedAutoencoder.from_preset("small", seed=0)
    mae.compile(build_optimizer(1e-3, 1000, 0, 0.05), jit_compile=jit_compile())
    signals = standardize(synthesize(SignalConfig.from_preset("paper"), 4 * BATCH_SIZE, seed=0)["signal"])
    mae.fit(signals, batch_size=BATCH_SIZE, verbose=0)
    times = []
    for _ in range(repeats):
        with timed(times, len(signals)):
            mae.fit(signals, batch_size=BATCH_SIZE, verbose=0)
    return [(wall, processor / os.cpu_count()) for wall, processor in times]


def read_data_source(num_signals, repeats, folder):
    """Times of reading the dataset as pre-training does where it does not fit in memory."""
    times = []
    for _ in range(repeats + 1):
        with timed(times, num_signals):
            read = sum(len(signals) for (signals,) in streamed(num_signals, folder))
        assert read == num_signals
    return times[1:]  # the first one imports, and fills the system's cache


def read_tf_data(num_signals, repeats, folder):
    """Times of reading the dataset by `tf.data`, through a shuffle buffer of 8192 signals."""
    import tensorflow_datasets as tfds

    builder = dataset(num_signals, folder / "tfrecord", "tfrecord")
    signals = builder.as_dataset(
        "all",
        shuffle_files=True,
        decoders=tfds.decode.PartialDecoding({"signal": True}),
        read_config=tfds.ReadConfig(enable_ordering_guard=False),  # another order is what is asked for
    )
    signals = signals.map(lambda example: example["signal"]).shuffle(8192).batch(BATCH_SIZE).prefetch(2)
    times = []
    for _ in range(repeats + 1):
        with timed(times, num_signals):
            read = sum(len(standardize(batch)) for batch in signals.as_numpy_iterator())
        assert read == num_signals
    return times[1:]


def streamed(num_signals, folder):
    """Batches of an epoch of the dataset."""
    from keras_usmae.data import StoredSplit
    from keras_usmae.training import EpochBatches, streamed_signals

    builder = dataset(num_signals, folder / "array_record", "array_record")
    stored = StoredSplit(builder, "all", features=("signal",))
    batches = EpochBatches(streamed_signals(stored, builder.builder_config.signals.signal_length, seed=0), BATCH_SIZE)
    return (batches[index] for index in range(len(batches)))


def dataset(num_signals, folder, file_format):
    """The builder of `ultrasound_synthetic/paper` with another number of signals."""
    from keras_usmae.data import load_builder

    logging.getLogger("absl").setLevel(logging.ERROR)  # TFDS warns of every configuration that is not one of its names
    builder = load_builder("ultrasound_synthetic/paper", data_dir=folder, file_format=file_format)
    sizes = {"num_train": num_signals - num_signals // 10, "num_validation": num_signals // 10}
    config = dataclasses.replace(builder.builder_config, name="paper_benchmark", **sizes)
    return type(builder)(config=config, data_dir=folder, file_format=file_format)


# How it is told.


def rate(what, times):
    """Row of signals per second."""
    wall, processor = (1 / statistics.median(column) for column in zip(*times, strict=True))
    return {"what": what, "wall": wall, "processor": processor, "unit": "signals/s"}


def ratio(what, times, reference, sign, bound, in_turn=True):
    """Row of the ratio of times, of repeats that were measured in turn or of medians, with a bound on it."""
    if not in_turn:
        times, reference = ([[statistics.median(c) for c in zip(*each, strict=True)]] for each in (times, reference))
    ratios = np.median(np.array(times) / np.array(reference), axis=0)
    wall, processor = (float(value) for value in ratios)
    met = wall <= bound if sign == "<=" else wall >= bound
    return {"what": what, "wall": wall, "processor": processor, "unit": "", "target": f"{sign} {bound}", "met": met}


def memory(what, peak):
    """Row of a peak of memory, which must stay under 1 GB."""
    return {"what": what, "wall": peak / MEBIBYTE, "unit": "MiB", "target": "< 954", "met": peak < 1e9}


def print_table(rows):
    """Prints rows as a Markdown table."""
    print("| | wall | processor | | target | |\n| --- | ---: | ---: | --- | --- | --- |")
    for row in rows:
        cells = [f"{row[name]:,.{0 if row['unit'] else 2}f}" if name in row else "" for name in ("wall", "processor")]
        met = {True: "met", False: "missed"}.get(row.get("met"), "")
        print(f"| {row['what']} | {cells[0]} | {cells[1]} | {row['unit']} | {row.get('target', '')} | {met} |")


if __name__ == "__main__":
    options.run(main)
