"""What Arm's compiler for Ethos-U makes of the ready pickers. `make test-npu` installs it; VELA names it elsewhere."""

import os
import re
import shutil
import subprocess

import pytest

from keras_usmae.export import (
    DEPLOYMENT_FORMS,
    FIELD_CALIBRATION_SEED,
    DeploymentGraph,
    check_calibration,
    convert,
    field_signals,
    write_static_saved_model,
)
from keras_usmae.models import EchoDetector

VELA = os.environ.get("VELA") or shutil.which("vela")
pytestmark = pytest.mark.skipif(not VELA, reason="needs Arm's compiler for Ethos-U: `make test-npu`")


def compile_for_npu(folder):
    """What Vela prints, without the colours of its warnings."""
    done = subprocess.run(["make", "npu", f"VELA={VELA}"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def operators(printed, where):
    return int(re.search(rf"{where} operators = (\d+)", printed).group(1))


@pytest.fixture(scope="module")
def firmware(exported_picker, tmp_path_factory):
    return shutil.copytree(exported_picker[0] / "firmware_int8", tmp_path_factory.mktemp("npu") / "firmware")


@pytest.fixture(scope="module")
def of_chips(firmware, tmp_path_factory):
    """The same folder with the model of `nano_mcu`."""
    folder, static = (
        shutil.copytree(firmware, tmp_path_factory.mktemp("mcu") / "firmware"),
        tmp_path_factory.mktemp("s"),
    )
    signals = check_calibration(field_signals(64, 2048, FIELD_CALIBRATION_SEED)[0], 2048)
    graph = DeploymentGraph(EchoDetector.from_preset("nano_mcu"), DEPLOYMENT_FORMS["int8"], signals)
    write_static_saved_model(graph, static)
    (folder / "model.tflite").write_bytes(convert(static, "int8", signals))
    return folder


def test_the_network_for_chips_runs_on_the_npu_as_a_whole(of_chips):
    printed = compile_for_npu(of_chips)
    assert operators(printed, "CPU") == 0
    assert operators(printed, "NPU") > 100


def test_of_nano_only_normalisations_are_left_to_the_cpu(firmware):
    printed = compile_for_npu(firmware)
    assert operators(printed, "CPU") == 7
    assert set(re.findall(r"operator: (\w+)", printed)) == {"L2_NORMALIZATION"}


def test_the_array_is_what_vela_made(of_chips):
    compile_for_npu(of_chips)
    source = (of_chips / "build" / "npu" / "model_data.cc").read_text()
    found = bytes(int(value, 16) for value in re.findall(r" 0x([0-9a-f]{2}),", source))
    assert found == (of_chips / "build" / "npu" / "model_vela.tflite").read_bytes()
    assert f"g_usmae_model_size = {len(found)};" in source
    original = (of_chips / "src" / "model_data.cc").read_text()
    assert re.findall(r"model_hash = .*", source) == re.findall(r"model_hash = .*", original)
    command = ["g++", "-std=c++11", "-Wall", "-Wextra", "-Werror", "-Isrc", "-c", "build/npu/model_data.cc"]
    subprocess.run([*command, "-o", "o.o"], cwd=of_chips, check=True)
