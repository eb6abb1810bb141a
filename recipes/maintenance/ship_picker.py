"""Makes the weights, settings and card of a picker that comes with the package, from a run of `train_picker.py`.

    python recipes/maintenance/ship_picker.py --run runs/seed_0 --scores docs/experiments/pickers_synthetic.json

Takes settings and scores from what `recipes/experiments/pickers.py` found on synthetic records for several runs that
differ in their seed. The card states mean and standard deviation over these runs. Writes
`PRESET_picker.weights.h5`, `.json`, `.md` and, for LiteRT, `.tflite` into `keras_usmae/presets`, where
`EchoPicker.from_preset(PRESET)` finds them. No measured signal takes part. `KERAS_BACKEND=tensorflow` only.
"""

import statistics
from pathlib import Path
from typing import Annotated

import keras
import typer

from keras_usmae import __version__, options
from keras_usmae.export import write_engine
from keras_usmae.files import atomic_write, write_json
from keras_usmae.models.presets import PICKER, WEIGHTS_SUFFIX
from keras_usmae.picker.engines import write_engine_of_run
from keras_usmae.picker.picker import DETECTOR_FILE
from keras_usmae.training import save_model

MAX_BYTES = 6_000_000
SETTINGS = ("min_confidence", "interval_scale", "interval_floor", "label_sigma")
FORMS = {
    "false_records": (100, "{:.3f}"),
    "found_lone": (100, "{:.2f}"),
    "found": (100, "{:.1f}"),
    "median_error": (1, "{:.2f}"),
    "mean_error": (1, "{:.2f}"),
    "coverage": (100, "{:.1f}"),
}
CARD = """# `{preset}`, the ready picker

Finds the echoes of A-scans without any label: `EchoPicker.from_preset("{preset}")`, or `python recipes/predict.py FILE
--preset {preset}`. It was trained on synthetic signals only.

| | |
| --- | --- |
| parameters | {parameters:,} ({num_bytes:,} bytes) |
| input | {signal_length} samples, standardised; the picker resamples a recording so that its bursts fit |
| output | for each of {num_bins} bins of {bin_width} samples the probability that an echo begins in it |
| onset | where the noise-free envelope of an echo rises through 10 % of its recorded (clipped) peak |
| last stage of the training | {signals:,} signals of `{world}`, peak rate {learning_rate:g}, started from {origin} |
| least confidence | {min_confidence:g}: chosen so that at most one record in 1,000 without an echo gets a pick |
| 95 % intervals | 1.96 x {interval_scale:g} x sqrt(doubt² + {interval_floor:g}²) samples |
| made by | keras_usmae {version}, `recipes/train_picker.py`, `recipes/maintenance/ship_picker.py` |
| licence | Apache-2.0; made from synthetic signals only |

On synthetic records that took no part in any choice, mean and standard deviation over {num_runs} runs of the last stage
(`recipes/experiments/pickers.py`):

| | |
| --- | --- |
| records without an echo that get a pick | {false_records} |
| lone echoes of 18 dB and more that are found | {found_lone} |
| clear echoes of 18 dB and more among others that are found | {found} |
| median and mean error of those | {median_error} and {mean_error} samples |
| onsets next to a pick, of all echoes, inside of its interval | {coverage} |

{results}

## Limits

- The first stage was trained once: the spread is that of the last one.
- In the interval, doubt is the spread that the network states beyond that of its targets, in samples.
- It has seen bursts of 120 to 520 samples and 1 to 5 MHz at 100 MHz; `--scale` is for recordings whose scale is
  estimated wrongly.
- The first echo may be a real one that nobody asked for: a drilled hole, or the transmit pulse. Set a gate.
- Echoes that begin under one of more than twice their height were left out of the training's targets.
"""


def spread(runs, name):
    """Mean and standard deviation over runs, as text."""
    scale, form = FORMS[name]
    values = [scale * each[name] for each in runs]
    unit = " %" if scale == 100 else ""
    return f"{form.format(statistics.mean(values))} ± {form.format(statistics.stdev(values))}{unit}"


def main(
    run: Annotated[Path, typer.Option(help="Run folder of train_picker.py.")],
    scores: Annotated[Path, typer.Option(help="pickers_synthetic.json of recipes/experiments/pickers.py.")],
    results: Annotated[
        Path | None, typer.Option(help="Markdown with results on measured signals, for the card.")
    ] = None,
    origin: Annotated[str, typer.Option(help="What the training started from, for the card.")] = "the run's start",
    output: Annotated[Path, typer.Option(help="Folder for the files.")] = Path(__file__).parents[2]
    / "keras_usmae"
    / "presets",
) -> Path:
    """Writes weights, settings and card, and returns the path of the weights."""
    config = options.read_json(run / "config.json")
    preset = config["preset"]
    detector = keras.saving.load_model(run / DETECTOR_FILE, compile=False)
    runs = options.read_json(scores)
    if run.name not in runs:
        raise ValueError(f"{scores} has no run {run.name!r}, only {', '.join(runs)}. Score it with pickers.py first.")
    settings = {name: runs[run.name][name] for name in SETTINGS}
    runs = [each for each in runs.values() if each["preset"] == preset]
    detector.settings = {**settings, "burst_typical": 280.0}
    weights = output / f"{preset}_{PICKER}{WEIGHTS_SUFFIX}"
    with atomic_write(weights) as partial:
        detector.save_weights(partial)
        num_bytes = partial.stat().st_size
        if num_bytes > MAX_BYTES:
            raise ValueError(f"The weights of {preset!r} take {num_bytes:,} bytes; {MAX_BYTES:,} are the most.")
    names = ("bin_width", "dropout", "sampling_rate", "settings")
    write_json(output / f"{preset}_{PICKER}.json", {name: getattr(detector, name) for name in names})
    card = CARD.format(
        **{**config, **settings, **{name: spread(runs, name) for name in FORMS}},
        num_runs=len(runs),
        origin=origin,
        parameters=detector.count_params(),
        num_bytes=num_bytes,
        signal_length=detector.encoder.signal_length,
        num_bins=detector.num_bins,
        version=__version__,
        results=results.read_text().strip() if results else "",
    )
    with atomic_write(output / f"{preset}_{PICKER}.md") as partial:
        partial.write_text(card)
    write_engine(detector, weights, output / f"{preset}_{PICKER}.tflite")
    save_model(run / DETECTOR_FILE, detector)  # with its settings, for `EchoPicker.from_run`
    write_engine_of_run(run)
    print(f"{weights}: {num_bytes:,} bytes, with settings and card beside it")
    return weights


if __name__ == "__main__":
    options.run(main)
