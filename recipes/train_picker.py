"""Trains a picker of echoes on labelled synthetic signals, without any measured label.

    python recipes/train_picker.py
    python recipes/train_picker.py --start picker --transducer my_probe.toml --signals 65536

The second adapts the picker that comes with the package to a probe that a file describes (`keras_usmae/transducers`
holds examples, known by their names). Those that come were trained in two stages, here `tiny_patch64`:

    python recipes/train_picker.py --signals 1310720 --decay-share 0 --seed 1 --output runs/stage_1
    python recipes/train_picker.py --start runs/stage_1 --signals 65536 --warmup-signals 0 --decay-share 1 --seed 10

The first stage of the others: `tiny` 1048576 signals and seed 0, `nano` 524288, seed 0 and `--learning-rate 0.002`,
`nano_mcu` `--start none --signals 1179648 --learning-rate 0.002`. Seeds of the second: 10 to 14 of `tiny_patch64` and
`nano_mcu`, of which 10 comes with the package, 0 to 4 of the others.
Signals are drawn fresh and never repeated: bursts of 1 to 5 MHz at 100 MHz, weaker echoes ahead, series of thin plates,
noise, clipping, and no echo at all.

Writes a run folder: config.json, metrics.csv, metrics.json, tensorboard/, weights, loss.png and `detector.keras`, which
`predict.py --run` and `EchoPicker.from_run` take; where TensorFlow is installed, `detector.tflite`, which is faster.
On one core of a busy machine the first stage took `tiny` 111 minutes, `tiny_patch64` 46, `nano` 29, `nano_mcu` 18.
`KERAS_BACKEND` chooses the backend.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from keras_usmae import options
from keras_usmae.configs import PickerTraining

DEFAULT = PickerTraining()


def main(
    preset: options.Preset = DEFAULT.preset,
    architecture: Annotated[
        Literal["transformer", "cnn"],
        typer.Option(help="The transformer, or a CNN with its parameters, which starts from none or from a run."),
    ] = DEFAULT.architecture,
    start: Annotated[
        str,
        typer.Option(
            help="Weights to start from: synthetic (of a masked autoencoder) or picker, which come with the package; "
            "none; or a run folder of pretrain.py or train_picker.py."
        ),
    ] = DEFAULT.start,
    world: Annotated[str, typer.Option(help="Preset of SignalConfig to draw signals from.")] = DEFAULT.world,
    transducer: Annotated[
        list[str] | None,
        typer.Option(help="TOML file, or name, of a described transducer that gives a share of the signals. Repeat."),
    ] = None,
    signals: Annotated[int, typer.Option(help="Signals to train on, a multiple of 4096.")] = DEFAULT.signals,
    batch_size: options.BatchSize = DEFAULT.batch_size,
    learning_rate: options.LearningRate = DEFAULT.learning_rate,
    warmup_signals: Annotated[
        int, typer.Option(min=0, help="Signals of the linear rise of the learning rate.")
    ] = DEFAULT.warmup_signals,
    decay_share: Annotated[
        float, typer.Option(min=0, max=1, help="Last part of the training, in which the learning rate falls to zero.")
    ] = DEFAULT.decay_share,
    seed: options.Seed = DEFAULT.seed,
    output: options.Output = None,
    resume: options.Resume = False,
) -> Path:
    """Trains a picker and returns its run folder."""
    from keras_usmae.files import save_figure, write_json
    from keras_usmae.picker.engines import write_engine_of_run
    from keras_usmae.training import check_run_folder, read_history, train_picker
    from keras_usmae.training.plots import plot_history

    config = PickerTraining(
        preset=preset,
        architecture=architecture,
        start=start,
        world=world,
        transducers=tuple(transducer or ()),
        signals=signals,
        batch_size=batch_size,
        learning_rate=learning_rate,
        warmup_signals=min(warmup_signals, signals // 4),
        decay_share=decay_share,
        seed=seed,
    )
    kind = "" if architecture == "transformer" else f"_{architecture}"
    folder = output or Path("runs") / f"picker_{Path(preset).stem}{kind}_{world}"
    check_run_folder(folder, config.values(), resume)
    detector = train_picker(config, folder, resume, options.progress())
    history = read_history(folder / "metrics.csv")
    last = history[-1]
    metrics = {
        "val_loss": last["val_loss"],
        "signals_seen": signals,
        "parameters": detector.count_params(),
        "seconds": sum(row["seconds"] for row in history),  # of all processes, where it was interrupted
    }
    write_json(folder / "metrics.json", metrics)
    write_engine_of_run(folder)
    plot = save_figure(plot_history(history, title="Cross-entropy of a signal"), folder / "loss.png")
    print(f"Trained {preset} on {signals:,} synthetic signals: validation loss {last['val_loss']:.3f}.")
    print(f"  {plot}\nPick with it: python recipes/predict.py FILE --run {folder}")
    return folder


if __name__ == "__main__":
    options.run(main)
