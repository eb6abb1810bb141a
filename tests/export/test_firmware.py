import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from keras_usmae.export import TFLMInterpreter, dequantize
from keras_usmae.export.firmware import c_float
from keras_usmae.models import decode_onset

arm = pytest.mark.skipif(
    not (shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm")),
    reason="needs Debian's gcc-arm-none-eabi, libnewlib-arm-none-eabi and qemu-system-arm",
)
STANDINS = Path(__file__).parent / "standins"


@pytest.fixture(
    params=[
        pytest.param("picker-int8", marks=pytest.mark.long),
        pytest.param("picker-int16x8", marks=pytest.mark.long),
        "classifier-int8",
    ]
)
def firmware(request, exported, exported_picker, tmp_path):
    kind, tflite_format = request.param.split("-")
    source = exported_picker if kind == "picker" else exported
    return shutil.copytree(source[0] / f"firmware_{tflite_format}", tmp_path / "firmware")


def constant(folder, name):
    text = (folder / "src" / "config.h").read_text() + (folder / "src" / "golden_vectors.h").read_text()
    return float(re.search(rf"#define USMAE_{name} ([\d.e-]+)", text).group(1))


def make(folder, target):
    done = subprocess.run(["make", target], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_c_agrees_with_python_under_sanitizers(firmware):
    assert re.search(r"(\d+) of \1 checks passed", make(firmware, "test"))
    assert constant(firmware, "GOLDEN_STREAM_PICKS") >= 1
    assert constant(firmware, "GOLDEN_WINDOWS") == 5


def test_the_check_can_fail(firmware):
    header = firmware / "src" / "golden_vectors.h"
    text = header.read_text()
    picks = text.index("usmae_golden_stream_picks")
    header.write_text(text[:picks] + text[picks:].replace("\n{", "\n{1.0f + ", 1))
    done = subprocess.run(["make", "test"], cwd=firmware, capture_output=True, text=True)
    assert done.returncode != 0
    assert "FAILED: onset of vector -1" in done.stdout


@arm
def test_cross_compiles_for_each_core(firmware):
    sizes = make(firmware, "sizes")
    texts = dict(re.findall(r"^\s*(\d+)\s.*build/m4/(\w+)\.o$", sizes, re.MULTILINE)[::-1])
    assert all(f"Cortex-{core}:" in sizes for core in ("m4", "m7", "m33", "m55"))
    code = {name: int(size) for size, name in texts.items()}
    assert sum(code.values()) - code["model_data"] - code.get("lookup_tables", 0) < 3072
    assert code["model_data"] - (firmware / "model.tflite").stat().st_size < 64


@arm
def test_an_emulated_cortex_m_computes_the_same(firmware):
    passed = re.findall(r"(\d+) of (\d+) checks passed", make(firmware, "qemu"))
    assert len(passed) == 4
    assert all(number == total for number, total in passed)


def test_the_array_is_the_model(firmware):
    source = (firmware / "src" / "model_data.cc").read_text()
    found = bytes(int(value, 16) for value in re.findall(r"0x([0-9a-f]{2}),", source))
    assert found == (firmware / "model.tflite").read_bytes()
    assert f"g_usmae_model_size = {len(found)};" in source


@pytest.mark.parametrize("options", [[], ["-DUSMAE_STOCK_KERNELS"]])
def test_the_resolver_registers_each_operator_once(firmware, options):
    source = (firmware / "src" / "op_resolver.h").read_text()
    methods = [
        name for name in re.findall(r"resolver\.(Add\w+)\(\)", source) if name != "AddEthosU"
    ]  # see USMAE_ETHOS_U
    assert len(set(methods)) == len(methods)
    assert f"MicroMutableOpResolver<{len(methods)}>" in source
    (firmware / "main.cc").write_text(
        """#include "op_resolver.h"
#ifndef USMAE_STOCK_KERNELS
TFLMRegistration RegisterUsmaeSoftmax() { return {}; }
TFLMRegistration RegisterUsmaeLogistic() { return {}; }
#endif
int main() { UsmaeOpResolver r; return RegisterUsmaeOps(r) == kTfLiteOk ? (int)r.count : -1; }
"""
    )
    if "kernels.h" not in source:
        options = ["-DUSMAE_STOCK_KERNELS"]
    command = ["g++", "-std=c++11", "-Wall", "-Wextra", "-Werror", *options, "-Isrc", f"-I{STANDINS}", "main.cc"]
    subprocess.run([*command, "-o", "main"], cwd=firmware, check=True)
    assert subprocess.run(["./main"], cwd=firmware).returncode == len(methods)


def test_golden_logits_are_those_of_the_interpreter(firmware):
    header = (firmware / "src" / "golden_vectors.h").read_text()

    def values(name):
        body = re.search(rf"{name}(?:\[\d+\])+ = (.*?);\n", header, re.DOTALL).group(1)
        return np.array([float(v) for v in re.findall(r"-?\d+\.?[\d.e-]*", body)])

    interpreter = TFLMInterpreter((firmware / "model.tflite").read_bytes())
    inputs = values("usmae_golden_input").reshape(4, 1, -1).astype(interpreter.input_type)
    logits = np.concatenate([interpreter.invoke(signal) for signal in inputs])
    np.testing.assert_array_equal(values("usmae_golden_logits").reshape(4, -1), logits)
    if (firmware / "src" / "decode.c").exists():
        onset = np.asarray(decode_onset(dequantize(logits, *interpreter.output_scale), 16))
        np.testing.assert_allclose(values("usmae_golden_onset"), onset, atol=1e-3)


def test_texts_are_filled_in(firmware):
    for path in firmware.rglob("*.*"):
        if path.suffix in (".md", ".h", ".c", ".cc", ".ino", ".properties"):
            assert not re.search(r"\$\{?[a-z_]+", path.read_text()), path.name
    readme = (firmware / "README.md").read_text()
    assert re.match("# (Echoes|Time of flight) on a microcontroller: nano, int", readme)
    named = re.findall(r"`([\w/]+\.(?:c|cc|h|ino|ld|md|properties|tflite|txt|yml))`", readme)
    for name in (name for name in named if not name.startswith("build/")):  # what `make npu` makes
        assert (firmware / name).exists() or (firmware / "src" / name).exists(), name


def test_c_literals_are_exact_for_float32():
    for value in (1e8, 0.1, 3e-5, 16.0):
        assert np.float32(c_float(value)) == np.float32(value)
        assert set(c_float(value)) & set(".e")
