import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_usmae.export import LiteRTInterpreter, TFLMInterpreter, dequantize, quantize
from keras_usmae.signals import standardize


@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=20),
    st.floats(1e-3, 1.0),
    st.integers(-128, 127),
)
def test_quantisation_is_within_half_a_step_or_saturates(values, scale, zero_point):
    values = np.array(values, "float32")
    integers = quantize(values, np.int8, scale, zero_point)
    low, high = dequantize(np.array([-128, 127], np.int8), scale, zero_point)
    back = dequantize(integers, scale, zero_point)
    expected = np.clip(values, low, high)
    assert np.all(np.abs(back - expected) <= scale * 0.501 + 1e-4)


def test_floats_stay():
    values = np.array([0.25], "float32")
    assert quantize(values, np.float32, 0.0, 0) == dequantize(values, 0.0, 0) == values


def test_tflm_and_litert_share_scales_and_nearly_all_results(exported):
    content = (exported[0] / "model_int8.tflite").read_bytes()
    tflm, litert = TFLMInterpreter(content), LiteRTInterpreter(content)
    assert tflm.input_scale == pytest.approx(litert.input_scale)
    assert tflm.output_scale == pytest.approx(litert.output_scale)
    signals = standardize(np.random.default_rng(1).normal(size=(4, 1024)))
    difference = np.abs(tflm.run(signals)[0] - litert.run(signals)[0]) / tflm.output_scale[0]
    assert difference.mean() < 4


def test_a_time_limit_runs_the_first_signals(exported):
    interpreter = LiteRTInterpreter((exported[0] / "model_float32.tflite").read_bytes())
    signals = standardize(np.random.default_rng(1).normal(size=(100, 1024)))
    logits, _ = interpreter.run(signals, seconds=1e-9)
    assert logits.shape == (1, 64)


def test_tflm_tells_why_it_cannot_run_a_file(exported):
    with pytest.raises(RuntimeError, match="TFLM cannot run the file"):
        TFLMInterpreter((exported[0] / "model_dynamic.tflite").read_bytes())
