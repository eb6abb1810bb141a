"""What the package can do, in a few minutes: a scan to a thickness map, the method on labelled signals, and a chip.

    make demo
    DATA_DIR=../shared/data/measured make demo

1. The ready picker, which needs no label, finds the echoes of a scan of a stepped plate and draws its thickness. The
   scan is synthetic, so that every true thickness is known.
2. The method: a masked autoencoder is pre-trained for a minute and its encoder fine-tuned on 500 labels. Beside it
   stand the ready picker and two classical ones, each with its constant offset taken out. With the measured originals
   at hand (DATA_DIR, or prepared before by recipes/prepare_data.py) on measured A-scans, without them on synthetic
   ones, which are called so. Schedules are far shorter than pretrain.py's and finetune.py's own.
3. The ready picker as int8 TFLite with its C code, checked in the interpreter of the microcontroller.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import typer

import keras_usmae as ku
from keras_usmae import options
from keras_usmae.configs import FinetuneConfig, PretrainConfig
from keras_usmae.picker.settings import PredictConfig

SYNTHETIC, MEASURED = "ultrasound_synthetic/quickstart", "ultrasound_measured/paper"
BIN_WIDTH = 16


def choose_dataset(raw_dir, tfds_dir):
    """The labelled dataset, and what it must be called."""
    if raw_dir is not None or ku.load_builder(MEASURED, data_dir=tfds_dir).is_prepared():
        return MEASURED, f"MEASURED A-scans ({MEASURED})"
    return SYNTHETIC, f"a SYNTHETIC STAND-IN, not measured data ({SYNTHETIC}); set DATA_DIR to use measured A-scans"


def free_folder(path):
    """`path`, or the first of path_2, path_3, ... that does not exist."""
    names = [path, *(path.with_name(f"{path.name}_{i}") for i in range(2, 1000))]
    return next(name for name in names if not name.exists())


def map_thickness(folder, preset):
    """Picks the example scan as `predict.py` does: what it printed, and the errors of the thickness in mm."""
    from keras_usmae.picker.report import predict
    from keras_usmae.picker.summary import format_summary

    scan = ku.example_scan()
    folder.mkdir(parents=True)
    np.save(folder / "scan.npy", scan.signals)
    config = PredictConfig(
        source=str(folder / "scan.npy"),
        sampling_rate=scan.sampling_rate,
        start_time=scan.start_time,
        axis=2,
        step=f"{scan.step:g}",
        gates=("plate=28us:50us",),
        thickness=True,
        speed_of_sound=scan.speed_of_sound,
        preset=preset,
    )
    summary = format_summary(predict(config, folder / "predict"))
    with np.load(folder / "predict" / "picks.npz") as picks:
        error = picks["thickness_mm"] - scan.thickness.ravel()[picks["trace"]]
    return summary, error[np.isfinite(error)], scan.thickness.size


def score_all(classifier, labels, preset, dataset, speed_of_sound):
    """Scores of the classifier, the ready picker and the classical ones on the test split."""
    from keras_usmae.evaluation.plots import plot_tof_errors

    rate = dataset.sampling_rate
    names = [name for name in ("signal", "onset", "hole_echo") if name in dataset.features]
    test, held_out = (dataset.arrays(split, names) for split in ("test", "validation"))
    found = {}
    for name, model in (
        (f"ready picker {preset}, no label", ku.EchoPicker.from_preset(preset)),
        (f"pre-trained and fine-tuned here, {labels} labels", classifier),
    ):
        found[name] = ku.evaluate(model, test, held_out, rate, speed_of_sound, name)
    scores = {name: each for one in found.values() for name, each in one.scores.items()}
    estimates = {name: each for one in found.values() for name, each in one.estimates.items()}
    return scores, plot_tof_errors(test["onset"], estimates, BIN_WIDTH, rate)


def score_rows(scores):
    """Lines of the table of pickers, of the signals without another real echo ahead where these are known."""
    yield "| | within 1 bin | far or missed | median error / samples | mean error / samples | ns | mm |"
    yield "|---|---|---|---|---|---|---|"
    for name, each in scores.items():
        free = each.get("bias_free_without_hole", each["bias_free"])
        yield (
            f"| {name} | {free['within_one_bin']:.1%} | {free['far']:.1%} | {free['median_error_samples']:.1f} "
            f"| {free['mean_error_samples']:.1f} | {free['mean_error_ns']:.0f} | {free['mean_error_mm']:.3f} |"
        )


def main(
    preset: Annotated[str, typer.Option(help="Picker that comes with the package, and size of the model.")] = "nano",
    labels: Annotated[int, typer.Option(min=1, help="Labelled training signals to fine-tune on.")] = 500,
    pretrain_epochs: Annotated[int, typer.Option(min=2, help="Epochs of 16,384 new signals each.")] = 6,
    finetune_epochs: Annotated[int, typer.Option(min=2, help="Epochs of 50 steps or more.")] = 12,
    seed: options.Seed = 0,
    speed_of_sound: options.SpeedOfSound = 1480.0,
    output: options.Output = None,
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
) -> None:
    """Shows picker, method and export, and prints a summary."""
    from keras_usmae.files import save_figure, write_json, write_text  # here: --help need not wait for Keras
    from keras_usmae.training.pictures import draw_finetuning, draw_pretraining

    dataset, data = choose_dataset(raw_dir, tfds_dir)
    folder = output or free_folder(Path("runs/quickstart"))
    seconds = {}

    def timed(stage, function, *args, **kwargs):
        print(f"\n== {stage} ==", flush=True)
        started = time.perf_counter()
        result = function(*args, **kwargs)
        seconds[stage] = time.perf_counter() - started
        return result

    def make_signals():
        # The labelled ones first: a wrong DATA_DIR is told at once.
        labelled, synthetic = (ku.load_dataset(name, tfds_dir, raw_dir) for name in (dataset, SYNTHETIC))
        print(f"{labelled.builder.info.full_name} and {synthetic.builder.info.full_name} are ready.")
        return labelled

    print(f"Labelled signals are {data}.", flush=True)
    labelled = timed("signals", make_signals)
    summary, error, count = timed("a scan to a thickness map", map_thickness, folder, preset)
    map_line = (
        f"Thickness of {len(error)} of {count} traces: median error {np.median(np.abs(error)):.3f} mm, largest "
        f"{np.abs(error).max():.2f} mm, of a plate of 5, 8 and 11 mm with a pit."
    )
    print(f"{summary}\n{map_line}\n  {folder / 'predict' / 'c_scan.png'}", flush=True)

    shared = {"preset": preset, "seed": seed}
    pretraining = PretrainConfig(
        dataset=SYNTHETIC,
        epochs=pretrain_epochs,
        fresh=16_384,
        batch_size=128,
        learning_rate=3e-3,
        warmup_epochs=pretrain_epochs / 16,
        **shared,
    )
    where = {"data_dir": tfds_dir, "verbose": options.progress()}
    encoder_run = timed("pre-training", ku.pretrain, pretraining, folder / "pretrain", **where)
    draw_pretraining(encoder_run)
    finetuning = FinetuneConfig(
        pretrained=str(encoder_run.folder),
        dataset=dataset,
        labels=labels,
        bin_width=BIN_WIDTH,
        epochs=finetune_epochs,
        warmup_epochs=finetune_epochs * 3 / 40,
        batch_size=32,
        speed_of_sound=speed_of_sound,
        **shared,
    )
    classifier_run = timed("fine-tuning", ku.finetune, finetuning, folder / "finetune", raw_dir=raw_dir, **where)
    draw_finetuning(classifier_run)
    classifier = ku.load_trained(classifier_run.folder / "classifier.keras", ku.ToFClassifier)
    scores, figure = timed("pickers beside each other", score_all, classifier, labels, preset, labelled, speed_of_sound)
    save_figure(figure, folder / "tof_errors.png")

    # In a process of its own: the exporter needs TensorFlow, whichever backend trained.
    exporter = [sys.executable, str(Path(__file__).with_name("export.py")), "--preset", preset]
    exporter += ["--formats", "int8", "--seconds", "15", "--output", str(folder / "export")]
    timed("export", subprocess.run, exporter, check=True)

    pretraining = encoder_run.metrics
    report = options.read_json(folder / "export" / "export.json")
    lines = [
        map_line,
        "",
        f"First picks of the test signals of {data}, constant offsets taken out; a bin is {BIN_WIDTH} samples, far is "
        "more than two:",
        "",
        *score_rows(scores),
        "",
        f"The masked autoencoder saw {pretraining['signals_seen']:,} synthetic signals; its error on masked patches is "
        f"{pretraining['val_loss']:.3f}, where 1.0 is predicting nothing.",
        f"The chip's files: {folder / 'export'}, {report['formats']['int8']['bytes']:,} bytes as int8.",
        "Time: " + ", ".join(f"{stage} {value:.0f} s" for stage, value in seconds.items()) + ".",
    ]
    text = "\n".join(lines)
    write_text(folder / "summary.md", text + "\n")
    results = {"data": data, "thickness_error_mm": error.tolist(), "scores": scores, "pretraining": pretraining}
    write_json(folder / "summary.json", results | {"export": report, "seconds": seconds})
    print(f"\n{text}\n\nPlots:")
    for plot in sorted(folder.rglob("*.png")):
        print(f"  {plot}")


if __name__ == "__main__":
    options.run(main)
