"""Measures how many traces a second are picked: by the ready pickers, the classical ones and a fine-tuned classifier.

    python recipes/benchmarks/picking.py

Everything takes turns in one process, so that what else the machine does meets all alike. Rates are medians over the
rounds with the smallest and the largest; a ratio to the AIC picker is the median of those within a round. Then, each in
a process of its own: `usmae predict` from the command to the last picture, for a small file and for all signals.

Writes picking.json. Takes some three minutes on two cores, which should have nothing else to do; the load that the
machine had of others is printed.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from keras_usmae import options
from recipes.benchmarks.machine import Watch, cores, processor
from recipes.benchmarks.rows import print_table, row

RATE = 100e6
REFERENCE = "AIC picker"
COMMAND = "from keras_usmae.cli import main; main()"
_SINGLES = 20
# Of the AIC picker's rate, by the rows of `usmae predict` from file to table.
_TARGETS = {"nano": 1.0, "nano_mcu": 1.0, "tiny": 0.5, "tiny_patch64": 0.5}


def main(
    signals: Annotated[int, typer.Option(min=256, help="Signals of 2,048 samples, of the world `field`.")] = 8192,
    rounds: Annotated[int, typer.Option(min=1, help="Times that all take a turn.")] = 5,
    keras: Annotated[bool, typer.Option(help="Whether Keras takes turns too, on the backend of KERAS_BACKEND.")] = True,
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("runs/benchmark"),
) -> None:
    """Prints the table and writes it."""
    from keras_usmae.files import write_json

    rows = measure_picking(signals, rounds, keras)
    print(f"{processor()}, {cores()} cores\n")
    print_table(rows)
    output.mkdir(parents=True, exist_ok=True)
    write_json(output / "picking.json", {"processor": processor(), "signals": signals, "rows": rows})
    print(f"\nWritten to {output / 'picking.json'}")


def measure_picking(signals, rounds, keras):
    """Rows of the rates of all pickers, of single traces, and of `usmae predict`.

    Args:
        signals: int, traces to pick.
        rounds: int, times that all take a turn.
        keras: bool, whether Keras takes turns too.
    """
    import keras_usmae as ku

    data = ku.synthesize(ku.SignalConfig.from_preset("field"), num_signals=signals, seed=0)["signal"]
    rates, singles, others = in_turn(contenders(ku, data, keras), data, rounds)
    rows = [row(f"{name}: rate", rates[name], "traces/s", others=others[name]) for name in rates]
    for name in rates:
        if name != REFERENCE:
            rows.append(row(f"{name}: rate / that of the {REFERENCE}", np.divide(rates[name], rates[REFERENCE]), ""))
    for name, times in singles.items():
        target = ("<=", 0.5) if "LiteRT" in name else ()
        rows.append(row(f"{name}: one trace", 1e3 * np.array(times), "ms", *target))
    with tempfile.TemporaryDirectory() as folder:
        rows += commands(Path(folder), data, np.median(rates[REFERENCE]))
    return rows


def contenders(ku, data, with_keras):
    """What takes turns: functions of signals by name."""
    found = {
        REFERENCE: lambda signals: ku.pick_aic(signals, RATE),
        "envelope threshold picker": lambda signals: ku.pick_threshold(signals, RATE),
    }
    for name in ku.models.picker_names():
        found[f"picker `{name}`, LiteRT"] = picking(ku.EchoPicker.from_preset(name, engine="litert"))
    if with_keras:
        import keras

        backend = keras.backend.backend()
        for name in ("nano", "tiny_patch64"):
            found[f"picker `{name}`, Keras on {backend}"] = picking(ku.EchoPicker.from_preset(name, engine="keras"))
            classifier = ku.ToFClassifier(ku.MAEEncoder.from_preset(name), bin_width=16, sampling_rate=RATE)
            found[f"`predict_tof` of a classifier `{name}`, {backend}"] = classifying(ku, classifier)
    return found


def picking(picker):
    """All of a picker's work, from raw samples to picks; the scale is known, as from the second block of a file on."""
    return lambda signals: picker.pick(signals, RATE, scale=1)


def classifying(ku, classifier):
    """Standardising and measuring."""
    return lambda signals: classifier.predict_tof(ku.standardize(signals), batch_size=256)


def in_turn(works, data, rounds):
    """Rates in traces a second, seconds for a single trace, and cores that others took, by name."""
    rates, singles, others = ({name: [] for name in works} for _ in range(3))
    for work in works.values():  # warm
        work(data)
        work(data[:1])
    for _ in range(rounds):
        for name, work in works.items():
            with Watch(others[name]):
                started = time.perf_counter()
                work(data)
                rates[name].append(len(data) / (time.perf_counter() - started))
                started = time.perf_counter()
                for number in range(_SINGLES):
                    work(data[number : number + 1])
                singles[name].append((time.perf_counter() - started) / _SINGLES)
    return rates, singles, others


def commands(folder, data, reference):
    """Rows of `usmae predict`: of few traces from the command to the last picture, of many from file to table.

    Args:
        reference: float, rate of the AIC picker.
    """
    from keras_usmae.models import picker_names

    what = "`usmae predict`, 16 traces, from the command to the end"
    times, _, others = predictions(folder, data, 16, "tiny_patch64")
    rows = [row(what, times, "s", "<=", 5.0, others)]
    many = 5 * len(data)
    for preset in picker_names():
        _, rates, others = predictions(folder, data, many, preset)
        what = f"`usmae predict`, {many:,} traces, from file to table, `{preset}`"
        rows.append(row(what, rates, "traces/s", others=others))
        target = (">=", _TARGETS[preset]) if preset in _TARGETS else ()
        rows.append(row(f"{what}: rate / that of the {REFERENCE}", np.array(rates) / reference, "", *target))
    return rows


def predictions(folder, data, traces, preset):
    """Seconds of three commands, their rates in traces a second as they tell it, and cores that others took."""
    times, rates, others = [], [], []
    np.save(folder / "scan.npy", np.resize(data, (traces, data.shape[1])))
    for repeat in range(3):
        target = folder / f"picks_{preset}_{traces}_{repeat}"
        command = [sys.executable, "-c", COMMAND, "predict", "scan.npy", "--sampling-rate", "100e6"]
        command += ["--axis", "1", "--preset", preset, "--scale", "1", "--output", str(target)]
        with Watch(others):
            started = time.perf_counter()
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            times.append(time.perf_counter() - started)
        rates.append(options.read_json(target / "summary.json")["traces_per_second"])
    return times, rates, others


if __name__ == "__main__":
    options.run(main)
