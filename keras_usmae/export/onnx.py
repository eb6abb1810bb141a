"""A trained model as ONNX, for programs without TensorFlow."""

from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_usmae.export.interpreters import Interpreter
from keras_usmae.export.saved_model import ServedModel, check_backend
from keras_usmae.extras import import_extra

if TYPE_CHECKING:
    from keras_usmae.models.echo_detector import EchoDetector
    from keras_usmae.models.tof_classifier import ToFClassifier


def write_onnx(model: "ToFClassifier | EchoDetector", path: str | Path) -> None:
    """Writes an ONNX file that measures raw signals, with the inputs and outputs of `write_saved_model`.

    Args:
        model: `ToFClassifier` or `EchoDetector` in float32.
        path: path of the `.onnx` file to write.

    Raises:
        ImportError: if `onnx` or `tf2onnx` is not installed.
        RuntimeError: if Keras does not run on TensorFlow.
    """
    check_backend()
    onnx = import_extra("onnx", "onnx")
    import_extra("tf2onnx", "onnx")
    length = model.encoder.signal_length
    served = ServedModel(model)
    served(np.zeros((1, length), "float32"))  # Keras exports what was called before
    signature = [keras.InputSpec(dtype="float32", shape=(None, length), name="signals")]
    served.export(str(path), format="onnx", verbose=False, input_signature=signature)
    onnx.checker.check_model(str(path))


class ONNXInterpreter(Interpreter):
    """An ONNX file of `write_onnx` in ONNX Runtime, on one thread.

    Args:
        path: path of the file.

    Raises:
        ImportError: if `onnxruntime` is not installed.
    """

    input_type = np.float32
    input_scale = output_scale = (0.0, 0)

    def __init__(self, path: str | Path) -> None:
        runtime = import_extra("onnxruntime", "onnx")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = runtime.InferenceSession(str(path), options)

    def invoke(self, signal: np.ndarray) -> np.ndarray:
        """Runs signals of shape `(batch, signal_length)`, raw or standardised, and gives their logits."""
        return self._session.run(["logits"], {"signals": signal})[0]
