"""What an inference costs: multiply-accumulates, instructions of each operator, and picks a second."""

import collections
import dataclasses
import math

COUNTED_IN = "counted in an emulator, TFLM of August 2026 with CMSIS-NN"
# Bytes in that build: code of TFLM and its kernels for the operators of int8 `nano`, and stack.
CODE_BYTES = {"reference kernels": 57_900, "CMSIS-NN": 75_400}
STACK_BYTES = 1_000


@dataclasses.dataclass(frozen=True)
class Core:
    """A core, and what the rates of picks rest on.

    Args:
        megahertz: float, of its clock.
        cycles_per_instruction: float, from the picks a second that were counted on int8 `nano` (3.5, 17 and 14).
        costs: str, the core whose counted instructions it has.
    """

    name: str
    megahertz: float
    cycles_per_instruction: float
    costs: str


CORES = (
    Core("Cortex-M4", 168.0, 1.3, "Cortex-M4"),
    Core("Cortex-M7", 480.0, 0.76, "Cortex-M4"),  # the same instructions, two at a time where it can
    Core("Cortex-M55", 400.0, 1.07, "Cortex-M55"),
)

# Instructions were counted in that build for one pick: of int8 `nano` on Cortex-M4 by operator; as totals of int8
# `nano_patch16` on M4, of both on M55, and of int16x8 `nano` with weights per tensor on both. A total is apportioned:
# on M55, by what `nano` and `nano_patch16` differ in; in int16x8, as a common factor on estimates by operator.
# `tests/export/test_cost.py` has the totals.

# For a multiply-accumulate; a rank of 3 takes the fast path of the fully connected kernel in int8.
_PER_MAC = {
    ("int8", "Cortex-M4"): {"FULLY_CONNECTED": 3.46, "FULLY_CONNECTED rank 3": 2.55, "BATCH_MATMUL": 3.24},
    ("int8", "Cortex-M55"): {"FULLY_CONNECTED": 1.75, "FULLY_CONNECTED rank 3": 1.34, "BATCH_MATMUL": 1.75},
    ("int16x8", "Cortex-M4"): {"FULLY_CONNECTED": 2.9, "BATCH_MATMUL": 3.5},
    ("int16x8", "Cortex-M55"): {"FULLY_CONNECTED": 1.8, "BATCH_MATMUL": 2.2},
}
# Convolutions were not counted; they run at the rate of the fast path.
_CONVOLUTION = {"Cortex-M4": 2.55, "Cortex-M55": 1.34}
# For a value that is written (read, for MEAN). `TABLE` kernels are those of the firmware folder, lookup.c, counted on
# an emulated Cortex-M4 (gcc 12, -O2).
_PER_VALUE = {
    ("int8", "Cortex-M4"): {
        "SOFTMAX": 524, "LOGISTIC": 366, "MUL": 41, "ADD": 86, "L2_NORMALIZATION": 63, "TRANSPOSE": 6,
        "SOFTMAX TABLE": 34, "LOGISTIC TABLE": 6,
    },
    ("int8", "Cortex-M55"): {
        "SOFTMAX": 497, "LOGISTIC": 347, "MUL": 20, "ADD": 43, "L2_NORMALIZATION": 31, "TRANSPOSE": 3,
        "SOFTMAX TABLE": 34, "LOGISTIC TABLE": 6,
    },
    ("int16x8", "Cortex-M4"): {
        "SOFTMAX": 117, "LOGISTIC": 70, "MUL": 47, "ADD": 58, "MEAN": 23, "RSQRT": 234, "TRANSPOSE": 14,
    },
    ("int16x8", "Cortex-M55"): {
        "SOFTMAX": 72, "LOGISTIC": 43, "MUL": 29, "ADD": 36, "MEAN": 14, "RSQRT": 144, "TRANSPOSE": 9,
    },
}  # fmt: skip
_ANY_VALUE = 40  # of an operator that was not counted
_FREE = ("RESHAPE",)


def count_macs(operators: list) -> int:
    """Counts the multiply-accumulates of a TFLite file's matrix products and convolutions, for one signal.

    Args:
        operators: list from `read_operators`.
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


def estimate_instructions(operators: list, core: str, tables: bool = False) -> dict:
    """Estimates the instructions of one inference with CMSIS-NN, by operator, from those that were counted.

    Args:
        operators: list from `read_operators`, of an int8 or int16x8 file.
        core: str, `"Cortex-M4"` or `"Cortex-M55"`; a Cortex-M7 takes those of the M4.
        tables: bool, whether softmax and logistic run by the tables of the firmware folder. Defaults to `False`.

    Returns:
        A dict from the name of the operator to float, from the dearest to the cheapest.
    """
    tflite_format = "int16x8" if operators[0].inputs[0].type == "INT16" else "int8"
    per_mac, per_value = (costs[tflite_format, core] for costs in (_PER_MAC, _PER_VALUE))
    found = collections.Counter()
    for operator in operators:
        name, values = operator.name, math.prod(operator.outputs[0].shape)
        if macs := _macs(operator):
            fast = f"{name} rank 3" if len(operator.outputs[0].shape) == 3 else name
            found[name] += macs * per_mac.get(fast, per_mac.get(name, _CONVOLUTION[core]))
        elif name not in _FREE:
            key = f"{name} TABLE" if tables and f"{name} TABLE" in per_value else name
            read = math.prod(operator.inputs[0].shape) if name == "MEAN" else values
            found[name] += read * per_value.get(key, _ANY_VALUE)
    return dict(found.most_common())


def estimate_rates(operators: list, tables: bool = False) -> dict:
    """Estimates picks a second of each core, from instructions, clock and cycles per instruction.

    Args:
        operators: list from `read_operators`, of an int8 or int16x8 file.
        tables: bool, see `estimate_instructions`. Defaults to `False`.

    Returns:
        A dict from the core's name to a dict of `"instructions"` and `"picks_per_second"`.
    """
    rates = {}
    for core in CORES:
        instructions = sum(estimate_instructions(operators, core.costs, tables).values())
        rates[core.name] = {
            "instructions": round(instructions),
            "picks_per_second": core.megahertz * 1e6 / (instructions * core.cycles_per_instruction),
        }
    return rates
