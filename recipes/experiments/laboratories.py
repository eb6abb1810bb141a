"""Scores the ready pickers on recordings of laboratories that never were, drawn by other code than their training.

    python recipes/experiments/laboratories.py

Each laboratory has a pulse, a probe's scale from 0.012 to 0.2 cycles a sample, a length of record, a way in which the
first echo moves over 120 traces, later echoes, noise, and a recorder. The scale is estimated by the picker, as by
`usmae predict`. Constant offsets are taken out; far is off by more than 32 samples of the recording, or missed. Writes
`laboratories.csv`, a row for each laboratory, and `laboratories.md`.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import scipy.signal
import typer

import keras_usmae as ku
from keras_usmae import options
from keras_usmae.evaluation import median_offset
from keras_usmae.files import write_csv, write_text

NUM_TRACES = 120
FAR = 32
PULSES = ("gauss", "damped", "ricker", "two modes", "hann", "skew")


def pulse(kind, cycles_per_sample, cycles, phase):
    """A pulse with a peak of one, and its onset: where its envelope rises through 10 % of the peak, in samples."""
    length = cycles / cycles_per_sample
    t = np.arange(int(4 * length) + 8.0)
    angle = 2 * np.pi * cycles_per_sample * t
    decay = np.exp(-t / (0.35 * length)) * (1 - np.exp(-3 * cycles_per_sample * t))
    shape = {
        "gauss": lambda: np.exp(-0.5 * ((t / length - 1.5) / 0.4) ** 2) * np.cos(angle + phase),
        "damped": lambda: decay * np.sin(angle),
        "ricker": lambda: _ricker(np.pi * (cycles_per_sample * t - 1.2)),
        "two modes": lambda: decay * (np.sin(angle) + 0.5 * np.sin(1.35 * angle + 1)),
        "hann": lambda: np.where(t < length, np.sin(np.pi * t / length) ** 2, 0) * np.sin(angle),
        "skew": lambda: (t / length) ** 1.5 * np.exp(1.5 - 3 * t / length) * np.cos(angle),
    }[kind]()
    envelope = np.abs(scipy.signal.hilbert(np.pad(shape, len(shape))))[len(shape) : 2 * len(shape)]
    peak = envelope.max()
    below = np.flatnonzero(envelope[: envelope.argmax() + 1] < 0.1 * peak)
    if not len(below):
        return shape / peak, 0.0
    last = below[-1]
    return shape / peak, last + (0.1 * peak - envelope[last]) / (envelope[last + 1] - envelope[last])


def _ricker(x):
    return (1 - 2 * x**2) * np.exp(-(x**2))


def draw(seed):
    """A laboratory: its recording `(traces, samples)`, the true onsets, and what it is."""
    rng = np.random.default_rng(seed)
    kind, scale = str(rng.choice(PULSES)), 10 ** rng.uniform(np.log10(0.012), np.log10(0.2))
    shape, rise = pulse(kind, scale, rng.uniform(1.2, 6), rng.uniform(0, 2 * np.pi))
    length = int(np.clip(len(shape) * rng.uniform(3, 14), 400, 9000))
    moves = {
        "still": np.zeros(NUM_TRACES),
        "tilted": np.linspace(0, rng.uniform(-0.06, 0.3), NUM_TRACES),
        "rough": rng.uniform(-0.05, 0.2, NUM_TRACES),
    }
    way = str(rng.choice(list(moves)))
    start = np.maximum((rng.uniform(0.08, 0.5) + moves[way]) * length, 6)
    number = rng.integers(0, 6)
    gaps = np.append(0, rng.uniform(0.2, 1.5, number).cumsum() * len(shape))
    gains = np.append(1, 10 ** (-rng.uniform(0, 6, number).cumsum() / 20) * rng.choice([-1, 1], number))
    if rng.random() < 0.15:
        gains[1:] *= 2
    loudness = 10 ** (rng.normal(0, rng.choice([0, 2, 4]), NUM_TRACES) / 20)
    signals = np.zeros((NUM_TRACES, length + 5 * len(shape)))
    for gap, gain in zip(gaps, gains, strict=True):
        _add(signals, shape, start + gap, gain * loudness, length)
    signals = signals[:, :length]
    snr_db, colour = rng.uniform(14, 45), str(rng.choice(["white", "pink", "band"]))
    level = np.sqrt(np.mean(shape[: len(shape) // 2] ** 2))
    signals += level * 10 ** (-snr_db / 20) * _noise(rng, colour, scale, signals.shape)
    if rng.random() < 0.2:  # grain, the same in all traces
        grain = scipy.signal.fftconvolve(rng.standard_normal(length + len(shape)), shape)[:length]
        signals += level * 10 ** (-rng.uniform(20, 34) / 20) * grain / grain.std()
    gain, bits = rng.choice([1, 1, 1, 2, 4]), rng.choice([8, 10, 12, 14])
    steps = 2.0 ** (bits - 1)
    signals = np.round(np.clip(gain * signals / (1.05 * np.abs(signals).max()), -1, 1) * steps) / steps
    facts = {"pulse": kind, "cycles_per_sample": scale, "samples": length, "first_echo": way, "later_echoes": number}
    facts |= {"spacing": gaps[1] if number else np.nan}
    facts |= {"snr_db": snr_db, "noise": colour, "gain": int(gain), "bits": int(bits)}
    return signals.astype(np.float32), start + rise, facts


def _add(signals, shape, at, gain, length):
    """Adds a pulse to each trace at a place between samples, by the shift theorem."""
    spectrum, frequency = np.fft.rfft(shape, 4 * len(shape)), np.fft.rfftfreq(4 * len(shape))
    whole = np.floor(at).astype(int)
    for row in np.flatnonzero(whole < length):
        moved = np.fft.irfft(spectrum * np.exp(-2j * np.pi * frequency * (at[row] - whole[row])))[: len(shape) + 2]
        signals[row, whole[row] : whole[row] + len(moved)] += gain[row] * moved


def _noise(rng, colour, scale, shape):
    """Noise with an RMS of one."""
    noise = rng.standard_normal(shape)
    if colour != "white":
        frequency = np.fft.rfftfreq(shape[1])
        weight = 1 / np.sqrt(np.maximum(frequency, 0.002))
        if colour == "band":
            weight = np.exp(-0.5 * ((frequency - scale) / (0.5 * scale)) ** 2) + 0.05
        noise = np.fft.irfft(np.fft.rfft(noise) * weight, shape[1])
    return noise / noise.std()


def estimates(pickers, signals, scale):
    """Onsets by every picker; the classical ones have a band that fits the pulse."""
    found = {name: picker.pick(signals, 1.0e8).first().of_each_trace("onset") for name, picker in pickers.items()}
    rate = 1.0 / scale  # in units of the pulse's frequency, so that bands are relative to it
    found["AIC picker"] = ku.pick_aic(signals, rate, band=(0.2, min(3, 0.49 * rate)))
    found["envelope threshold picker"] = ku.pick_threshold(signals, rate, band=(0.2, min(2.5, 0.49 * rate)))
    return found


def page(rows):
    """Text of the page, from a row for each laboratory."""
    names = [key.removesuffix(" far") for key in rows[0] if key.endswith(" far")]
    text = " ".join(__doc__.split("\n\n")[2].split()).partition(" Writes")[0]
    lines = ["# Ready pickers on virtual laboratories", "", text, ""]
    lines += [f"{len(rows)} laboratories of {NUM_TRACES} traces; 95 % intervals over laboratories in brackets.", ""]
    lines += ["| picker | far or missed (%) | laboratories above 0.5 % | median error (samples), median laboratory |"]
    lines += ["| --- | --- | --- | --- |"]
    for name in names:
        far = 100 * np.array([row[f"{name} far"] for row in rows])
        draws = np.random.default_rng(0).choice(far, (2000, len(far))).mean(axis=1)
        low, high = np.quantile(draws, [0.025, 0.975])
        median = np.median([row[f"{name} median"] for row in rows])
        lines.append(f"| {name} | {far.mean():.2f} ({low:.2f} to {high:.2f}) | {np.sum(far > 0.5)} | {median:.2f} |")
    return "\n".join([*lines, ""])


def publish(path, text, rows):
    """Writes a page and the CSV of its rows beside it, prints the page, and returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_csv(path.with_suffix(".csv"), rows)
    write_text(path, text)
    print(text)
    return path


def main(
    laboratories: Annotated[int, typer.Option(min=1, help="Recordings to draw.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first; the next have the next.")] = 1000,
    output: Annotated[Path, typer.Option(help="Folder of the table and the CSV.")] = Path("docs/experiments"),
) -> Path:
    """Draws, picks and scores; writes the table and returns its path."""
    pickers = {f"`{name}`": ku.EchoPicker.from_preset(name) for name in ku.models.picker_names()}
    rows = []
    for number in range(seed, seed + laboratories):
        signals, onset, facts = draw(number)
        there = onset < signals.shape[1] - 30
        row = {"seed": number, **facts}
        for name, found in estimates(pickers, signals, facts["cycles_per_sample"]).items():
            error = np.abs(found - onset - median_offset(onset[there], found[there]))[there]
            row |= {f"{name} far": float(np.mean(~(error <= FAR))), f"{name} median": float(np.nanmedian(error))}
        rows.append(row)
    return publish(output / "laboratories.md", page(rows), rows)


if __name__ == "__main__":
    options.run(main)
