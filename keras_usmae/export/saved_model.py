"""A trained classifier as SavedModel."""

import keras
import tensorflow as tf

from keras_usmae.models import ToFClassifier, expected_onset


def in_float32(classifier):
    """Rebuilds a classifier in float32, whatever dtype policy it was trained under.

    Args:
        classifier: `ToFClassifier`.

    Returns:
        A `ToFClassifier` with the same weights, every layer of which computes in float32.

    Example:

    ```python
    classifier = in_float32(keras.saving.load_model("runs/mine/classifier.keras"))
    ```
    """
    encoder = type(classifier.encoder).from_config({**classifier.encoder.get_config(), "dtype": "float32"})
    config = {**classifier.get_config(), "dtype": "float32"}
    config["encoder"] = keras.saving.serialize_keras_object(encoder)
    copy = ToFClassifier.from_config(config)
    copy.set_weights(classifier.get_weights())
    return copy


def write_saved_model(classifier, path):
    """Writes a SavedModel that measures raw signals, for TensorFlow Serving or any TensorFlow program.

    The signature `serve` takes `signals`, float32 `(batch, signal_length)` of any batch size, at the sampling rate of
    training and in any unit of amplitude: each signal is standardised inside, which changes nothing in one that is
    standardised already. It returns float32 `logits` `(batch, num_classes)`, and of shape `(batch,)` `onset` (samples),
    `tof` (s from the first sample) and `confidence` (probability of the most likely bin). A constant signal gives the
    answer to zeros, at whatever confidence the model has for them.

    Args:
        classifier: `ToFClassifier`.
        path: path of the folder to write.

    Raises:
        RuntimeError: if Keras does not run on TensorFlow.

    Example:

    ```python
    write_saved_model(classifier, "export/saved_model")
    serve = tf.saved_model.load("export/saved_model").signatures["serve"]
    serve(signals=tf.constant(raw_signals))["tof"]
    ```
    """
    check_backend()
    spec = tf.TensorSpec((None, classifier.encoder.signal_length), tf.float32, name="signals")
    archive = keras.export.ExportArchive()
    archive.track(classifier)
    archive.add_endpoint("serve", ServedClassifier(classifier).call, input_signature=[spec])
    archive.write_out(str(path), verbose=False)


class ServedClassifier(keras.Model):
    """A classifier from raw signals to the dict that `write_saved_model` describes; on TensorFlow only.

    Args:
        classifier: `ToFClassifier`.

    Example:

    ```python
    ServedClassifier(classifier)(raw_signals)["tof"]
    ```
    """

    def __init__(self, classifier):
        super().__init__()
        self.classifier = classifier

    def call(self, signals, training=False):
        """Standardises, classifies and decodes `signals` of shape `(batch, signal_length)`."""
        centered = signals - tf.reduce_mean(signals, axis=-1, keepdims=True)
        peak = tf.reduce_max(tf.abs(centered), axis=-1, keepdims=True)
        scaled = tf.math.divide_no_nan(centered, peak)  # so that the squares neither underflow nor overflow
        deviation = tf.sqrt(tf.reduce_mean(scaled * scaled, axis=-1, keepdims=True))
        logits = self.classifier(tf.math.divide_no_nan(scaled, deviation), training=False)
        # Keras's own argmax looks at the sign of zeros by operators that ONNX lacks.
        onset = expected_onset(logits, tf.argmax(logits, axis=-1, output_type=tf.int32), self.classifier.bin_width)
        return {
            "logits": logits,
            "onset": onset,
            "tof": onset / self.classifier.sampling_rate,
            "confidence": tf.reduce_max(tf.nn.softmax(logits), axis=-1),
        }


def write_static_saved_model(graph, path):
    """Writes the SavedModel that TFLite is converted from: one standardised signal in, logits out.

    With a batch size that is not known, SHAPE, PACK, GATHER and REDUCE_PROD stay in the graph to compute it at run
    time.

    Args:
        graph: `DeploymentGraph`.
        path: path of the folder to write.

    Raises:
        RuntimeError: if Keras does not run on TensorFlow.

    Example:

    ```python
    write_static_saved_model(DeploymentGraph(classifier, DEPLOYMENT_FORMS["float32"]), "static")
    content = convert("static", "float32")
    ```
    """
    check_backend()
    spec = tf.TensorSpec((1, graph.classifier.encoder.signal_length), tf.float32, name="signals")
    archive = keras.export.ExportArchive()  # tracks the weights, or the converter leaves READ_VARIABLE in the graph
    archive.track(graph.classifier)
    archive.add_endpoint("serve", lambda signals: {"logits": graph(signals)}, input_signature=[spec])
    archive.write_out(str(path), verbose=False)


def check_backend():
    """Checks that Keras runs on TensorFlow.

    Raises:
        RuntimeError: if it does not.

    Example:

    ```python
    check_backend()
    ```
    """
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"Export runs on the TensorFlow backend, but Keras runs on {keras.backend.backend()!r}. Start a process of "
            "its own with KERAS_BACKEND=tensorflow; weights trained on any backend load there."
        )
