"""How finely the spacing of two echoes is measured, by their onsets and by laying the one echo over the other.

    python recipes/experiments/spacing.py

The laboratories of `laboratories.py` that have a later echo, with the picker that `usmae predict` takes by default. A
later echo is a copy of the first, smaller or of the other polarity, at a spacing that is known. Counted are the traces
in which both echoes are found within 32 samples of where they are; errors are those of the spacing as it stands.
Writes `spacing.csv`, a row for each laboratory, and `spacing.md`.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import keras_usmae as ku
from keras_usmae import options
from recipes.experiments.laboratories import FAR, draw, publish

RATE = 1e8
LEAST_TRACES = 20  # of a laboratory that counts
WAYS = {"onsets": "spacing of the onsets", "fit": "one echo laid over the other"}


def measure(picker, seed):
    """A row of a laboratory, or `None` where it has no later echo, or too few traces have both."""
    signals, onset, facts = draw(seed)
    truth = facts["spacing"]
    if not np.isfinite(truth):
        return None
    picks = picker.pick(signals, RATE)
    first, second = picks.nth(0), picks.nth(1)
    right = np.abs(first.of_each_trace("onset") - onset) <= FAR
    right &= np.abs(second.of_each_trace("onset") - onset - truth) <= FAR
    if right.sum() < LEAST_TRACES:
        return None
    row = {"seed": seed, **facts, "traces": int(right.sum())}
    speed = 2e-3 * RATE  # m/s, for which a sample is a millimetre
    found = {way: ku.thickness(first, second, speed, signals if way == "fit" else None) for way in WAYS}
    row["laid over (%)"] = 100 * np.mean(found["fit"][0][right] != found["onsets"][0][right])
    for way, (spacing, interval) in found.items():
        error = (spacing - truth)[right]
        inside = (interval[right, 0] <= truth) & (truth <= interval[right, 1])
        row |= {
            f"{way} RMS": float(np.sqrt(np.mean(error**2))),
            f"{way} half width": float(np.median(np.ptp(interval[right], axis=1)) / 2),
            f"{way} in interval (%)": 100 * float(inside.mean()),
            f"{way} off (%)": 100 * float(np.mean(np.abs(error) * facts["cycles_per_sample"] > 0.25)),
        }
    return row


def page(rows):
    """Text of the page, from a row for each laboratory."""
    text = " ".join(__doc__.split("\n\n")[2].split()).partition(" Writes")[0]
    refined = np.mean([row["laid over (%)"] for row in rows])
    lines = ["# Spacing of two echoes in virtual laboratories", "", text, ""]
    lines += [f"{len(rows)} laboratories; in {refined:.1f} % of the traces the one echo fits the other.", ""]
    lines += [
        "| spacing by | RMS error (samples), median laboratory | RMS error (periods) | half width of the 95 % interval"
    ]
    lines[-1] += " (samples) | truth in the interval (%) | off by over a quarter of a period (%) |"
    lines += ["| --- | --- | --- | --- | --- | --- |"]
    for way, name in WAYS.items():
        error = np.array([row[f"{way} RMS"] for row in rows])
        periods = error * np.array([row["cycles_per_sample"] for row in rows])
        width, inside, off = (
            np.array([row[f"{way} {key}"] for row in rows]) for key in ("half width", "in interval (%)", "off (%)")
        )
        cells = [f"{np.median(error):.2f}", f"{np.median(periods):.4f}", f"{np.median(width):.2f}"]
        lines.append(f"| {name} | {' | '.join(cells)} | {inside.mean():.1f} | {off.mean():.2f} |")
    return "\n".join([*lines, ""])


def main(
    laboratories: Annotated[int, typer.Option(min=1, help="Recordings to draw.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first; the next have the next.")] = 1000,
    output: Annotated[Path, typer.Option(help="Folder of the table and the CSV.")] = Path("docs/experiments"),
) -> Path:
    """Draws, picks and measures; writes the table and returns its path."""
    picker = ku.EchoPicker.from_preset("tiny_patch64")
    rows = [row for number in range(seed, seed + laboratories) if (row := measure(picker, number)) is not None]
    if not rows:
        raise ValueError(f"None of {laboratories} laboratories has a later echo; draw more.")
    return publish(output / "spacing.md", page(rows), rows)


if __name__ == "__main__":
    options.run(main)
