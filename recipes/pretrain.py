"""Pre-trains a masked autoencoder on unlabelled ultrasound signals.

The paper's run (48,000 synthetic signals, 200 epochs, the `small` model):

    python recipes/pretrain.py --preset small --dataset ultrasound_synthetic/paper --epochs 200

The same model on signals that are never repeated, drawn while it trains:

    python recipes/pretrain.py --preset small --dataset ultrasound_synthetic/paper --fresh-signals 48000

And for a transducer of your own, described in a file (`keras_usmae/transducers` holds examples, known by their names):

    python recipes/pretrain.py --preset small --transducer my_probe.toml

Writes a run folder: config.json, metrics.csv, metrics.json, tensorboard/, best and last weights, `encoder.keras` for
`finetune.py`, `mae.keras`, and PNG plots of the losses and of reconstructions. `KERAS_BACKEND` chooses the backend.
"""

from pathlib import Path
from typing import Annotated

import typer

from keras_usmae import options
from keras_usmae.configs import PretrainConfig


@options.takes(PretrainConfig)
def main(
    config: PretrainConfig,
    stream: Annotated[
        bool,
        typer.Option("--stream", help="Read the stored split batch by batch, where it does not fit in memory."),
    ] = False,
    remat: Annotated[
        bool,
        typer.Option(
            "--remat",
            help="For long signals: compute each block again going backward, in place of keeping all of it in memory.",
        ),
    ] = False,
    devices: options.Devices = 1,
    output: options.Output = None,
    resume: options.Resume = False,
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
    config_file: options.Config = None,
) -> Path:
    """Pre-trains a masked autoencoder and returns its run folder."""
    from keras_usmae.training import pretrain
    from keras_usmae.training.pictures import draw_pretraining

    run = pretrain(config, output, resume, stream, remat, devices, tfds_dir, raw_dir, options.progress())
    if run.mae is None:  # another process writes
        return run.folder
    plots = draw_pretraining(run)
    print(
        f"Pre-trained {config.preset} on {run.config.dataset} for {config.epochs} epochs of "
        f"{run.metrics['signals_per_epoch']:,} signals: validation loss {run.metrics['val_loss']:.4f} (1.0 is "
        f"predicting nothing). Run folder {run.folder}"
    )
    for plot in plots:
        print(f"  {plot}")
    return run.folder


if __name__ == "__main__":
    options.run(main)
