import dataclasses
import re
from pathlib import Path

import pytest
from tflite_micro.python.tflite_micro import _runtime

from keras_usmae.export import (
    DEPLOYMENT_FORMS,
    TFLM_OPERATORS,
    DeploymentGraph,
    check_cmsis_nn,
    check_integer,
    check_operators,
    convert,
    read_operators,
    write_static_saved_model,
)
from keras_usmae.export.operators import Operator, Tensor
from keras_usmae.models import MAEEncoder, ToFClassifier

SMALL = {"signal_length": 256, "patch_size": 32, "hidden_dim": 16, "num_heads": 2, "head_dim": 8, "mlp_dim": 16}


def test_the_list_is_that_of_the_installed_tflm():
    kernels = set(re.findall(rb"Register_([A-Z0-9_]+)Ev", Path(_runtime.__file__).read_bytes()))
    missing = {name for name in TFLM_OPERATORS if name.encode() not in kernels}
    assert not missing
    assert "GELU" not in TFLM_OPERATORS
    assert b"GELU" not in kernels


@pytest.fixture(scope="module")
def gelu_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gelu")
    encoder = MAEEncoder(**SMALL, num_layers=1, activation="gelu", name="encoder")
    write_static_saved_model(DeploymentGraph(ToFClassifier(encoder), DEPLOYMENT_FORMS["int8"]), folder)
    return convert(folder, "float32")


def test_names_the_first_operator_that_the_target_lacks_and_its_layer(gelu_file):
    with pytest.raises(
        ValueError, match=r"no operator GELU, which comes from the layer '.*block_0.*mlp_hidden.*tanh_gelu"
    ):
        check_operators(read_operators(gelu_file))


def test_names_the_first_node_that_is_not_integer(gelu_file):
    with pytest.raises(ValueError, match=r"not integer throughout: FULLY_CONNECTED .*FLOAT32"):
        check_integer([o for o in read_operators(gelu_file) if o.name == "FULLY_CONNECTED"])


@pytest.mark.parametrize("name", ["int8", "int16x8"])
def test_integer_files_are_integer_throughout(exported, name):
    operators = read_operators((exported[0] / f"model_{name}.tflite").read_bytes())
    check_integer(operators)
    check_operators(operators)
    wide = name.removesuffix("x8").upper()
    assert operators[0].inputs[0].type == operators[-1].outputs[0].type == wide
    assert {"DEQUANTIZE", "QUANTIZE"}.isdisjoint(operator.name for operator in operators)


@pytest.mark.parametrize("head", ["per_patch", "pooled"])
def test_both_heads_convert_to_what_tflm_has(tmp_path, head):
    classifier = ToFClassifier(MAEEncoder(**SMALL, num_layers=1), head=head)
    write_static_saved_model(DeploymentGraph(classifier), tmp_path)
    check_operators(read_operators(convert(tmp_path, "float32")))


def test_cmsis_nn_takes_both_integer_files(exported_picker):
    for name in ("int8", "int16x8"):
        check_cmsis_nn(read_operators((exported_picker[0] / f"model_{name}.tflite").read_bytes()))


def test_weights_per_channel_of_int16_are_what_cmsis_nn_refuses(exported_picker):
    operators = read_operators((exported_picker[0] / "model_int16x8.tflite").read_bytes())
    node = next(operator for operator in operators if operator.name == "FULLY_CONNECTED")
    source, weights, *bias = node.inputs
    per_channel = dataclasses.replace(weights, scales=weights.scales * weights.shape[0])
    assert len(per_channel.scales) > 1
    with pytest.raises(ValueError, match=r"CMSIS-NN does not take FULLY_CONNECTED in the layer .*one for each channel"):
        check_cmsis_nn([dataclasses.replace(node, inputs=(source, per_channel, *bias))])


@pytest.mark.parametrize(
    ("name", "shape", "zero_points", "why"),
    [
        ("BATCH_MATMUL", (2, 8, 8), (3,), "zero point of 0"),
        ("BATCH_MATMUL", (8,), (0,), "2 to 4 axes"),
        ("TRANSPOSE", (1, 1, 2, 8, 8), (0,), "up to 4 axes"),
        ("SOFTMAX", (8, 8), (5,), "zero point of 0"),
    ],
)
def test_rules_of_cmsis_nn(name, shape, zero_points, why):
    tensor = Tensor("layer", shape, "INT16", (0.1,), zero_points)
    with pytest.raises(ValueError, match=why):
        check_cmsis_nn([Operator(name, (tensor, tensor), (tensor,))])
