import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_usmae.signals import check_signals, standardize


@given(
    seed=st.integers(0, 2**32 - 1),
    offset=st.floats(-1e4, 1e4),
    scale=st.floats(1e-3, 1e6),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_mean_zero_and_variance_one_whatever_the_offset_and_gain(seed, offset, scale, dtype):
    signals = (np.random.default_rng(seed).standard_normal((3, 256)) * scale + offset * scale).astype(dtype)
    out = standardize(signals)
    assert out.dtype == np.float32
    assert out.shape == signals.shape
    # A float32 with an offset of 1e4 has steps of 1e-3 of the signal: those are in the input, and stay.
    np.testing.assert_allclose(out.mean(axis=1, dtype=np.float64), 0, atol=1e-3 if dtype == np.float32 else 1e-5)
    np.testing.assert_allclose(out.std(axis=1, dtype=np.float64), 1, rtol=1e-5)


def test_adc_counts_and_another_axis():
    counts = np.random.default_rng(0).integers(-128, 128, (64, 5)).astype(np.int16)
    expected = ((counts - counts.mean(0)) / counts.std(0)).astype(np.float32)
    np.testing.assert_allclose(standardize(counts, axis=0), expected, atol=1e-6)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30])
def test_extreme_gains_neither_underflow_nor_overflow(scale):
    wave = np.sin(np.arange(100.0))[None]
    if scale < 1e-45:  # below the smallest float32
        with pytest.raises(ValueError, match="index 0 is constant"):
            standardize(wave * scale)
    else:
        np.testing.assert_allclose(standardize(wave * scale), standardize(wave), rtol=1e-5, atol=1e-6)


def test_input_is_left_as_it_was():
    signals = np.random.default_rng(0).standard_normal((2, 16), dtype=np.float32)
    before = signals.copy()
    standardize(signals)
    np.testing.assert_array_equal(signals, before)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_named(bad):
    signals = np.random.default_rng(0).standard_normal((4, 32))
    signals[2, 5] = bad
    with pytest.raises(ValueError, match="index 2 holds NaN or infinity \\(1 of 128"):
        standardize(signals)
    with pytest.raises(ValueError, match="index 2 holds NaN or infinity"):
        check_signals(signals, 32)


@pytest.mark.parametrize("constant", [0.0, 0.1, -1e6])
def test_constant_signals_are_named(constant):
    signals = np.random.default_rng(0).standard_normal((4, 2048)).astype(np.float32)
    signals[3] = constant
    with pytest.raises(ValueError, match="index 3 is constant"):
        standardize(signals)


def test_check_signals_names_what_is_wrong():
    with pytest.raises(ValueError, match=r"\(num_signals, 8\).*\(8,\).*signals\[None\]"):
        check_signals(np.zeros(8), 8)
    with pytest.raises(ValueError, match=r"\(num_signals, signal_length\), but got \(\)"):
        check_signals(1.0)
    with pytest.raises(ValueError, match=r"8 samples, but got 9.*resample"):
        check_signals(np.zeros((2, 9)), 8)
    with pytest.raises(ValueError, match="complex128"):
        check_signals(np.zeros((2, 8), complex), 8)
    with pytest.raises(ValueError, match="index 1 holds NaN or infinity"):
        check_signals(np.array([[1.0, 2.0], [1e300, 0.0]]), 2)


def test_check_signals_converts_without_a_copy_where_it_can():
    signals = np.ones((2, 8), np.float32)
    assert check_signals(signals, 8) is signals
    assert check_signals(np.ones((2, 8), np.int16), 8).dtype == np.float32
