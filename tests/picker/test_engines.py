"""LiteRT and Keras run the same network."""

import shutil
import subprocess
import sys
import warnings

import numpy as np
import pytest

from keras_usmae.models import EchoDetector
from keras_usmae.picker import EchoPicker
from keras_usmae.picker.engines import LiteRTEngine, read_info
from keras_usmae.signals import SignalConfig, synthesize

RATE = 100e6


@pytest.fixture(scope="module")
def presets(repository):
    return repository / "keras_usmae" / "presets"


@pytest.fixture(scope="module")
def signals():
    return synthesize(SignalConfig.from_preset("field"), num_signals=200, seed=11)["signal"]


@pytest.mark.parametrize("name", ["nano", "nano_mcu", "tiny", "tiny_patch64"])
def test_both_engines_find_the_same_echoes(name, signals):
    """A probability that lies within rounding of the least confidence may fall on either side: none does here."""
    litert, keras = (EchoPicker.from_preset(name, engine=engine) for engine in ("litert", "keras"))
    assert (litert.engine.name, keras.engine.name) == ("litert", "keras")
    assert litert.settings == keras.settings
    assert litert.bin_width == keras.bin_width
    found, expected = (picker.pick(signals, RATE, scale=1) for picker in (litert, keras))
    assert len(expected) > 200
    np.testing.assert_array_equal(found.trace, expected.trace)
    np.testing.assert_allclose(found.onset, expected.onset, atol=0.01)
    np.testing.assert_allclose(found.interval, expected.interval, atol=0.01 / RATE)
    np.testing.assert_allclose(found.confidence, expected.confidence, atol=1e-4)


def test_long_records_are_the_same_on_any_number_of_threads(signals):
    record = signals[:24].reshape(1, -1)
    picker = EchoPicker.from_preset("nano", engine="litert")
    picks = []
    for workers in (1, 4):
        picker.engine.workers = workers
        picks.append(picker.pick(record, RATE, scale=1, batch_size=4))
    for name in ("trace", "onset", "interval", "confidence", "amplitude", "snr_db"):
        np.testing.assert_array_equal(getattr(picks[0], name), getattr(picks[1], name), err_msg=name)


def test_the_shipped_file_says_what_it_was_made_of(presets):
    detector = EchoDetector.from_preset("nano")
    info = read_info((presets / "nano_picker.tflite").read_bytes())
    assert (info.signal_length, info.bin_width) == (2048, 16)
    assert info.settings == detector.settings


def test_the_ready_picker_needs_neither_keras_nor_a_backend():
    code = """
import sys
import numpy as np
import keras_usmae as ku
picks = ku.EchoPicker.from_preset("tiny").pick(np.random.default_rng(0).standard_normal((1, 2048)), 100e6)
print(len(picks), {"keras", "tensorflow", "jax", "torch", "matplotlib", "typer"} & set(sys.modules))
"""
    assert (
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "0 set()\n"
    )


def test_without_litert_keras_picks():
    code = """
import sys
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "ai_edge_litert" else find(name, *rest)
from keras_usmae.picker import EchoPicker
print(EchoPicker.from_preset("nano").engine.name)
try:
    EchoPicker.from_preset("nano", engine="litert")
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-2:] == [
        "keras",
        "engine='litert' needs LiteRT: pip install ai-edge-litert, or take engine='keras'.",
    ]


def test_an_unknown_engine_is_refused():
    for make, argument in ((EchoPicker.from_preset, "nano"), (EchoPicker.from_run, "nowhere")):
        with pytest.raises(ValueError, match=r"auto, litert, keras\. Received: engine='onnx'"):
            make(argument, engine="onnx")


def test_a_preset_without_a_picker_is_named():
    with pytest.raises(ValueError, match="No trained picker of 'base'"):
        EchoPicker.from_preset("base")


@pytest.fixture
def run(tmp_path, presets):
    """A run's folder; the shipped file stands for one that was made of other weights."""
    EchoDetector.from_preset("nano").save(tmp_path / "detector.keras")
    shutil.copy(presets / "nano_picker.tflite", tmp_path / "detector.tflite")
    return tmp_path


def test_a_file_of_other_weights_is_not_run(run):
    with pytest.warns(UserWarning, match="made from other weights.*Keras runs the picker in its place"):
        assert EchoPicker.from_run(run).engine.name == "keras"
    with pytest.raises(ValueError, match="made from other weights"):
        EchoPicker.from_run(run, engine="litert")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert EchoPicker.from_run(run, engine="keras").engine.name == "keras"


@pytest.mark.parametrize("content", [b"", b"no flatbuffer at all", bytes(4096), bytes(range(256)) * 16])
def test_a_damaged_file_is_not_run(run, content):
    (run / "detector.tflite").write_bytes(content)
    with pytest.raises(ValueError, match="none of a picker"):
        LiteRTEngine(content)
    with pytest.warns(UserWarning, match="Keras runs the picker"):
        assert EchoPicker.from_run(run).engine.name == "keras"


def test_a_run_without_the_file_is_run_by_keras(run):
    (run / "detector.tflite").unlink()
    assert EchoPicker.from_run(run).engine.name == "keras"
    with pytest.raises(FileNotFoundError, match=r"There is no .*detector.tflite.*write_engine"):
        EchoPicker.from_run(run, engine="litert")
