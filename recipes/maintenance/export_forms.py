"""Compares ways to write a classifier in integers, on the validation split: what chose `DEPLOYMENT_FORMS`.

    python recipes/maintenance/export_forms.py --run runs/finetune_nano

Takes the run folder of finetune.py and the dataset that it was trained on. All forms compute the same numbers in
float; each is converted to int8 or int16x8 with the calibration signals of the run, which come from the training split,
and measured in TensorFlow Lite for Microcontrollers (TFLM). The test split has no part in it: export.py scores it once,
for the chosen forms. Writes RUN/export_forms.md, and prints it.

Two rows train: quantisation-aware fine-tuning through `keras.quantizers.fake_quant_with_min_max_vars`, and the same
epochs in float as its control. Keras's `model.quantize` has nothing for this target: its modes int8, int4, gptq and awq
keep float activations or scale them at run time, and float8 needs hardware that a microcontroller lacks.

About four minutes for nano (2 CPU cores, 1,600 measured windows).
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tempfile
from pathlib import Path
from typing import Annotated

import keras
import numpy as np
import typer
from keras import ops

from keras_usmae import options
from keras_usmae.data import load_dataset
from keras_usmae.export import (
    DEPLOYMENT_FORMS,
    DeploymentForm,
    DeploymentGraph,
    TFLMInterpreter,
    check_calibration,
    check_integer,
    check_operators,
    convert,
    load_model,
    load_signals,
    read_operators,
    reference_of,
    write_static_saved_model,
)
from keras_usmae.models import ToFCrossentropy

EPOCHS, LEARNING_RATE, BATCH_SIZE = 3, 3e-4, 64  # of the two rows that train
COLUMNS = (
    "form",
    "bytes",
    "nodes",
    "arena bytes",
    "same bin as float",
    "mean dp",
    "top-1",
    "within one bin",
    "mean ns",
)


class SigmoidGELUGraph(DeploymentGraph):
    """GELU by its cheaper approximation `x sigmoid(1.702 x)`."""

    def _activate(self, x):
        return x * ops.sigmoid(1.702 * x)


class RoundedGraph(DeploymentGraph):
    """Weights on the int8 grid of their channel, where the later ones of a channel make up for the rounding of the
    earlier ones on the calibration signals.

    Reference:
        - [Frantar et al., 2022](https://arxiv.org/abs/2210.17323), GPTQ
    """

    def __init__(self, classifier, form, calibration):
        super().__init__(classifier, form)
        self._grams = {}
        for signal in calibration:
            self(signal[np.newaxis])
        for kernel, gram in self._grams.values():
            kernel[...] = round_columns(kernel, gram)
        self._grams = None

    def _dense(self, x, weights):
        if self._grams is not None:
            _, gram = self._grams.setdefault(id(weights[0]), (weights[0], np.zeros((x.shape[-1],) * 2)))
            rows = np.asarray(x, "float64").reshape(-1, x.shape[-1])
            gram += rows.T @ rows
        return super()._dense(x, weights)


def round_columns(kernel, gram, damping=0.01):
    """Rounds a kernel `(inputs, outputs)` to 255 levels a column, with little error for inputs of this Gram matrix."""
    step = np.abs(kernel).max(axis=0) / 127
    largest = np.abs(kernel).argmax(axis=0)
    gram = gram + np.eye(len(gram)) * damping * np.trace(gram) / len(gram)
    spread = np.linalg.cholesky(np.linalg.inv(gram)).T
    left, rounded = kernel.copy(), np.empty_like(kernel)
    for i in range(len(kernel)):
        rounded[i] = np.clip(np.round(left[i] / step), -127, 127) * step
        left[i + 1 :] -= spread[i, i + 1 :, None] * (left[i] - rounded[i]) / spread[i, i]
    columns = np.arange(kernel.shape[1])
    rounded[largest, columns] = kernel[largest, columns]  # the converter takes its scale from the largest
    return rounded


def fine_tuned(classifier, signals, onset, fake_quantized, seed):
    """Trains a copy for a few epochs, with fake-quantised inputs and weights of its dense layers or in float."""
    keras.utils.set_random_seed(seed)
    copy = type(classifier).from_config(classifier.get_config())
    copy(signals[:1])
    copy.set_weights(classifier.get_weights())
    if fake_quantized:
        for layer in copy._flatten_layers():
            if isinstance(layer, keras.layers.Dense):
                layer.call = quantized_call(layer)
    steps = EPOCHS * -(-len(signals) // BATCH_SIZE)
    copy.compile(
        keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps), weight_decay=0.05),
        loss=ToFCrossentropy(classifier.bin_width, 12.0),
    )
    copy.fit(signals, onset, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=options.progress())
    trained = type(classifier).from_config(classifier.get_config())
    trained(signals[:1])
    trained.set_weights(copy.get_weights())
    return trained


def quantized_call(dense):
    """A dense layer's `call` in which input (one range) and kernel (a range for each output) take 256 levels."""

    def call(inputs, training=None):
        low, high = ops.minimum(ops.min(inputs), 0.0), ops.maximum(ops.max(inputs), 0.0)
        inputs = keras.quantizers.fake_quant_with_min_max_vars(inputs, ops.stop_gradient(low), ops.stop_gradient(high))
        reach = ops.stop_gradient(ops.max(ops.abs(dense.kernel), axis=0))
        kernel = keras.quantizers.fake_quant_with_min_max_vars(dense.kernel, -reach, reach, narrow_range=True, axis=-1)
        return dense.activation(ops.matmul(inputs, kernel) + dense.bias)

    return call


def graphs(classifier, signals, onset, calibration, seed):
    """All that is tried: name, format, and the graph."""
    fused, plain = DeploymentForm(), DeploymentForm(fused_norm=False)
    int8 = {
        "`RSQRT` normalisation": plain,
        "`L2_NORMALIZATION`": fused,
        "`L2_NORMALIZATION`, rotated": DeploymentForm(rotated=True),
        **{f"loudness slope {slope:g}": DeploymentForm(loudness_slope=slope) for slope in (0.25, 0.5, 0.75, 1.0)},
        **{
            f"loudness slope {slope:g}, rotated": DeploymentForm(loudness_slope=slope, rotated=True)
            for slope in (0.25, 0.5, 0.75)
        },
    }
    int8["loudness slope 0.5, values centred"] = DeploymentForm(loudness_slope=0.5, centered_values=True)
    int16 = {
        "`RSQRT` normalisation": plain,
        "rotated": DeploymentForm(fused_norm=False, rotated=True),
        "loudness slope 0.5": DeploymentForm(fused_norm=False, loudness_slope=0.5),
    }
    for tflite_format, forms in (("int8", int8), ("int16x8", int16)):
        chosen = DEPLOYMENT_FORMS[tflite_format]
        for name, form in forms.items():
            mark = "**" if form == chosen else ""
            graph = DeploymentGraph(classifier, form, calibration[:64])
            yield f"{mark}{tflite_format}, {name}{mark}", tflite_format, graph
        rounded = RoundedGraph(classifier, chosen, calibration[:128])
        yield f"{tflite_format}, the chosen form, weights rounded by GPTQ", tflite_format, rounded
    chosen = DEPLOYMENT_FORMS["int8"]
    yield "int8, the chosen form, GELU as `x sigmoid(1.702 x)`", "int8", SigmoidGELUGraph(classifier, chosen)
    for name, fake_quantized in (("quantisation-aware", True), ("in float (control)", False)):
        trained = fine_tuned(classifier, signals, onset, fake_quantized, seed)
        for tflite_format, form in DEPLOYMENT_FORMS.items():
            if tflite_format in ("int8", "int16x8"):
                title = f"{tflite_format}, the chosen form, {EPOCHS} epochs more {name}"
                yield title, tflite_format, DeploymentGraph(trained, form)


def main(
    run: Annotated[Path, typer.Option("--run", "--weights", help="Run folder of finetune.py.")],
    speed_of_sound: options.SpeedOfSound = 1480.0,
    seed: options.Seed = 0,
    tfds_dir: options.TfdsDir = None,
    raw_dir: options.RawDir = None,
) -> None:
    """Measures every form on the validation split and prints the table."""
    classifier = load_model(run)
    length = classifier.encoder.signal_length
    calibration = check_calibration(load_signals(run / "calibration.npz")[0], length)
    dataset = options.read_json(run / "config.json")["dataset"]
    stored = load_dataset(dataset, tfds_dir, raw_dir)
    signals, onset = stored.labelled("train", length=length)
    inputs, labels = stored.labelled("validation", length=length, raw=True)
    reference = reference_of(classifier, inputs, labels, "validation split", speed_of_sound)

    def scores(logits, scale=0.0):
        found = reference.compare(logits, scale)
        return (
            f"{found['argmax_agreement']:.2%}",
            f"{found['probability_deviation_mean']:.1e}",
            f"{found['accuracy']:.2%}",
            f"{found['within_one_bin']:.2%}",
            f"{found['mean_error_ns']:.0f}",
        )

    lines = [row(COLUMNS), row(["---"] * len(COLUMNS)), row(("Keras, float32", "", "", "", *scores(reference.logits)))]
    print("\n".join(lines), flush=True)
    for name, tflite_format, graph in graphs(classifier, signals, onset, calibration, seed):
        with tempfile.TemporaryDirectory() as static:
            write_static_saved_model(graph, static)
            content = convert(static, tflite_format, calibration)
        operators = read_operators(content)
        check_operators(operators)
        check_integer(operators)
        interpreter = TFLMInterpreter(content)
        logits, _ = interpreter.run(reference.inputs)
        sizes = (f"{len(content):,}", str(len(operators)), f"{interpreter.arena_bytes():,}")
        lines.append(row((name, *sizes, *scores(logits, interpreter.output_scale[0]))))
        print(lines[-1], flush=True)
    (run / "export_forms.md").write_text("\n".join(lines) + "\n")
    print(f"{len(reference.inputs)} signals of {dataset}, validation split. Written to {run / 'export_forms.md'}")


def row(cells):
    """A row of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    options.run(main)
