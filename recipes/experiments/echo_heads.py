"""Compares two heads of a detector of echoes: independent sigmoids of the bins, and one softmax over them.

    python recipes/experiments/echo_heads.py --preset nano --signals 65536 --seeds 5 --output docs/experiments

Both heads start from the weights of the masked autoencoder, see the same signals, and get their least confidence by the
same rule: at most one silent record in 1,000 with a pick. The softmax has a class for no echo, and shares its
probability among the echoes of a signal. Scores are those of the measured validation split, windows without a hole
ahead; nothing is chosen on the test split. Writes `echo_heads.csv` and `echo_heads.md`.
"""

import dataclasses
import statistics
from pathlib import Path
from typing import Annotated

import keras
import typer
from keras import ops

from keras_usmae import options
from keras_usmae.configs import PickerTraining
from keras_usmae.configs.picker import EPOCH_SIGNALS
from keras_usmae.data import load_dataset
from keras_usmae.evaluation import evaluate
from keras_usmae.evaluation.picker_calibration import calibrate_picker
from keras_usmae.files import write_csv, write_text
from keras_usmae.models import EchoDetector, MAEEncoder
from keras_usmae.picker import EchoPicker
from keras_usmae.signals import SignalConfig
from keras_usmae.training import EpochBatches, fresh_echoes
from keras_usmae.training.picker_training import compile_detector
from recipes.experiments.pickers import DATASET, SHOWN

KEPT = ("within_one_bin", "far", "mean_error_samples", "median_error_samples", "recall_of_three")
SHOWN = {name: SHOWN[name] for name in KEPT} | {"no_pick": ("no pick (%)", 100, "{:.2f}")}


class SoftmaxEchoDetector(EchoDetector):
    """A detector whose bins, and a class for no echo, share a probability of one; its outputs are their log-odds."""

    def call(self, signals, training=None):
        """Log-odds of each bin."""
        logits = super().call(signals, training=training)
        none = ops.zeros_like(logits[:, :1])
        log_p = ops.log_softmax(ops.concatenate([logits, none], axis=1), axis=1)[:, :-1]
        return log_p - ops.log1p(-ops.minimum(ops.exp(log_p), 1 - 1e-6))


class SoftmaxEchoCrossentropy(keras.losses.Loss):
    """Cross-entropy of the shared probability; the targets of several echoes are scaled to a sum of one."""

    def call(self, y_true, y_pred):
        """Cross-entropy of each signal."""
        target = ops.where(ops.isnan(y_true), ops.zeros_like(y_true), y_true)
        total = ops.sum(target, axis=1, keepdims=True)
        target = target / ops.maximum(total, 1.0)
        p = ops.sigmoid(y_pred)
        none = ops.clip(1 - ops.sum(p, axis=1), 1e-6, 1.0)
        missing = ops.maximum(1 - ops.sum(target, axis=1), 0.0)
        return -ops.sum(target * ops.log(p + 1e-9), axis=1) - missing * ops.log(none)


HEADS = {
    "sigmoids": (EchoDetector, None),
    "softmax": (SoftmaxEchoDetector, SoftmaxEchoCrossentropy),
}


def train_head(head, config):
    """A detector with one of the heads, trained on fresh signals."""
    keras.utils.set_random_seed(config.seed)
    kind, loss = HEADS[head]
    detector = kind(MAEEncoder.from_preset(config.preset, weights=config.start), config.bin_width)
    compile_detector(detector, config)
    if loss:
        detector.compile(detector.optimizer, loss=loss(), jit_compile=detector.jit_compile)
    load = fresh_echoes([SignalConfig.from_preset(config.world)], EPOCH_SIGNALS, config.seed)
    batches = EpochBatches(load, config.batch_size)
    detector.fit(batches, epochs=config.signals // EPOCH_SIGNALS, shuffle=False, verbose=options.progress())
    detector.settings = calibrate_picker(detector, num_signals=20_480)
    return detector


def main(
    preset: options.Preset = "nano",
    signals: Annotated[int, typer.Option(help="Signals to train on, a multiple of 4096.")] = 65_536,
    learning_rate: options.LearningRate = 2e-3,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each head.")] = 5,
    output: Annotated[Path, typer.Option(help="Folder of the table and the CSV.")] = Path("docs/experiments"),
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
) -> Path:
    """Trains both heads, writes their table, and returns its path."""
    base = PickerTraining(preset=preset, signals=signals, learning_rate=learning_rate)
    base = dataclasses.replace(base, warmup_signals=min(base.warmup_signals, signals // 4), decay_share=0.5)
    dataset = load_dataset(DATASET, tfds_dir, raw_dir)
    validation = dataset.arrays("validation", ("signal", "onset", "hole_echo"))
    output.mkdir(parents=True, exist_ok=True)
    rows = []
    for seed in range(seeds):
        for head in HEADS:
            detector = train_head(head, dataclasses.replace(base, seed=seed))
            found = evaluate(EchoPicker(detector), validation, validation, dataset.sampling_rate, name=head, scale=1)
            free = found.scores[head]["bias_free_without_hole"] | found.recall
            rows.append({"head": head, "seed": seed, **detector.settings, **{key: free[key] for key in SHOWN}})
            print(rows[-1], flush=True)
            write_csv(output / "echo_heads.csv", rows)
    return write_table(rows, preset, signals, output)


def write_table(rows, preset, signals, output):
    """Writes the table of all trainings, and returns its path."""
    header = ["head", "seeds", "least confidence", *(name for name, _, _ in SHOWN.values())]
    lines = ["| " + " | ".join(header) + " |", "| " + " | ".join(["---"] * len(header)) + " |"]
    for head in HEADS:
        part = [row for row in rows if row["head"] == head]
        cells = [head, str(len(part)), f"{statistics.mean(row['min_confidence'] for row in part):.2f}"]
        for key, (_, scale, form) in SHOWN.items():
            values = [scale * row[key] for row in part]
            spread = f" ± {form.format(statistics.stdev(values))}" if len(values) > 1 else ""
            cells.append(form.format(statistics.mean(values)) + spread)
        lines.append("| " + " | ".join(cells) + " |")
    note = (
        f"`{preset}` from the weights of the masked autoencoder, {signals:,} signals of `field`, measured validation "
        "split, windows without a hole ahead of the labelled echo (the last two columns: all windows). The offset of "
        "each is taken out. Mean and standard deviation over seeds."
    )
    path = output / "echo_heads.md"
    write_text(path, "\n".join(["# Sigmoids or a softmax", "", note, "", *lines, ""]))
    print(path.read_text())
    return path


if __name__ == "__main__":
    options.run(main)
