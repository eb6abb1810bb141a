"""Makes the weights, settings and card of a picker that comes with the package, from a run of `train_picker.py`.

    python recipes/maintenance/ship_picker.py --run runs/seed_0 --experiment docs/experiments/pickers

Takes settings and scores from what `recipes/experiments/pickers.py` found for several runs that differ in their seed:
on synthetic records in `pickers_synthetic.json`, on measured signals in `pickers.csv`. The card states mean and
standard deviation over these runs. Writes `PRESET_picker.weights.h5`, `.json`, `.md` and, for LiteRT, `.tflite` into
`keras_usmae/presets`, where `EchoPicker.from_preset(PRESET)` finds them. No measured signal takes part in the weights.
`KERAS_BACKEND=tensorflow` only.
"""

import statistics
from pathlib import Path
from typing import Annotated

import keras
import typer

from keras_usmae import __version__, options
from keras_usmae.evaluation.picker_calibration import JUDGING_SEED, calibrate_picker, score_picker
from keras_usmae.export import write_engine
from keras_usmae.files import atomic_write, write_json
from keras_usmae.models.presets import PICKER, WEIGHTS_SUFFIX
from keras_usmae.picker import EchoPicker
from keras_usmae.picker.engines import write_engine_of_run
from keras_usmae.picker.picker import DETECTOR_FILE
from keras_usmae.training import save_model
from recipes.experiments.csv_rows import read_rows
from recipes.maintenance.figures_of_pickers import picker_card

MAX_BYTES = 6_000_000
SETTINGS = ("min_confidence", "interval_scale", "interval_floor", "label_sigma")
RULE = ("sure_confidence", "clear_confidence", "clear_snr_db")
NUM_SETS = 5  # of synthetic records that the rule of these weights is judged on
FORMS = {
    "false_records": (100, "{:.3f}"),
    "found_lone": (100, "{:.2f}"),
    "found": (100, "{:.1f}"),
    "median_error": (1, "{:.2f}"),
    "mean_error": (1, "{:.2f}"),
    "coverage": (100, "{:.1f}"),
}
MEASURED_TEXT = """\
On the measured test split, {signals:,} windows of 2,048 samples without a drilled hole ahead of the labelled echo,
with no measured label but for the constant offset, which is the median error on the validation split; mean and standard
deviation over the same runs, 95 % intervals over records in brackets ([table]({table})):

<!-- figures: card_{preset} -->

"""
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
| a pick counts | {rule} |
| least confidence alone (firmware) | {min_confidence:g}; by either, at most one silent record in 1,000 has a pick |
| 95 % intervals | 1.96 x {interval_scale:g} x sqrt(doubt² + {interval_floor:g}²) samples |
| made by | keras_usmae {version}, `recipes/train_picker.py`, `recipes/maintenance/ship_picker.py` |
| licence | Apache-2.0; made from synthetic signals only |

On synthetic records that took no part in any choice: these weights with the rule above, mean and standard deviation
over {num_sets} sets of 20,480 records; and by the least confidence alone, over {num_runs} runs of the last stage that
differ in their seed (`recipes/experiments/pickers.py`):

| | the picker's rule, these weights | least confidence alone, {num_runs} runs |
| --- | --- | --- |
| records without an echo that get a pick | {rule_false_records} | {false_records} |
| lone echoes of 18 dB and more that are found | {rule_found_lone} | {found_lone} |
| clear echoes of 18 dB and more among others that are found | {rule_found} | {found} |
| median error of those (samples) | {rule_median_error} | {median_error} |
| mean error of those (samples) | {rule_mean_error} | {mean_error} |
| onsets next to a pick, of all echoes, inside of its interval | {rule_coverage} | {coverage} |

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


def measured_results(experiment, preset):
    """The section of the card on measured signals, from the rows that `pickers.py` wrote."""
    (signals,) = {row["signals"] for row in read_rows(experiment, preset=preset, split="test")}
    table = "\n".join(picker_card(preset, experiment)())
    return MEASURED_TEXT.format(signals=signals, table=f"experiments/{experiment}.md", preset=preset) + table


def rule_text(settings):
    """The rule by which a pick counts, in words."""
    parts = [f"confidence {settings['sure_confidence']:g}"]
    if settings["clear_confidence"]:
        parts.append(f"{settings['clear_confidence']:g} at an SNR of {settings['clear_snr_db']:g} dB")
    parts.append(f"{settings['loud_confidence']:g} at most 10 dB below the loudest of these in its trace")
    return "; or ".join(parts)


def main(
    run: Annotated[Path, typer.Option(help="Run folder of train_picker.py.")],
    experiment: Annotated[
        Path, typer.Option(help="What pickers.py wrote, without _synthetic.json and .csv: docs/experiments/pickers.")
    ],
    origin: Annotated[str, typer.Option(help="What the training started from, for the card.")] = "the run's start",
    output: Annotated[Path, typer.Option(help="Folder for the files.")] = Path(__file__).parents[2]
    / "keras_usmae"
    / "presets",
) -> Path:
    """Writes weights, settings and card, and returns the path of the weights."""
    config = options.read_json(run / "config.json")
    preset = config["preset"]
    detector = keras.saving.load_model(run / DETECTOR_FILE, compile=False)
    scores = experiment.with_name(f"{experiment.name}_synthetic.json")
    runs = options.read_json(scores)
    if run.name not in runs:
        raise ValueError(f"{scores} has no run {run.name!r}, only {', '.join(runs)}. Score it with pickers.py first.")
    settings = {name: runs[run.name][name] for name in SETTINGS}
    engine = EchoPicker.from_run(run).engine
    found = runs[run.name]
    if RULE[0] not in found:
        found = calibrate_picker(engine, label_sigma=config["label_sigma"])
    settings |= {name: found[name] for name in RULE} | {"loud_confidence": 0.4}
    runs = [each for each in runs.values() if each["preset"] == preset]
    detector.settings = {**settings, "burst_typical": 280.0}
    own = [score_picker(engine, settings, seed=JUDGING_SEED + number) for number in range(NUM_SETS)]
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
        **{f"rule_{name}": spread(own, name) for name in FORMS},
        num_sets=NUM_SETS,
        rule=rule_text(settings),
        num_runs=len(runs),
        origin=origin,
        parameters=detector.count_params(),
        num_bytes=num_bytes,
        signal_length=detector.encoder.signal_length,
        num_bins=detector.num_bins,
        version=__version__,
        results=measured_results(experiment.name, preset),
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
