"""What an inference costs: multiply-accumulates, and an estimate of cycles."""

import math

# Rules of thumb for int8 with CMSIS-NN, not measurements: multiply-accumulates a cycle in matrix products (dual 16-bit
# SMLAD on M4 and M7, which issues two instructions; Helium on M55), and cycles for each value that any other operator
# writes (requantisation, table or exponential). int16 activations take about 1.5 times as long.
CORES = {
    "Cortex-M4": {"macs_per_cycle": 0.6, "cycles_per_value": 15.0},
    "Cortex-M7": {"macs_per_cycle": 1.2, "cycles_per_value": 8.0},
    "Cortex-M55": {"macs_per_cycle": 4.0, "cycles_per_value": 3.0},
}
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
    constants. Expect a factor of two either way: memory, compiler and kernels decide.

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
    wide = 1.5 if operators[0].inputs[0].type == "INT16" else 1.0
    return {
        core: round(
            wide * (count_macs(operators) / constants["macs_per_cycle"] + values * constants["cycles_per_value"])
        )
        for core, constants in CORES.items()
    }
