"""The operators of a TFLite file, and whether TensorFlow Lite for Microcontrollers can run them."""

import dataclasses

from keras_usmae.extras import import_extra

# Builtin operators that TFLM can register, and the method of its `MicroMutableOpResolver` that does so.
# Source: tensorflow/lite/micro/micro_mutable_op_resolver.h and python/tflite_micro/python_ops_resolver.cc of
# tensorflow/tflite-micro; tests compare the names with the kernels inside the installed tflite-micro.
TFLM_OPERATORS = {
    "ABS": "AddAbs",
    "ADD": "AddAdd",
    "ADD_N": "AddAddN",
    "ARG_MAX": "AddArgMax",
    "ARG_MIN": "AddArgMin",
    "ASSIGN_VARIABLE": "AddAssignVariable",
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "BATCH_MATMUL": "AddBatchMatMul",
    "BATCH_TO_SPACE_ND": "AddBatchToSpaceNd",
    "BROADCAST_ARGS": "AddBroadcastArgs",
    "BROADCAST_TO": "AddBroadcastTo",
    "CALL_ONCE": "AddCallOnce",
    "CAST": "AddCast",
    "CEIL": "AddCeil",
    "CONCATENATION": "AddConcatenation",
    "CONV_2D": "AddConv2D",
    "COS": "AddCos",
    "CUMSUM": "AddCumSum",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "DEPTH_TO_SPACE": "AddDepthToSpace",
    "DEQUANTIZE": "AddDequantize",
    "DIV": "AddDiv",
    "DYNAMIC_UPDATE_SLICE": "AddDynamicUpdateSlice",
    "ELU": "AddElu",
    "EMBEDDING_LOOKUP": "AddEmbeddingLookup",
    "EQUAL": "AddEqual",
    "EXP": "AddExp",
    "EXPAND_DIMS": "AddExpandDims",
    "FILL": "AddFill",
    "FLOOR": "AddFloor",
    "FLOOR_DIV": "AddFloorDiv",
    "FLOOR_MOD": "AddFloorMod",
    "FULLY_CONNECTED": "AddFullyConnected",
    "GATHER": "AddGather",
    "GATHER_ND": "AddGatherNd",
    "GREATER": "AddGreater",
    "GREATER_EQUAL": "AddGreaterEqual",
    "HARD_SWISH": "AddHardSwish",
    "IF": "AddIf",
    "L2_NORMALIZATION": "AddL2Normalization",
    "L2_POOL_2D": "AddL2Pool2D",
    "LEAKY_RELU": "AddLeakyRelu",
    "LESS": "AddLess",
    "LESS_EQUAL": "AddLessEqual",
    "LOG": "AddLog",
    "LOGICAL_AND": "AddLogicalAnd",
    "LOGICAL_NOT": "AddLogicalNot",
    "LOGICAL_OR": "AddLogicalOr",
    "LOGISTIC": "AddLogistic",
    "LOG_SOFTMAX": "AddLogSoftmax",
    "MAXIMUM": "AddMaximum",
    "MAX_POOL_2D": "AddMaxPool2D",
    "MEAN": "AddMean",
    "MINIMUM": "AddMinimum",
    "MIRROR_PAD": "AddMirrorPad",
    "MUL": "AddMul",
    "NEG": "AddNeg",
    "NOT_EQUAL": "AddNotEqual",
    "PACK": "AddPack",
    "PAD": "AddPad",
    "PADV2": "AddPadV2",
    "PRELU": "AddPrelu",
    "QUANTIZE": "AddQuantize",
    "READ_VARIABLE": "AddReadVariable",
    "REDUCE_MAX": "AddReduceMax",
    "RELU": "AddRelu",
    "RELU6": "AddRelu6",
    "RESHAPE": "AddReshape",
    "RESIZE_BILINEAR": "AddResizeBilinear",
    "RESIZE_NEAREST_NEIGHBOR": "AddResizeNearestNeighbor",
    "ROUND": "AddRound",
    "RSQRT": "AddRsqrt",
    "SELECT_V2": "AddSelectV2",
    "SHAPE": "AddShape",
    "SIN": "AddSin",
    "SLICE": "AddSlice",
    "SOFTMAX": "AddSoftmax",
    "SPACE_TO_BATCH_ND": "AddSpaceToBatchNd",
    "SPACE_TO_DEPTH": "AddSpaceToDepth",
    "SPLIT": "AddSplit",
    "SPLIT_V": "AddSplitV",
    "SQRT": "AddSqrt",
    "SQUARE": "AddSquare",
    "SQUARED_DIFFERENCE": "AddSquaredDifference",
    "SQUEEZE": "AddSqueeze",
    "STRIDED_SLICE": "AddStridedSlice",
    "SUB": "AddSub",
    "SUM": "AddSum",
    "SVDF": "AddSvdf",
    "TANH": "AddTanh",
    "TRANSPOSE": "AddTranspose",
    "TRANSPOSE_CONV": "AddTransposeConv",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "AddUnidirectionalSequenceLSTM",
    "UNPACK": "AddUnpack",
    "VAR_HANDLE": "AddVarHandle",
    "WHILE": "AddWhile",
    "ZEROS_LIKE": "AddZerosLike",
}


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A tensor of a TFLite file: its name, shape, and type as the schema calls it (`"INT8"`); scales and zero points,
    several where it is quantised by channels, none where it is not quantised."""

    name: str
    shape: tuple[int, ...]
    type: str
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class Operator:
    """A node of a TFLite file: the builtin's name (or the custom one's) and its tensors."""

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def read_operators(content: bytes) -> list[Operator]:
    """Lists the nodes of a TFLite file in the order in which they run.

    Args:
        content: bytes of the file.
    """
    schema = import_extra("ai_edge_litert.schema_py_generated")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    builtins = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    types = {code: name for name, code in vars(schema.TensorType).items() if isinstance(code, int)}
    graph = model.subgraphs[0]

    def tensor(index):
        found = graph.tensors[index]
        shape = tuple(int(n) for n in _list(found.shape))
        scales, zeros = (getattr(found.quantization, name, None) for name in ("scale", "zeroPoint"))
        numbers = tuple(map(float, _list(scales))), tuple(map(int, _list(zeros)))
        return Tensor(found.name.decode(), shape, types[found.type], *numbers)

    def name(code):
        # Codes below 127 are in the older field only.
        builtin = builtins[max(code.builtinCode, code.deprecatedBuiltinCode)]
        return code.customCode.decode() if builtin == "CUSTOM" else builtin

    return [
        Operator(
            name(model.operatorCodes[node.opcodeIndex]),
            tuple(tensor(i) for i in _list(node.inputs) if i >= 0),
            tuple(tensor(i) for i in _list(node.outputs)),
        )
        for node in graph.operators
    ]


def _list(array):
    return [] if array is None else list(array)


def check_operators(operators: list) -> None:
    """Checks that TensorFlow Lite for Microcontrollers has every operator.

    Args:
        operators: list from `read_operators`.

    Raises:
        ValueError: naming the first that it lacks, and the layer that it comes from.
    """
    for operator in operators:
        if operator.name not in TFLM_OPERATORS:
            raise ValueError(
                f"TensorFlow Lite for Microcontrollers has no operator {operator.name}, which comes from the layer "
                f"{layer_of(operator)}. Build the model from layers that it can run; for an activation, 'tanh_gelu' or "
                "'relu' in place of 'gelu'."
            )


def check_integer(operators: list) -> None:
    """Checks that a quantised file computes in integers only, from its input to its output.

    Args:
        operators: list from `read_operators`.

    Raises:
        ValueError: naming the first node that reads or writes floats, and the layer that it comes from.
    """
    for operator in operators:
        floats = [t for t in (*operator.inputs, *operator.outputs) if t.type.startswith(("FLOAT", "BFLOAT"))]
        if floats:
            raise ValueError(
                f"The quantised file is not integer throughout: {operator.name} in the layer {layer_of(operator)} has "
                f"the {floats[0].type} tensor {floats[0].name!r}. Write that layer with operators that the quantiser "
                "supports."
            )


def layer_of(operator: "Operator") -> str:
    """The layer that a node comes from, quoted, for messages."""
    # The converter joins the names of fused nodes with semicolons.
    return repr(operator.outputs[0].name.split(";")[0])
