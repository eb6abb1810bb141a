"""Makes weights that come with the package, and their model card, from a run folder of `pretrain.py`.

    python recipes/maintenance/ship_weights.py --run runs/pretrain_nano_quickstart --results runs/ablate/labels.md

Writes `PRESET_synthetic.weights.h5` and `PRESET_synthetic.md` into `keras_usmae/presets`, where
`MAEEncoder.from_preset(PRESET, weights="synthetic")` finds them. The card tells data, schedule and cost as the run
folder has them, and the results as the table given has them.
"""

import os
from pathlib import Path
from typing import Annotated

import keras
import typer

from keras_usmae import __version__, options
from keras_usmae.models import load_preset, preset_names, preset_of

MAX_BYTES = 6_000_000
NO_RESULTS = "No fine-tuning from these weights has been measured."
CARD = """# `{preset}`, weights `synthetic`

Encoder of a masked autoencoder that saw {signals_seen:,} synthetic A-scans, none of them twice, and no label and no
measured signal. Load it with `MAEEncoder.from_preset("{preset}", weights="synthetic")`; `recipes/finetune.py --preset
{preset}` starts from it.

| | |
| --- | --- |
| parameters | {parameters:,} (encoder, {num_bytes:,} bytes in float32) |
| input | {signal_length} samples at 100 MHz, standardised, in patches of {patch_size} |
| data | `{dataset}`: new signals in each epoch, seed {seed} |
| schedule | {epochs} epochs of {fresh:,} signals in batches of {batch_size}; {dtype} |
| optimiser | AdamW, weight decay {weight_decay:g}, beta2 0.95, peak rate {learning_rate:g}, cosine decay |
| task | {mask_ratio:.1%} of the patches masked; decoder `{decoder}` |
| loss | {val_loss:.4f} on the validation split, mean square of the masked patches; 1.0 is predicting nothing |
| cost | {seconds:.0f} s with {backend} on {cores} |
| made by | keras_usmae {version}, `recipes/pretrain.py`, `recipes/maintenance/ship_weights.py` |
| licence | Apache-2.0; made from synthetic signals only |

## Results

{results}

## Limits

- One pre-training seed. Bursts of 1 to 4 MHz and 200 to 500 samples at 100 MHz are what it has seen (the configuration
  named above has every range); for a transducer far from them, resample, or pre-train on a description of yours
  (`recipes/pretrain.py --transducer`).
- It is a start for fine-tuning, not a picker: without a head and labels it gives no time of flight.
"""


def main(
    run: Annotated[Path, typer.Option(help="Run folder of pretrain.py, on synthetic signals, of a named preset.")],
    results: Annotated[Path | None, typer.Option(help="Markdown table of run.py with what they are worth.")] = None,
    cores: Annotated[str, typer.Option(help="What the training ran on, for the card.")] = "2 CPU cores",
    output: Annotated[Path, typer.Option(help="Folder for both files.")] = Path(__file__).parents[2]
    / "keras_usmae"
    / "presets",
) -> Path:
    """Writes weights and model card, and returns the path of the weights."""
    config, metrics = (options.read_json(run / name) for name in ("config.json", "metrics.json"))
    encoder = keras.saving.load_model(run / "encoder.keras")
    preset = preset_of(encoder)
    same_length = preset and encoder.signal_length == load_preset(preset)["encoder"]["signal_length"]
    if not same_length or not config["dataset"].startswith("ultrasound_synthetic/"):
        raise ValueError(
            f"{run} was {config['preset']!r} with patches of {encoder.patch_size} on {config['dataset']!r}, "
            f"{encoder.signal_length} samples long; the sizes and the length of one of {', '.join(preset_names())}, on "
            "ultrasound_synthetic, are expected."
        )
    weights = output / f"{preset}_synthetic.weights.h5"
    partial = output / f".{preset}_synthetic.partial.weights.h5"
    encoder.save_weights(partial)
    if partial.stat().st_size > MAX_BYTES:
        partial.unlink()
        raise ValueError(f"The weights of {preset!r} take more than {MAX_BYTES:,} bytes, too many for the package.")
    card = CARD.format(
        **{
            **config,
            **metrics,
            "preset": preset,
            "fresh": metrics["signals_per_epoch"],
            "parameters": encoder.count_params(),
        },
        num_bytes=partial.stat().st_size,
        signal_length=encoder.signal_length,
        cores=cores,
        version=__version__,
        results=_table(results) if results else NO_RESULTS,
    )
    partial_card = output / f".{preset}_synthetic.partial.md"
    partial_card.write_text(card)
    os.replace(partial, weights)
    os.replace(partial_card, weights.with_name(f"{preset}_synthetic.md"))
    print(f"{weights}: {weights.stat().st_size:,} bytes, with its card {preset}_synthetic.md")
    return weights


def _table(path):
    """A table of run.py, its title turned into a sentence."""
    title, _, rest = path.read_text().strip().partition("\n")
    return f"{title.lstrip('# ')}.\n{rest}"


if __name__ == "__main__":
    options.run(main)
