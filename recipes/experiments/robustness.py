"""Errors of the ready pickers and of classical ones on synthetic bursts whose onset is exactly known.

    python recipes/experiments/robustness.py

The truth is where the noise-free envelope rises through 10 % of its peak, so that no label is in doubt. Bursts of 1 to
4 MHz and 200 to 400 samples with damped, Gaussian and Hann envelopes stand alone in white noise of 30 dB, and one thing
is made harder at a time. `snr`: every burst has another shape. `snr, one pulse`: all bursts of a seed have one shape,
phase and all, as in one set-up, and the cross-correlation is told it. `scale`: cycles a sample, by factors; the pickers
choose their scale, or have it fixed at 1. The constant offset of each estimator, its median error on other records of
the seed at 30 dB, is taken out. Far is off by more than 32 samples at scale 1, or missed. The bound is the Cramér-Rao
bound of a burst of known envelope and unknown phase. Writes `robustness.csv`, a row for each seed, setting and
estimator, `robustness.md` and `robustness.png`.
"""

import csv
import dataclasses
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import keras_usmae as ku
from keras_usmae import options
from keras_usmae.evaluation import median_offset, score_over_snr
from keras_usmae.files import save_figure, write_csv
from keras_usmae.signals import (
    SignalConfig,
    draw_parameters,
    pick_cross_correlation,
    pulse_bank,
    render,
    synthesize,
    synthetic_onset_bounds,
)
from recipes.experiments.csv_rows import number
from recipes.experiments.robustness_report import write_report

RATE = 100e6
FAR = 32  # samples at scale 1
EASY_DB, CALIBRATION = 30.0, 10_000  # the latter is added to the seed of records that offsets come from
PRESETS = ("tiny_patch64", "tiny", "nano", "nano_mcu")
ENVELOPES = ("damped", "gaussian", "hann")
SWEEPS: dict = {
    "snr": (0, 5, 10, 15, 20, 25, 30, 35, 40),
    "snr, one pulse": (0, 5, 10, 15, 20, 25, 30, 35, 40),
    "scale": (0.5, 0.63, 0.79, 1.0, 1.26, 1.59, 2.0),
    "grain": (40, 30, 24, 20, 16, 12, 8),
    "clipping": (0, 6, 12, 18, 24),
    "echoes": (0, 1, 2, 3, 4, 5),
}


def world(sweep, value):
    """The `SignalConfig` of a setting."""
    config = SignalConfig(envelopes=ENVELOPES, snr_db=(EASY_DB, EASY_DB), onset_range=(64.0, 1500.0))
    if sweep.startswith("snr"):
        config = dataclasses.replace(config, snr_db=(value, value))
    if sweep == "scale":
        frequency, length = ([end * factor for end in ends] for ends, factor in _scaled(config, value))
        changes = {"center_frequency": tuple(frequency), "burst_length": tuple(length), "onset_range": (64.0, 1200.0)}
        config = dataclasses.replace(config, **changes)
    if sweep == "clipping":
        config = dataclasses.replace(config, amplitude_db=(value, value), adc_bits=(12,))
    if sweep == "echoes":
        echoes = {"echo_delay": (100.0, 500.0), "echo_attenuation_db": (-6.0, 20.0), "onset_range": (64.0, 800.0)}
        config = dataclasses.replace(config, max_echoes=int(value), **echoes)
    if sweep == "grain":
        config = dataclasses.replace(config, grain_probability=1.0, grain_snr_db=(value, value))
    return config


def _scaled(config, factor):
    return (config.center_frequency, factor), (config.burst_length, 1 / factor)


def draw(sweep, value, seed, records):
    """Records of a setting; their onsets are exact."""
    config, first = world(sweep, value), seed % CALIBRATION
    if sweep != "snr, one pulse":
        return synthesize(config, records, seed)
    drawn = {name: np.repeat(part, records, axis=0) for name, part in draw_parameters(config, 1, first).items()}
    rng = np.random.default_rng([seed, int(value)])
    start = rng.uniform(*config.onset_interval, records)
    drawn |= {"onset": drawn["onset"] - drawn["burst_start"] + start, "burst_start": start}
    signal, pulse = render(drawn, config), one_pulse(first)
    power = np.sum(pulse.astype("float64") ** 2) / drawn["burst_length"]
    noise = np.sqrt(power)[:, None] * 10 ** (-value / 20) * rng.standard_normal(signal.shape)
    return drawn | {"signal": (signal + noise).astype("float32")}


