"""A trained model as SavedModel."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from keras_usmae.models import EchoDetector, expected_onset

if TYPE_CHECKING:
    from keras_usmae.export.deployment import DeploymentGraph
    from keras_usmae.models.tof_classifier import ToFClassifier


def in_float32(model: "ToFClassifier | EchoDetector") -> Any:
    """Rebuilds a model in float32, whatever dtype policy it was trained under.

    Args:
        model: `ToFClassifier` or `EchoDetector`.

    Returns:
        A model of the same class with the same weights, every layer of which computes in float32.
    """
    encoder = type(model.encoder).from_config({**model.encoder.get_config(), "dtype": "float32"})
    config = {**model.get_config(), "dtype": "float32"}
    config["encoder"] = keras.saving.serialize_keras_object(encoder)
    copy = type(model).from_config(config)
    copy.set_weights(model.get_weights())
    return copy


def write_saved_model(model: "ToFClassifier | EchoDetector", path: str | Path) -> None:
    """Writes a SavedModel that measures raw signals, for TensorFlow Serving or any TensorFlow program.

    The signature `serve` takes `signals`, float32 `(batch, signal_length)` of any batch size, at the sampling rate of
    training and in any unit of amplitude: each signal is standardised inside, which changes nothing in one that is
    standardised already. It returns float32 `logits` `(batch, num_bins)`. A classifier adds, of shape `(batch,)`,
    `onset` (samples), `tof` (s from the first sample) and `confidence` (probability of the most likely bin); a detector
    `probability` `(batch, num_bins)`, that an echo begins in the bin, which `decode_picks` turns into picks. A constant
    signal gives the answer to zeros, at whatever confidence the model has for them.

    Args:
        model: `ToFClassifier` or `EchoDetector`.
        path: path of the folder to write.

    Raises:
        RuntimeError: if Keras does not run on TensorFlow.
    """
    check_backend()
    spec = tf.TensorSpec((None, model.encoder.signal_length), tf.float32, name="signals")
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", ServedModel(model).call, input_signature=[spec])
    archive.write_out(str(path), verbose=False)


class ServedModel(keras.Model):
    """A model from raw signals to the dict that `write_saved_model` describes; on TensorFlow only."""

    def __init__(self, model: "ToFClassifier | EchoDetector") -> None:
        super().__init__()
        self.model = model

    def call(self, signals: Any, training: bool = False) -> dict[str, Any]:
        """Standardises, predicts and decodes `signals` of shape `(batch, signal_length)`."""
        centered = signals - tf.reduce_mean(signals, axis=-1, keepdims=True)
        peak = tf.reduce_max(tf.abs(centered), axis=-1, keepdims=True)
        scaled = tf.math.divide_no_nan(centered, peak)  # so that the squares neither underflow nor overflow
        deviation = tf.sqrt(tf.reduce_mean(scaled * scaled, axis=-1, keepdims=True))
        logits = self.model(tf.math.divide_no_nan(scaled, deviation), training=False)
        if isinstance(self.model, EchoDetector):
            return {"logits": logits, "probability": tf.sigmoid(logits)}
        # Keras's own argmax looks at the sign of zeros by operators that ONNX lacks.
        onset = expected_onset(logits, tf.argmax(logits, axis=-1, output_type=tf.int32), self.model.bin_width)
        return {
            "logits": logits,
            "onset": onset,
            "tof": onset / self.model.sampling_rate,
            "confidence": tf.reduce_max(tf.nn.softmax(logits), axis=-1),
        }


def write_static_saved_model(graph: "DeploymentGraph", path: str | Path) -> None:
    """Writes the SavedModel that TFLite is converted from: one standardised signal in, logits out.

    With a batch size that is not known, SHAPE, PACK, GATHER and REDUCE_PROD stay in the graph to compute it at run
    time.

    Args:
        graph: `DeploymentGraph`.
        path: path of the folder to write.

    Raises:
        RuntimeError: if Keras does not run on TensorFlow.
    """
    check_backend()
    spec = tf.TensorSpec((1, graph.model.encoder.signal_length), tf.float32, name="signals")
    archive = keras.export.ExportArchive()  # tracks the weights, or the converter leaves READ_VARIABLE in the graph
    archive.track(graph.model)
    archive.add_endpoint("serve", lambda signals: {"logits": graph(signals)}, input_signature=[spec])
    archive.write_out(str(path), verbose=False)


def check_backend() -> None:
    """Checks that Keras runs on TensorFlow.

    Raises:
        RuntimeError: if it does not.
    """
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"Export runs on the TensorFlow backend, but Keras runs on {keras.backend.backend()!r}. Start a process of "
            "its own with KERAS_BACKEND=tensorflow; weights trained on any backend load there."
        )
