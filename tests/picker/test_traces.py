import numpy as np
import pytest
import scipy.signal

from keras_usmae.picker.traces import CLIPPED, DEAD, NOT_FINITE, Traces

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("up", "down"), [(1, 1), (8, 1), (3, 2), (2, 3), (24, 5), (1, 4)])
def test_pieces_are_parts_of_the_whole_resampled_record(up, down):
    signals = RNG.standard_normal((3, 4000))
    traces = Traces(signals)
    length = 4000 * up // down
    whole = traces.read(slice(0, 3), 0, length, up, down)
    for start, stop in [(0, 100), (length // 3, length // 2), (length - 77, length), (0, length)]:
        np.testing.assert_array_equal(traces.read(slice(0, 3), start, stop, up, down), whole[:, start:stop])
    if up != down:
        centered = (signals - traces.offset[:, None]) / traces.peak[:, None]
        expected = scipy.signal.resample_poly(centered, up, down, axis=1)[:, :length]
        margin = 20 * up // down + 20
        np.testing.assert_allclose(whole[:, margin:-margin], expected[:, margin:-margin], atol=1e-5)


def test_the_ends_of_a_record_are_no_steps():
    ramp = np.linspace(-5, 20, 600)[None]  # an offset at either end, as from drift
    piece = Traces(ramp).read(slice(0, 1), 0, 4800, 8, 1)
    assert np.abs(np.diff(piece, axis=1)).max() < 3 * np.ptp(piece) / 4800


def test_traces_that_hold_nothing_have_a_reason_and_read_as_zeros():
    signals = RNG.standard_normal((6, 1000)).astype("float32")
    signals[0] = 3
    signals[1, 5] = np.nan
    signals[2, 5] = np.inf
    signals[3] = np.sign(signals[3])
    signals[4] = np.clip(signals[4], -0.1, 0.1)
    traces = Traces(signals)
    assert list(traces.reason) == [DEAD, NOT_FINITE, NOT_FINITE, CLIPPED, CLIPPED, ""]
    piece = traces.read(slice(0, 6), 0, 2000, 2, 1)
    assert (piece[:5] == 0).all()
    assert (piece[5] != 0).any()


def test_a_loud_echo_that_clips_and_a_rectified_trace_are_not_clipped_throughout():
    time = np.arange(1000)
    burst = np.clip(10 * np.exp(-(((time - 300) / 150) ** 2)) * np.sin(time / 5), -1, 1)
    rectified = np.maximum(burst, 0)
    assert list(Traces(np.stack([burst, rectified])).reason) == ["", ""]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint16", "int32", "int64"])
def test_any_real_type_reads_the_same(dtype):
    signals = np.round(100 * RNG.standard_normal((2, 500)).clip(-1.2, 1.2))
    moved = signals + (300 if dtype == "uint16" else 0)
    piece = Traces(moved.astype(dtype)).read(slice(0, 2), 100, 400, 1, 1)
    np.testing.assert_allclose(piece, Traces(signals).read(slice(0, 2), 100, 400, 1, 1), atol=1e-6)


@pytest.mark.parametrize("unit", [1e-30, 1e-6, 1e6, 1e200])
def test_any_unit_reads_the_same(unit):
    signals = RNG.standard_normal((2, 500))
    piece = Traces(signals * unit).read(slice(0, 2), 0, 1000, 2, 1)
    np.testing.assert_allclose(piece, Traces(signals).read(slice(0, 2), 0, 1000, 2, 1), atol=1e-6)


def test_a_large_offset_costs_no_digits():
    signals = RNG.standard_normal((1, 500))
    piece = Traces(signals + 1e9).read(slice(0, 1), 0, 500, 1, 1)
    np.testing.assert_allclose(piece, Traces(signals).read(slice(0, 1), 0, 500, 1, 1), atol=1e-6)


@pytest.mark.parametrize("signals", [np.zeros(8, complex), np.zeros(8, bool), np.array(["a"]), np.array([None])])
def test_signals_are_real_numbers(signals):
    with pytest.raises(ValueError, match="real numbers, but their dtype is"):
        Traces(signals)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (2, 3, 4)])
def test_signals_have_one_or_two_axes_and_samples(shape):
    with pytest.raises(ValueError, match="but got"):
        Traces(np.zeros(shape))