def one_pulse(seed):
    """The burst of a seed, from where its envelope leaves zero."""
    config = world("snr, one pulse", EASY_DB)
    drawn = draw_parameters(config, 1, seed) | {"burst_start": np.zeros(1)}
    return render(drawn, config)[0, : config.max_burst_samples]


def easiest(sweep):
    """The value of a sweep that offsets are taken at."""
    return EASY_DB if sweep.startswith("snr") else SWEEPS[sweep][0] if sweep != "scale" else 1.0


def estimate(pickers, signals, sweep, value, bank):
    """Onsets by every estimator, in samples of the record."""
    own = {"": 1.0} if sweep != "scale" else {" at scale 1": 1.0, " by its own scale": None}
    found = {
        f"`{name}`{how}": picker.pick(signals, RATE, scale=scale).first().of_each_trace("onset")
        for name, picker in pickers.items()
        for how, scale in own.items()
    }
    factor = value if sweep == "scale" else 1.0
    found["AIC picker"] = ku.pick_aic(signals, RATE, band=(0.3e6 * factor, 20e6 * factor))
    found["envelope threshold picker"] = ku.pick_threshold(signals, RATE, band=(0.3e6 * factor, 8e6 * factor))
    if sweep.startswith("snr"):
        found["cross-correlation picker"] = pick_cross_correlation(signals, bank)
    return found


def rows_of(pickers, sweep, seed, records):
    """A row for each value of a sweep and each estimator."""
    bank = one_pulse(seed) if sweep == "snr, one pulse" else pulse_bank(world(sweep, easiest(sweep)), 5, 1)
    drawn = draw(sweep, easiest(sweep), seed + CALIBRATION, records)
    before = estimate(pickers, drawn["signal"], sweep, easiest(sweep), bank)
    offsets = {name: median_offset(drawn["onset"], onset) for name, onset in before.items()}
    for value in SWEEPS[sweep]:
        drawn = draw(sweep, value, seed, records)
        bounds = synthetic_onset_bounds(drawn, RATE)
        unit = value if sweep == "scale" else 1.0  # samples at scale 1 in a sample of the record
        found = estimate(pickers, drawn["signal"], sweep, value, bank)
        errors = {name: unit * (onset - drawn["onset"]) - offsets[name] for name, onset in found.items()}
        scored = score_over_snr(drawn["snr_db"], errors, unit * bounds, num_groups=1)[0]
        for name, scores in scored["estimators"].items():
            row = {"sweep": sweep, "value": value, "seed": seed, "estimator": name, "records": records}
            row |= {"bound": scored["bound"], "far": float(np.mean(~(np.abs(errors[name]) <= FAR)))}
            keys = ("missed", "median_error", "sigma", "rmse", "sigma_ratio", "rmse_ratio")
            yield row | {key: scores.get(key, "") for key in keys}


def told():
    """What is done, for the page."""
    return " ".join(__doc__.split("\n\n")[2].split()).partition(" Writes")[0]


def read_rows(path):
    """Rows of the CSV, numbers as numbers."""
    with open(path, newline="") as file:
        return [{key: number(value) for key, value in row.items()} for row in csv.DictReader(file)]


def main(
    seeds: Annotated[int, typer.Option(min=1, help="Sets of records, and of pulses, from seed 0 on.")] = 5,
    records: Annotated[int, typer.Option(min=16, help="Records of a seed and setting.")] = 64,
    sweep: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(SWEEPS)}; repeat. All by default.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder of the page, the CSV and the picture.")] = Path(
        "docs/experiments"
    ),
    report: Annotated[bool, typer.Option("--report", help="Draw nothing: write page and picture of the CSV.")] = False,
) -> Path:
    """Draws, picks and scores; writes the table and returns its path."""
    path = output / "robustness.csv"
    output.mkdir(parents=True, exist_ok=True)
    rows = read_rows(path) if path.exists() else []
    if not report:
        pickers = {name: ku.EchoPicker.from_preset(name) for name in PRESETS}
        for name in sweep or SWEEPS:
            for seed in range(seeds):
                new = list(rows_of(pickers, name, seed, records))
                rows = [row for row in rows if (row["sweep"], int(row["seed"])) != (name, seed)] + new
                write_csv(path, rows)
                print(f"{name}, seed {seed}: {len(new)} rows", flush=True)
    figure, page = write_report(rows, output, told())
    save_figure(figure, output / "robustness.png")
    print(page.read_text())
    return page


if __name__ == "__main__":
    options.run(main)
