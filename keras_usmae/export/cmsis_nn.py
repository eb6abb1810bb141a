"""What CMSIS-NN's kernels accept. TFLM's interpreter on this machine runs the reference kernels, which accept more.

Source: the kernels in tensorflow/lite/micro/kernels/cmsis_nn/ of tensorflow/tflite-micro and what they share
with the reference kernels; and a build for Cortex-M4, M7 and M55 with TFLM of August 2026, in which
`AllocateTensors()` failed on weights per channel of an int16 file.
"""

import math

from keras_usmae.export.operators import layer_of


def _fully_connected(operator):
    weights = operator.inputs[1]
    if operator.inputs[0].type == "INT16" and len(weights.scales) > 1:
        return "int16 activations need weights of one scale, and these have one for each channel"
    if not 2 <= len(operator.outputs[0].shape) <= 4:
        return f"the output needs 2 to 4 axes, and has {len(operator.outputs[0].shape)}"
    return ""


def _batch_matmul(operator):
    tensors = (*operator.inputs, *operator.outputs)
    if any(not 2 <= len(tensor.shape) <= 4 for tensor in tensors):
        return "its tensors need 2 to 4 axes"
    if operator.inputs[0].type == "INT16" and any(any(tensor.zero_points) for tensor in tensors):
        return "int16 tensors need a zero point of 0"
    return ""


def _softmax(operator):
    source, target = operator.inputs[0], operator.outputs[0]
    if source.type == "INT8" and not math.isclose(target.scales[0], 1 / 256, rel_tol=1e-6):
        return "the output of an int8 one needs steps of 1/256"
    if source.type == "INT16" and target.zero_points != (0,):
        return "the output of an int16 one needs a zero point of 0"
    return ""


def _transpose(operator):
    axes = len(operator.inputs[0].shape)
    return "" if axes <= 4 else f"it moves up to 4 axes, and has {axes}"


# By operator: what a node may not be. A rule returns why CMSIS-NN refuses a node, or nothing.
_RULES = {
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": _batch_matmul,
    "SOFTMAX": _softmax,
    "TRANSPOSE": _transpose,
}


def check_cmsis_nn(operators: list) -> None:
    """Checks that CMSIS-NN's kernels take an integer file.

    Args:
        operators: list from `read_operators`, of an int8 or int16x8 file.

    Raises:
        ValueError: naming the first node that they refuse, why, and the layer that it comes from.
    """
    for operator in operators:
        rule = _RULES.get(operator.name)
        if why := rule(operator) if rule else "":
            raise ValueError(
                f"CMSIS-NN does not take {operator.name} in the layer {layer_of(operator)}: {why}. The file would run "
                "on the reference kernels only, and `AllocateTensors()` fail on most microcontrollers."
            )
