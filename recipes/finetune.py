"""Fine-tunes a pre-trained encoder to classify time of flight, or trains the same model from scratch.

    python recipes/finetune.py --preset tiny --dataset ultrasound_measured/paper --labels 320
    python recipes/finetune.py --pretrained runs/pretrain_small_paper --dataset ultrasound_measured/paper
    python recipes/finetune.py --preset tiny --pretrained none --dataset ultrasound_measured/paper
    python recipes/finetune.py --preset tiny --architecture cnn --dataset ultrasound_measured/paper

The first starts from the weights that come with the package, the third from scratch. Each epoch shows other versions of
the labelled signals, at least 50 batches of them, which helps where labels are few; `--no-augment` shows them as they
are, once.

The epoch with the smallest mean error of the onset on the validation split counts; the test split is scored once, at
the end. Writes a run folder: config.json, metrics.csv, metrics.json (test scores in samples, ns and mm), tensorboard/,
best and last weights, `classifier.keras` with `calibration.npz` and `test.npz` for `export.py`, and PNG plots.
`KERAS_BACKEND` chooses the backend.
"""

from pathlib import Path
from typing import Annotated, Literal

import keras
import numpy as np
import typer

from keras_usmae import options
from keras_usmae.data import load_arrays, load_builder, prepare
from keras_usmae.evaluation import score_onsets
from keras_usmae.models import CNNEncoder, MAEEncoder, ToFClassifier, load_trained, preset_weights
from keras_usmae.plotting import plot_history, plot_tof_errors, plot_tof_examples, save_figure
from keras_usmae.signals import check_signals, onset_to_class, standardize
from keras_usmae.training import (
    BEST_FILE,
    LEARNING_RATES,
    check_run_folder,
    compile_for_tof,
    open_run_folder,
    order_for_memory,
    read_history,
    save_arrays,
    save_model,
    tof_batches,
    train,
    use_devices,
    write_json,
)

NUM_CALIBRATION = 256


def resolve_start(pretrained, preset, architecture):
    """What to start from: `"synthetic"`, `"none"` or the path of an encoder."""
    if pretrained is None:
        has_weights = architecture == "transformer" and "synthetic" in preset_weights(preset)
        return "synthetic" if has_weights else "none"
    if pretrained != "none" and architecture != "transformer":
        raise ValueError("Pre-trained encoders are transformers; leave --architecture or --pretrained at its default.")
    if pretrained in ("none", "synthetic", "picker"):
        return pretrained
    path = Path(pretrained)
    path = path / "encoder.keras" if path.is_dir() else path
    if not path.exists():
        raise FileNotFoundError(
            f"There is no pre-trained encoder at {path}; make one with recipes/pretrain.py, or give synthetic or none."
        )
    return path


def build_encoder(start, preset, architecture, dtype, signal_length):
    """The encoder to start from, pre-trained or fresh."""
    if isinstance(start, Path):
        return load_trained(start, MAEEncoder)
    weights = None if start == "none" else start
    encoder = MAEEncoder.from_preset(preset, weights=weights, dtype=dtype, signal_length=signal_length)
    return encoder if architecture == "transformer" else CNNEncoder.matching(encoder, dtype=dtype)


