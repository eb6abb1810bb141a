"""A process that converts untrained classifiers to int8 and measures them, for `FootprintMeter`.

A process of its own, because conversion runs on TensorFlow, whichever backend trains beside it, and leaves graphs
behind. It reads lines `{"encoder": ..., "head": ..., "bin_width": ...}` from standard input and answers each with a
line of `flash`, `arena` and `macs`, or of `error`. Start it with `KERAS_BACKEND=tensorflow`.
"""

import json
import os
import sys
import tempfile

import keras
import numpy as np

from keras_usmae.export import (
    DEPLOYMENT_FORMS,
    DeploymentGraph,
    TFLMInterpreter,
    convert,
    count_macs,
    read_operators,
    write_static_saved_model,
)
from keras_usmae.models import MAEEncoder, ToFClassifier


def measure(encoder: dict, head: str, bin_width: int) -> dict:
    """Converts a classifier with random weights, and measures it.

    Args:
        encoder: dict, constructor arguments of `MAEEncoder`.
        head: str, see `ToFClassifier`.

    Returns:
        dict of ints: `flash`, bytes of the int8 file; `arena`, bytes that TFLM takes on this machine, a little more
        than on a 32-bit target; and `macs`.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    classifier = ToFClassifier(MAEEncoder(**encoder), bin_width, head)
    rng = np.random.default_rng(0)
    # Biases of zero and gains of one would be folded away.
    classifier.set_weights([rng.normal(0.5, 0.2, size=weight.shape) for weight in classifier.get_weights()])
    calibration = rng.standard_normal((4, encoder["signal_length"])).astype("float32")
    with tempfile.TemporaryDirectory() as static:
        write_static_saved_model(DeploymentGraph(classifier, DEPLOYMENT_FORMS["int8"]), static)
        content = convert(static, "int8", calibration)
    return {
        "flash": len(content),
        "arena": TFLMInterpreter(content).arena_bytes(),
        "macs": count_macs(read_operators(content)),
    }


def main() -> None:
    """Answers requests until standard input ends."""
    # What TensorFlow prints while it converts, from C++ too, must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            answer = measure(**json.loads(line))
        except Exception as error:  # the process that asks shall tell it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
