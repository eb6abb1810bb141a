"""Makes the weights, settings and card of a picker that comes with the package, from a run of `train_picker.py`.

    python recipes/maintenance/ship_picker.py --run runs/picker_tiny_field

Chooses the least confidence and the width of the intervals on synthetic records, scores them on others, and writes
`PRESET_picker.weights.h5`, `PRESET_picker.json` and `PRESET_picker.md` into `keras_usmae/presets`, where
`EchoDetector.from_preset(PRESET)` finds them. No measured signal takes part.
"""

import json
from pathlib import Path
from typing import Annotated

import keras
import typer

from keras_usmae import __version__, options
from keras_usmae.evaluation.picker_calibration import calibrate_picker, score_picker
from keras_usmae.files import write_json, written_whole
from keras_usmae.models.presets import PICKER, WEIGHTS_SUFFIX
from keras_usmae.picker.picker import DETECTOR_FILE
from keras_usmae.training import save_model

MAX_BYTES = 6_000_000
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
| intervals | {interval_scale:g} x 1.96 x (the network's own doubt and {interval_floor:g} samples, squared and added) |
| made by | keras_usmae {version}, `recipes/train_picker.py`, `recipes/maintenance/ship_picker.py` |
| licence | Apache-2.0; made from synthetic signals only |

On synthetic records that took no part in any choice (`recipes/maintenance/ship_picker.py` prints them):

| | |
| --- | --- |
| records without an echo that get a pick | {false_records:.3%} |
| lone echoes of 18 dB and more that are found | {found_lone:.2%} |
| clear echoes of 18 dB and more among others that are found | {found:.1%} |
| median and mean error of those | {median_error:.1f} and {mean_error:.1f} samples |
| onsets next to a pick, of all echoes, inside of its interval | {coverage:.1%} |

{results}

## Limits

- It has seen bursts of 120 to 520 samples and 1 to 5 MHz at 100 MHz; `--scale` is for recordings whose scale is
  estimated wrongly.
- The first echo may be a real one that nobody asked for: a drilled hole, or the transmit pulse. Set a gate.
- Echoes that begin under one of more than twice their height were left out of the training's targets.
"""


def main(
    run: Annotated[Path, typer.Option(help="Run folder of train_picker.py.")],
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
    settings = calibrate_picker(detector, label_sigma=config["label_sigma"])
    scores = score_picker(detector, settings)
    print(json.dumps({**settings, **scores}, indent=2))
    detector.settings = {**settings, "burst_typical": 280.0}
    weights = output / f"{preset}_{PICKER}{WEIGHTS_SUFFIX}"
    with written_whole(weights) as partial:
        detector.save_weights(partial)
        num_bytes = partial.stat().st_size
        if num_bytes > MAX_BYTES:
            raise ValueError(f"The weights of {preset!r} take {num_bytes:,} bytes; {MAX_BYTES:,} are the most.")
    names = ("bin_width", "dropout", "sampling_rate", "settings")
    write_json(output / f"{preset}_{PICKER}.json", {name: getattr(detector, name) for name in names})
    card = CARD.format(
        **{**config, **settings, **scores},
        origin=origin,
        parameters=detector.count_params(),
        num_bytes=num_bytes,
        signal_length=detector.encoder.signal_length,
        num_bins=detector.num_bins,
        version=__version__,
        results=results.read_text().strip() if results else "",
    )
    with written_whole(output / f"{preset}_{PICKER}.md") as partial:
        partial.write_text(card)
    save_model(run / DETECTOR_FILE, detector)  # with its settings, for `EchoPicker.from_run`
    print(f"{weights}: {num_bytes:,} bytes, with settings and card beside it")
    return weights


if __name__ == "__main__":
    options.run(main)