def main(
    pretrained: Annotated[
        str | None,
        typer.Option(
            help="Run folder of pretrain.py; synthetic or picker, weights of --preset that come with the package; or "
            "none, from scratch. Defaults to synthetic where the preset has such weights."
        ),
    ] = None,
    preset: Annotated[str, typer.Option(help="Size of the model, where --pretrained is no run folder.")] = "tiny",
    architecture: Annotated[
        Literal["transformer", "cnn"], typer.Option(help="From scratch: the transformer, or a CNN with its parameters.")
    ] = "transformer",
    dataset: options.Dataset = "ultrasound_measured/paper",
    labels: Annotated[
        int, typer.Option(min=0, help="Labelled training signals to use, drawn with the seed; 0 uses all.")
    ] = 0,
    head: Annotated[
        Literal["per_patch", "pooled"], typer.Option(help="Classification head; see ToFClassifier.")
    ] = "per_patch",
    bin_width: Annotated[int, typer.Option(min=1, help="Samples in a ToF class.")] = 16,
    label_sigma: Annotated[
        float, typer.Option(min=0.0, help="Spread of the target distribution in samples; 0 for one hard class.")
    ] = 12.0,
    augment: Annotated[
        bool,
        typer.Option(help="Show each epoch other versions of the labelled signals: moved in time, flipped, noisier."),
    ] = True,
    augment_noise: Annotated[
        float, typer.Option(min=0.0, help="Largest RMS of the noise that augmentation adds, relative to the signal's.")
    ] = 0.06,
    freeze: Annotated[
        int, typer.Option(min=-1, help="Encoder blocks held fixed, from the input on; -1 holds the whole encoder.")
    ] = 0,
    epochs: options.Epochs = 40,
    batch_size: options.BatchSize = 64,
    learning_rate: Annotated[
        float | None,
        typer.Option(min=0.0, help="Peak of the learning rate. Defaults to 0.003, or 0.01 for the CNN."),
    ] = None,
    warmup_epochs: options.WarmupEpochs = None,
    weight_decay: options.WeightDecay = 0.05,
    layer_decay: Annotated[
        float,
        typer.Option(
            min=0.01, max=1.0, help="Factor of the learning rate from a layer to the one before it; 1 has one for all."
        ),
    ] = 1.0,
    dtype: options.DType = "float32",
    devices: options.Devices = 1,
    seed: options.Seed = 0,
    speed_of_sound: options.SpeedOfSound = 1480.0,
    output: options.Output = None,
    resume: options.Resume = False,
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
    config_file: options.Config = None,
) -> Path:
    """Trains a ToF classifier and returns its run folder."""
    warmup_epochs = options.warmup(warmup_epochs, epochs)
    if learning_rate is None:
        learning_rate = LEARNING_RATES[architecture]
    config = {name: value for name, value in locals().items() if name not in options.NOT_OF_THE_RESULT}

    order_for_memory()
    # Everything that can be wrong is found before long work begins.
    devices = use_devices(devices)
    start = resolve_start(pretrained, preset, architecture)
    config["pretrained"] = str(start)
    keras.utils.set_random_seed(seed)
    builder = load_builder(dataset, data_dir=tfds_dir, raw_dir=options.originals(dataset, raw_dir))
    encoder = build_encoder(start, preset, architecture, dtype, options.signal_length(builder))
    if freeze:
        encoder.freeze(None if freeze < 0 else freeze)
    classifier = ToFClassifier(encoder, bin_width, head, dtype=dtype)
    if isinstance(start, Path):
        name = start.parent.name
    else:
        config |= options.preset_contents(preset)
        name = f"{'scratch' if start == 'none' else start}_{architecture}_{Path(preset).stem}"
    folder = output or Path("runs") / f"finetune_{name}_{dataset.replace('/', '_')}"
    if devices.chief:
        check_run_folder(folder, config, resume)

    # Labelled signals: the onset in samples is the label.
    sampling_rate = classifier.sampling_rate = options.sampling_rate(prepare(builder))
    data = {}
    for split, part in options.labelled_splits(builder).items():
        arrays = load_arrays(builder, part, features=("signal", "onset"))
        signals, onset = check_signals(arrays["signal"], encoder.signal_length), arrays["onset"].astype("float32")
        onset_to_class(onset, bin_width, classifier.num_classes)
        data[split] = {"signal": signals, "onset": onset}
    order = np.random.default_rng(seed).permutation(len(data["train"]["onset"]))
    if labels > len(order):
        raise ValueError(f"--labels {labels}: the training split of {dataset} has only {len(order)} signals.")
    chosen = order[: labels or None]
    labelled = (standardize(data["train"]["signal"][chosen]), data["train"]["onset"][chosen])
    validation = (standardize(data["validation"]["signal"]), data["validation"]["onset"])

    # Training.
    if devices.chief:
        open_run_folder(folder, config, resume)
    batches = devices.share(tof_batches(*labelled, batch_size, seed, augment, augment_noise))
    steps = len(batches)
    compile_for_tof(
        classifier, learning_rate, epochs * steps, int(warmup_epochs * steps), weight_decay, layer_decay, label_sigma
    )
    train(classifier, batches, validation, folder, epochs, "val_error_samples", devices, options.progress())
    if not devices.chief:
        return folder

    # The best epoch of the validation split, scored once on the test split.
    classifier = devices.local(classifier)
    classifier.load_weights(folder / BEST_FILE)
    save_model(folder / "classifier.keras", classifier)
    test_signals, test_onset = data["test"]["signal"], data["test"]["onset"]
    measured = classifier.predict_tof(test_signals)
    most_likely = classifier.predict_tof(test_signals, method="argmax")["onset"]
    scores = score_onsets(
        test_onset,
        measured["onset"],
        bin_width,
        sampling_rate,
        speed_of_sound,
        onset_to_class(most_likely, bin_width, classifier.num_classes),
    )
    write_json(
        folder / "metrics.json",
        {
            "test": scores,
            "test_signals": len(test_onset),
            "labels": len(chosen),
            "parameters": classifier.count_params(),
        },
    )

    # What export.py and other programs need, so that a run folder stands on its own.
    listed = order[:NUM_CALIBRATION]
    save_arrays(
        folder / "calibration.npz",
        {"signal": data["train"]["signal"][listed], "onset": data["train"]["onset"][listed], "index": listed},
    )
    save_arrays(folder / "test.npz", {"signal": test_signals, "onset": test_onset, "estimate": measured["onset"]})

    history = read_history(folder / "metrics.csv")
    some = np.random.default_rng(seed).choice(len(test_onset), 8, replace=False)
    examples = plot_tof_examples(test_signals[some], test_onset[some], measured["onset"][some], sampling_rate)
    errors = plot_tof_errors(test_onset, {folder.name: measured["onset"]}, bin_width, sampling_rate)
    plots = [
        save_figure(plot_history(history, title="Cross-entropy"), folder / "loss.png"),
        save_figure(errors, folder / "tof_errors.png"),
        save_figure(examples, folder / "tof_examples.png"),
    ]
    print(
        f"{folder.name}: from {'scratch' if start == 'none' else start}, {len(chosen)} labels of {dataset}; on "
        f"{len(test_onset)} test signals top-1 "
        f"{scores['accuracy']:.1%}, within one bin {scores['within_one_bin']:.1%}, median error "
        f"{scores['median_error_ns']:.0f} ns = {scores['median_error_mm']:.3f} mm at {speed_of_sound:g} m/s, RMSE "
        f"{scores['rmse_ns']:.0f} ns. Run folder {folder}"
    )
    for plot in plots:
        print(f"  {plot}")
    return folder


if __name__ == "__main__":
    options.run(main)
