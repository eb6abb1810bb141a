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

import dataclasses
import functools
from pathlib import Path
from typing import Annotated, Literal

import keras
import numpy as np
import typer

from keras_usmae import options
from keras_usmae.data import StoredSplit, load_arrays, load_builder, prepare
from keras_usmae.models import MaskedAutoencoder, load_preset
from keras_usmae.plotting import plot_history, plot_reconstructions, save_figure
from keras_usmae.signals import check_signals, read_transducer, standardize, synthesize
from keras_usmae.training import (
    BEST_FILE,
    EpochBatches,
    build_optimizer,
    check_run_folder,
    fresh_signals,
    jit_compile,
    open_run_folder,
    order_for_memory,
    read_history,
    save_model,
    shuffled,
    streamed_signals,
    train,
    use_devices,
    with_mask_noise,
    write_json,
)


def main(
    preset: options.Preset = "small",
    dataset: Annotated[
        str | None,
        typer.Option(help="Dataset and configuration, as NAME/CONFIG. Defaults to ultrasound_synthetic/paper."),
    ] = None,
    transducer: Annotated[
        str | None,
        typer.Option(
            help="In place of --dataset: draw new signals each epoch, of the transducer that this TOML file "
            "(or the name of an example) describes."
        ),
    ] = None,
    epochs: options.Epochs = 200,
    fresh: Annotated[
        int,
        typer.Option(
            "--fresh-signals",
            min=0,
            help="Draw this many new synthetic signals each epoch from the dataset's configuration, in place of the "
            "stored training split; 0 reads the stored split, or with --transducer draws as many as it would have.",
        ),
    ] = 0,
    stream: Annotated[
        bool,
        typer.Option("--stream", help="Read the stored split batch by batch, where it does not fit in memory."),
    ] = False,
    batch_size: options.BatchSize = 256,
    accumulate: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Parts of a batch that are worked through one after the other, which takes less memory (most on "
            "torch) and gives the same weights; divides --batch-size. Defaults to whole batches.",
        ),
    ] = None,
    patch_size: Annotated[
        int | None,
        typer.Option(min=1, help="Samples in a patch; divides the signal length. Defaults to the preset's."),
    ] = None,
    mask_ratio: Annotated[float, typer.Option(help="Share of the patches removed, between 0 and 1.")] = 0.75,
    decoder: Annotated[
        Literal["full", "cross"],
        typer.Option(
            help="cross: removed patches attend to the visible ones only; full, the paper's: all patches attend to all."
        ),
    ] = "cross",
    decoded_share: Annotated[
        float | None,
        typer.Option(help="With --decoder cross, share of the removed patches that a step predicts. Defaults to 0.5."),
    ] = None,
    recompute: Annotated[
        bool,
        typer.Option(
            "--recompute",
            help="For long signals: compute each block again going backward, in place of keeping all of it in memory.",
        ),
    ] = False,
    normalize_targets: Annotated[bool, typer.Option(help="Scale each target patch to mean 0, variance 1.")] = False,
    learning_rate: options.LearningRate = 1.5e-3,
    warmup_epochs: options.WarmupEpochs = None,
    weight_decay: options.WeightDecay = 0.05,
    dtype: options.DType = "float32",
    devices: options.Devices = 1,
    seed: options.Seed = 0,
    output: options.Output = None,
    resume: options.Resume = False,
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
    config_file: options.Config = None,
) -> Path:
    """Pre-trains a masked autoencoder and returns its run folder."""
    warmup_epochs = options.warmup(warmup_epochs, epochs)
    if dataset and transducer:
        raise ValueError(
            f"--dataset {dataset} and --transducer {transducer} both say what to train on. Give one of them."
        )
    dataset = dataset or f"ultrasound_synthetic/{transducer or 'paper'}"
    patch_size = patch_size or load_preset(preset)["encoder"].get("patch_size", 32)
    config = {name: value for name, value in locals().items() if name not in options.NOT_OF_THE_RESULT}

    order_for_memory()
    # Everything that can be wrong is found before the data are made or the folder is opened.
    devices, parts = use_devices(devices), accumulate or 1
    devices.check_parts(batch_size, parts)
    config |= options.preset_contents(preset)
    if transducer:
        read_transducer(transducer)
    builder = load_builder(dataset, data_dir=tfds_dir, raw_dir=options.originals(dataset, raw_dir))
    described = builder.builder_config
    if fresh and not dataset.startswith("ultrasound_synthetic"):
        raise ValueError(
            f"--fresh-signals draws synthetic signals; --dataset must be ultrasound_synthetic/..., not {dataset}."
        )
    if stream and (fresh or transducer):
        raise ValueError("--stream reads the stored split, but --fresh-signals and --transducer draw new signals.")
    if transducer:
        fresh = config["fresh"] = fresh or described.num_train
        # The content of the file, so that a changed one is another run.
        config |= {f"transducer.{key}": value for key, value in dataclasses.asdict(described.signals).items()}
    keras.utils.set_random_seed(seed)
    mae = MaskedAutoencoder.from_preset(
        preset,
        mask_ratio=mask_ratio,
        normalize_targets=normalize_targets,
        seed=seed,
        dtype=dtype,
        decoder=decoder,
        decoded_share=decoded_share,
        recompute=recompute,
        patch_size=patch_size,
        signal_length=options.signal_length(builder),
    )
    folder = output or Path("runs") / f"pretrain_{Path(preset).stem}_{described.name}"
    if devices.chief:
        check_run_folder(folder, config, resume)

    # Signals, each standardised to mean 0 and variance 1.
    length = mae.encoder.signal_length
    if transducer:
        # Those that the dataset of this file would hold for validation.
        held_out = synthesize(described.signals, described.num_validation, described.seed, start=described.num_train)
    else:
        held_out = load_arrays(prepare(builder), "validation", features=("signal",))
    held_out = standardize(check_signals(held_out["signal"], length))
    if fresh:
        # A seed of its own: the stored splits, validation among them, are drawn with other ones.
        load_epoch = fresh_signals(described.signals, fresh, seed=10_000 + seed)
    elif stream:
        load_epoch = streamed_signals(StoredSplit(builder, "train", features=("signal",)), length, seed)
    else:
        stored = load_arrays(builder, "train", features=("signal",))["signal"]
        load_epoch = shuffled((standardize(check_signals(stored, length)),), seed)

    # Training. The masks of the validation signals stay the same, so that its epochs compare.
    if devices.chief:
        open_run_folder(folder, config, resume)
    masked = functools.partial(with_mask_noise, num_patches=mae.encoder.num_patches, seed=seed)
    batches = devices.share(EpochBatches(masked(load_epoch), batch_size, parts))
    updates = batches.num_updates
    optimizer = build_optimizer(
        learning_rate, epochs * updates, int(warmup_epochs * updates), weight_decay, accumulate=parts
    )
    mae.compile(optimizer, jit_compile=jit_compile())
    train(
        mae,
        batches,
        validation=masked(lambda epoch: (held_out,))(0),
        folder=folder,
        epochs=epochs,
        devices=devices,
        verbose=options.progress(),
    )

    if not devices.chief:
        return folder

    # What came out. Standardised signals have variance 1, the error of predicting nothing.
    mae = devices.local(mae)
    mae.load_weights(folder / BEST_FILE)
    save_model(folder / "mae.keras", mae)
    save_model(folder / "encoder.keras", mae.encoder)
    history = read_history(folder / "metrics.csv")
    best = min(history, key=lambda row: row["val_loss"])
    metrics = {
        "val_loss": best["val_loss"],
        "best_epoch": best["epoch"],
        "backend": keras.backend.backend(),
        "parameters": mae.count_params(),
        "signals_per_epoch": batches.num_signals,
        "signals_seen": epochs * batches.num_signals,
        "seconds": sum(row["seconds"] for row in history),  # of all processes, where it was interrupted
    }
    write_json(folder / "metrics.json", metrics)
    noise = np.random.default_rng(seed).uniform(size=(6, mae.encoder.num_patches)).astype("float32")
    figure = plot_reconstructions(held_out[:6], mae.reconstruct(held_out[:6], noise), options.sampling_rate(builder))
    plots = [
        save_figure(figure, folder / "reconstructions.png"),
        save_figure(plot_history(history, title="Mean squared error, removed patches"), folder / "loss.png"),
    ]
    print(
        f"Pre-trained {preset} on {dataset} for {epochs} epochs of {metrics['signals_per_epoch']:,} signals: "
        f"validation loss {best['val_loss']:.4f} (1.0 is predicting nothing). Run folder {folder}"
    )
    for plot in plots:
        print(f"  {plot}")
    return folder


if __name__ == "__main__":
    options.run(main)
