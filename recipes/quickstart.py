"""The whole method in a few minutes: signals, pre-training, fine-tuning, baselines, and a checked int8 model.

    make demo
    DATA_DIR=../shared/data/measured make demo

With the measured originals at hand (DATA_DIR, or prepared before by recipes/prepare_data.py) the encoder is fine-tuned
on measured A-scans; without them on synthetic signals with labels, which then stand in for them and are called so. The
schedules are far shorter than pretrain.py's and finetune.py's own: this shows the way, not the best that it gives.
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

from keras_usmae import options
from keras_usmae.data import load_builder, prepare
from keras_usmae.evaluation import score_onsets
from keras_usmae.plotting import plot_tof_errors, save_figure
from keras_usmae.signals import pick_aic, pick_threshold
from keras_usmae.training import write_json
from recipes import finetune, pretrain

SYNTHETIC, MEASURED = "ultrasound_synthetic/quickstart", "ultrasound_measured/paper"
BIN_WIDTH = 16


def choose_dataset(raw_dir, tfds_dir):
    """The labelled dataset to fine-tune on, and what it must be called."""
    if raw_dir is not None or load_builder(MEASURED, data_dir=tfds_dir).is_prepared():
        return MEASURED, f"MEASURED A-scans ({MEASURED})"
    return SYNTHETIC, f"a SYNTHETIC STAND-IN, not measured data ({SYNTHETIC}); set DATA_DIR to use measured A-scans"


def free_folder(path):
    """`path`, or the first of path_2, path_3, ... that does not exist."""
    names = [path, *(path.with_name(f"{path.name}_{i}") for i in range(2, 1000))]
    return next(name for name in names if not name.exists())


def tof_row(name, scores):
    """One line of the table of results."""
    return (
        f"| {name} | {scores['accuracy']:.1%} | {scores['within_one_bin']:.1%} | {scores['median_error_samples']:.1f} "
        f"| {scores['median_error_ns']:.0f} | {scores['median_error_mm']:.3f} | {scores['rmse_samples']:.1f} "
        f"| {scores['rmse_ns']:.0f} | {scores['rmse_mm']:.3f} | {scores['missed']:.1%} |"
    )


def export_rows(report):
    """Lines of the table of exported models, each judged where its accuracy counts."""
    rows = []
    for name, file in report["formats"].items():
        runtimes = file.get("runtimes", {})
        for runtime in ("TFLM", "LiteRT reference"):
            if runtime in runtimes:
                run = runtimes[runtime]
                rows.append(
                    f"| {name} | {runtime} | {file['bytes']:,} | {file['arena_bytes']:,} "
                    f"| {run['argmax_agreement']:.1%} | {run['accuracy']:.1%} | {run['median_error_ns']:.0f} |"
                )
        if not runtimes:
            rows.append(f"| {name} | | {file['bytes']:,} | | | | |")
    return rows


def summarize(data, pretraining, runs, pickers, report, seconds):
    """The whole result as Markdown."""
    reference = next(iter(runs.values()))
    lines = [
        f"Fine-tuned on: {data}",
        f"Pre-training: validation loss {pretraining['val_loss']:.3f} on removed patches (1.0 is predicting nothing), "
        f"{pretraining['signals_seen']:,} synthetic signals seen.",
        "",
        f"ToF on {reference['test_signals']:,} test signals after training on {reference['labels']:,} labels; a bin is "
        f"{BIN_WIDTH} samples:",
        "",
        "| | top-1 | within 1 bin | median error / samples | ns | mm | RMSE / samples | ns | mm | no pick |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(tof_row(name, run["test"]) for name, run in runs.items()),
        *(tof_row(name, scores) for name, scores in pickers.items()),
        "",
        "Exported models, the pre-trained one, against Keras on the test signals:",
        "",
        "| file | runtime | bytes | arena bytes | same bin as Keras | top-1 | median error / ns |",
        "|---|---|---|---|---|---|---|",
        *export_rows(report),
        "",
        "Time: " + ", ".join(f"{stage} {value:.0f} s" for stage, value in seconds.items()) + ".",
    ]
    return "\n".join(lines)


def main(
    preset: options.Preset = "nano",
    labels: Annotated[int, typer.Option(min=1, help="Labelled training signals to fine-tune on.")] = 500,
    pretrain_epochs: Annotated[int, typer.Option(min=2, help="Epochs of 16,384 new signals each.")] = 16,
    finetune_epochs: Annotated[int, typer.Option(min=2, help="Epochs of 50 steps or more.")] = 20,
    seed: options.Seed = 0,
    speed_of_sound: options.SpeedOfSound = 1480.0,
    output: options.Output = None,
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
) -> None:
    """Runs the whole method and prints a summary."""
    dataset, data = choose_dataset(raw_dir, tfds_dir)
    folder = output or free_folder(Path("runs/quickstart"))
    folders = {"data_dir": tfds_dir}
    print(f"Fine-tuning will run on {data}.\n", flush=True)
    seconds = {}

    def timed(stage, function, *args, **kwargs):
        print(f"\n== {stage} ==", flush=True)
        started = time.perf_counter()
        result = function(*args, **kwargs)
        seconds[stage] = time.perf_counter() - started
        return result

    def make_signals():
        # The labelled ones first: a wrong DATA_DIR is told at once.
        labelled = prepare(load_builder(dataset, raw_dir=options.originals(dataset, raw_dir), **folders))
        prepare(load_builder(SYNTHETIC, **folders))
        return labelled

    builder = timed("signals", make_signals)
    sampling_rate = options.sampling_rate(builder)

    shared = {"seed": seed, "tfds_dir": tfds_dir}
    encoder_run = timed(
        "pre-training",
        pretrain.main,
        preset=preset,
        dataset=SYNTHETIC,
        epochs=pretrain_epochs,
        fresh=16_384,
        batch_size=128,
        learning_rate=3e-3,
        warmup_epochs=pretrain_epochs / 16,
        output=folder / "pretrain",
        **shared,
    )
    classifier_runs = {
        name: timed(
            f"fine-tuning, {name}",
            finetune.main,
            pretrained=pretrained,
            preset=preset,
            dataset=dataset,
            labels=labels,
            bin_width=BIN_WIDTH,
            epochs=finetune_epochs,
            warmup_epochs=finetune_epochs * 3 / 40,
            batch_size=32,
            speed_of_sound=speed_of_sound,
            output=folder / name.replace(" ", "_"),
            raw_dir=raw_dir,
            **shared,
        )
        for name, pretrained in (("pre-trained", encoder_run), ("from scratch", "none"))
    }

    # The classical pickers see the same test signals.
    with np.load(classifier_runs["pre-trained"] / "test.npz") as test:
        signals, onset, estimate = test["signal"], test["onset"], test["estimate"]
    with np.load(classifier_runs["from scratch"] / "test.npz") as test:
        from_scratch = test["estimate"]
    picks = timed(
        "classical picking",
        lambda: {
            "envelope threshold": pick_threshold(signals, sampling_rate),
            "AIC": pick_aic(signals, sampling_rate),
        },
    )
    pickers = {
        name: score_onsets(onset, pick, BIN_WIDTH, sampling_rate, speed_of_sound) for name, pick in picks.items()
    }

    # In a process of its own: the exporter needs TensorFlow, whichever backend trained.
    exporter = [
        sys.executable,
        str(Path(__file__).with_name("export.py")),
        "--run",
        str(classifier_runs["pre-trained"]),
    ]
    exporter += ["--formats", "saved_model,float32,int8", "--speed-of-sound", str(speed_of_sound), "--seconds", "15"]
    timed("export", subprocess.run, exporter, check=True)

    runs = {name: options.read_json(run / "metrics.json") for name, run in classifier_runs.items()}
    pretraining = options.read_json(encoder_run / "metrics.json")
    report = options.read_json(classifier_runs["pre-trained"] / "export" / "export.json")
    figure = plot_tof_errors(
        onset, {"pre-trained": estimate, "from scratch": from_scratch, **picks}, BIN_WIDTH, sampling_rate
    )
    save_figure(figure, folder / "tof_errors.png")
    summary = summarize(data, pretraining, runs, pickers, report, seconds)
    (folder / "summary.md").write_text(summary + "\n")
    write_json(
        folder / "summary.json",
        {
            "data": data,
            "pretraining": pretraining,
            "runs": runs,
            "pickers": pickers,
            "export": report,
            "seconds": seconds,
        },
    )
    print(f"\n{summary}\n\nPlots:")
    for plot in sorted(folder.rglob("*.png")):
        print(f"  {plot}")
    print(f"All of it lies in {folder}; its table in {folder / 'summary.md'}.")


if __name__ == "__main__":
    options.run(main)
