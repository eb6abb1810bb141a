"""Measures how many traces a second are picked: by the ready pickers, the classical ones and a fine-tuned classifier.

    python recipes/benchmarks/picking.py

Everything takes turns in one process, so that what else the machine does meets all alike. Rates are medians over the
rounds with the smallest and the largest; a ratio to the AIC picker is the median of those within a round. Then, each in
a process of its own: `usmae predict` from the command to the last picture, for a small file and for all signals.

Writes picking.json. Takes some three minutes on two cores, which should have nothing else to do; the load that the
machine had of others is printed.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from keras_usmae import options

RATE = 100e6
REFERENCE = "AIC picker"
COMMAND = "from keras_usmae.cli import main; main()"


def main(
    signals: Annotated[int, typer.Option(min=256, help="Signals of 2,048 samples, of the world `field`.")] = 8192,
    rounds: Annotated[int, typer.Option(min=1, help="Times that all take a turn.")] = 5,
    keras: Annotated[bool, typer.Option(help="Whether Keras takes turns too, on the backend of KERAS_BACKEND.")] = True,
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("runs/benchmark"),
) -> None:
    """Prints the table and writes it."""
    import keras_usmae as ku
    from keras_usmae.files import write_json

    data = ku.synthesize(ku.SignalConfig.from_preset("field"), num_signals=signals, seed=0)["signal"]
    busy = others_load()
    rates, singles = in_turn(contenders(ku, data, keras), data, rounds)
    rows = [rate_row(name, rates[name], rates[REFERENCE]) for name in rates]
    rows += [time_row(f"one trace: {name}", times, "ms", 1e3) for name, times in singles.items()]
    with tempfile.TemporaryDirectory() as folder:
        rows += commands(Path(folder), data)
    print(f"{processor()}, {len(os.sched_getaffinity(0))} cores; others took {busy:.1f} cores at the start.\n")
    print("| | median | lowest to highest | | to the AIC picker |\n| --- | ---: | ---: | --- | ---: |")
    for row in rows:
        numbers = [f"{row[key]:,.{row['digits']}f}" for key in ("median", "low", "high")]
        ratio = f"{row['ratio']:.2f}" if "ratio" in row else ""
        print(f"| {row['what']} | {numbers[0]} | {numbers[1]} to {numbers[2]} | {row['unit']} | {ratio} |")
    output.mkdir(parents=True, exist_ok=True)
    write_json(output / "picking.json", {"processor": processor(), "others": busy, "signals": signals, "rows": rows})
    print(f"\nWritten to {output / 'picking.json'}")


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
    """Rates in traces a second, and seconds for a single trace, by name."""
    rates, singles = ({name: [] for name in works} for _ in range(2))
    for work in works.values():  # warm
        work(data)
        work(data[:1])
    for _ in range(rounds):
        for name, work in works.items():
            started = time.perf_counter()
            work(data)
            rates[name].append(len(data) / (time.perf_counter() - started))
            started = time.perf_counter()
            for row in range(20):
                work(data[row : row + 1])
            singles[name].append((time.perf_counter() - started) / 20)
    return rates, singles


def commands(folder, data):
    """Rows of `usmae predict`, from the command to the last picture."""
    from keras_usmae.models import picker_names

    rows = []
    for what, traces, preset in (
        ("`usmae predict`, 16 traces, from the command to the end", 16, "tiny_patch64"),
        *(
            (f"`usmae predict`, {5 * len(data):,} traces, from file to table", 5 * len(data), preset)
            for preset in picker_names()
        ),
    ):
        np.save(folder / "scan.npy", np.resize(data, (traces, data.shape[1])))
        times, rates = [], []
        for repeat in range(3):
            target = folder / f"picks_{preset}_{traces}_{repeat}"
            command = [sys.executable, "-c", COMMAND, "predict", "scan.npy", "--sampling-rate", "100e6"]
            command += ["--axis", "1", "--preset", preset, "--scale", "1", "--output", str(target)]
            started = time.perf_counter()
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            times.append(time.perf_counter() - started)
            rates.append(options.read_json(target / "summary.json")["traces_per_second"])
        rows.append(time_row(what, times, "s") if traces == 16 else rate_row(f"{what}, `{preset}`", rates))
    return rows


def rate_row(what, rates, reference=None):
    """A row of rates; a ratio is the median of those within a round."""
    row = {"what": what, **spread(rates), "unit": "traces/s", "digits": 0}
    return row if reference is None else {**row, "ratio": float(np.median(np.divide(rates, reference)))}


def time_row(what, seconds, unit, factor=1.0):
    """A row of times."""
    return {"what": what, **spread(factor * np.array(seconds)), "unit": unit, "digits": 2}


def spread(values):
    """Median, lowest and highest."""
    return {"median": float(np.median(values)), "low": float(np.min(values)), "high": float(np.max(values))}


def processor():
    """Name of the processor, as far as the system tells it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    widest = "AVX-512" if any(" avx512f" in line for line in lines) else "AVX2"
    return f"{names[0]} with {widest}" if names else "a processor that does not tell its name"


def others_load():
    """Cores that other processes take, over one idle second of this one."""
    if not Path("/proc/stat").exists():
        return float("nan")

    def busy():
        ticks = [int(value) for value in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
        return sum(ticks) - ticks[3] - ticks[4]

    before = busy()
    time.sleep(1)
    return (busy() - before) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    options.run(main)
