import dataclasses

import pytest

from keras_usmae.export import (
    INTEGER_FORMATS,
    DeploymentGraph,
    convert,
    count_macs,
    estimate_instructions,
    estimate_rates,
    read_operators,
    write_static_saved_model,
)
from keras_usmae.export.cost import CORES
from keras_usmae.models import EchoDetector, MAEEncoder
from keras_usmae.signals import SignalConfig, standardize, synthesize

# Instructions of one pick, counted in an emulator: what `keras_usmae.export.cost` was fitted to.
COUNTED = {
    ("int8", "nano"): {"Cortex-M4": 37.2e6, "Cortex-M55": 26.6e6},
    ("int8", "nano_patch16"): {"Cortex-M4": 108.4e6, "Cortex-M55": 83.0e6},
    ("int16x8", "nano"): {"Cortex-M4": 22.7e6, "Cortex-M55": 14.0e6},
}


def test_counts_the_multiply_accumulates_of_nano(exported_picker):
    content = (exported_picker[0] / "model_int8.tflite").read_bytes()
    tokens, patch, dim, inner, mlp, layers = 64, 32, 32, 64, 64, 3
    block = tokens * (dim * 3 * inner + inner * dim + 2 * dim * mlp) + 2 * tokens * tokens * inner
    loudness, embedding, head = tokens * patch, tokens * patch * dim, tokens * dim * 2
    expected = loudness + embedding + layers * block + head
    assert count_macs(read_operators(content)) == expected


@pytest.fixture(scope="module")
def counted_files(exported_picker, tmp_path_factory):
    """The files whose instructions were counted; then, tokens had two axes."""
    folder = tmp_path_factory.mktemp("patch16")
    write_static_saved_model(DeploymentGraph(EchoDetector(MAEEncoder.from_preset("nano_patch16"))), folder)
    signals = standardize(synthesize(SignalConfig.from_preset("paper"), 32, seed=0)["signal"])
    files = {
        **{(name, "nano"): (exported_picker[0] / f"model_{name}.tflite").read_bytes() for name in INTEGER_FORMATS},
        ("int8", "nano_patch16"): convert(folder, "int8", signals),
    }
    return {key: [_of_rank_2(operator) for operator in read_operators(content)] for key, content in files.items()}


def _of_rank_2(operator):
    if operator.name != "FULLY_CONNECTED":
        return operator
    (output,) = operator.outputs
    return dataclasses.replace(operator, outputs=(dataclasses.replace(output, shape=output.shape[1:]),))


@pytest.mark.parametrize(("key", "core"), [(key, core) for key, counts in COUNTED.items() for core in counts])
def test_estimates_what_was_counted(counted_files, key, core):
    estimated = sum(estimate_instructions(counted_files[key], core).values())
    assert estimated == pytest.approx(COUNTED[key][core], rel=0.2)


@pytest.mark.parametrize(("core", "expected"), zip(CORES, (3.5, 17, 14), strict=True))
def test_picks_a_second_are_those_that_were_counted(counted_files, core, expected):
    found = estimate_rates(counted_files["int8", "nano"])[core.name]["picks_per_second"]
    assert found == pytest.approx(expected, rel=0.2)


def test_tables_and_the_fast_path_pay_on_every_core(counted_files, exported_picker):
    fast = read_operators((exported_picker[0] / "model_int8.tflite").read_bytes())
    assert {len(o.outputs[0].shape) for o in fast if o.name == "FULLY_CONNECTED"} == {3}
    for core in CORES:
        slow = estimate_rates(counted_files["int8", "nano"])[core.name]["instructions"]
        assert estimate_rates(fast, tables=True)[core.name]["instructions"] < 0.65 * slow
