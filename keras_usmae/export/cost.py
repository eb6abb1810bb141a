"""What an inference costs: multiply-accumulates, and an estimate of cycles."""

import math

# Multiply-accumulates a cycle in int8 with CMSIS-NN, from published measurements of whole networks or layers:
# - Cortex-M4 and M7: PULP-NN (Garofalo et al., 2019, arXiv 1908.11263) reaches 15.5 a cycle and needs 30 and 19.6 times
#   fewer cycles for a CIFAR-10 network than CMSIS-NN on STM32L4 and STM32H7: 15.5 / 30 and 15.5 / 19.6.
# - Cortex-M55: a 1x1 convolution of 32 to 16 channels (6.42 M) took 4.92 M cycles on an Alif E8
#   (https://github.com/pytorch/executorch/issues/17651).
# `cycles_per_value`, for what any other operator writes (requantisation, table or exponential), is an assumption; only
# that of the M55 is near a measurement (9.1 for quantising, same source). So is the factor of int16 activations.
CORES = {
    "Cortex-M4": {"macs_per_cycle": 0.52, "cycles_per_value": 15.0},
    "Cortex-M7": {"macs_per_cycle": 0.79, "cycles_per_value": 10.0},
    "Cortex-M55": {"macs_per_cycle": 1.3, "cycles_per_value": 9.0},
}
INT16_FACTOR = 1.5
CYCLES_FORMULA = (
    "(macs / macs_per_cycle + values * cycles_per_value), times "
    f"{INT16_FACTOR:g} for int16x8, where values counts what all operators but matrix products and moves write"
)
CYCLES_SOURCE = (
    "macs_per_cycle from measurements of CMSIS-NN (M4 0.52 and M7 0.79: arXiv 1908.11263; M55 1.3: "
    "github.com/pytorch/executorch/issues/17651); cycles_per_value (15, 10, 9) and the factor for int16x8 are "
    "assumptions"
)
_MOVES = ("RESHAPE",)


def count_macs(operators):
    """Counts the multiply-accumulates of the matrix products and convolutions of a TFLite file.

    Args:
        operators: list from `read_operators`.

    Returns:
        int, for one signal.

    Example:

    ```python
    count_macs(read_operators(content))  # 2_600_000
    ```
    """
    return sum(map(_macs, operators))


def _macs(operator):
    if operator.name == "FULLY_CONNECTED":
        return math.prod(operator.outputs[0].shape) * operator.inputs[1].shape[-1]
    if operator.name == "BATCH_MATMUL":
        left, right = operator.inputs[0].shape, operator.inputs[1].shape
        # (..., m, k) with (..., k, n), or with (..., n, k) where the second is read transposed: k is in the first.
        return math.prod(operator.outputs[0].shape) * left[-1] if left and right else 0
    if operator.name == "CONV_2D":
        return math.prod(operator.outputs[0].shape) * math.prod(operator.inputs[1].shape[1:])
    if operator.name == "DEPTHWISE_CONV_2D":
        return math.prod(operator.outputs[0].shape) * math.prod(operator.inputs[1].shape[1:3])
    return 0


def estimate_cycles(operators):
    """Estimates the cycles of one inference: `macs / macs_per_cycle + values * cycles_per_value`.

    `values` counts what every operator other than a matrix product, a convolution or a reshape writes; `CORES` has the
    constants and their sources. Expect a factor of two either way: memory, compiler and kernels decide.

    Args:
        operators: list from `read_operators`, of an int8 or int16x8 file.

    Returns:
        A dict from core to int.

    Example:

    ```python
    estimate_cycles(read_operators(content))["Cortex-M4"]
    ```
    """
    values = sum(
        math.prod(operator.outputs[0].shape)
        for operator in operators
        if not _macs(operator) and operator.name not in _MOVES
    )
    wide = INT16_FACTOR if operators[0].inputs[0].type == "INT16" else 1.0
    return {
        core: round(
            wide * (count_macs(operators) / constants["macs_per_cycle"] + values * constants["cycles_per_value"])
        )
        for core, constants in CORES.items()
    }
