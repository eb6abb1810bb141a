"""Checks of a batch of signals, and the standardization that the models expect."""

import numpy as np


def check_signals(signals: np.ndarray, signal_length: int | None = None) -> np.ndarray:
    """Checks that an array is a batch of finite signals of one length.

    Args:
        signals: array of real numbers of shape `(num_signals, signal_length)`.
        signal_length: int or `None`. The length expected, in samples; `None` stands for any. Defaults to `None`.

    Returns:
        The signals as a float32 array of shape `(num_signals, signal_length)`; no copy is made of one that is
        float32 already.

    Raises:
        ValueError: where the array is not two-dimensional, not of this length, not real, or not finite in float32.

    Example:

    ```python
    import numpy as np
    from keras_usmae.signals import check_signals

    check_signals(np.zeros((4, 2048)), signal_length=2048).dtype  # dtype('float32')
    ```
    """
    signals = _real_array(signals)
    if signals.ndim != 2:
        hint = " Write `signals[None]` for a single signal." if signals.ndim == 1 else ""
        expected = f"(num_signals, {signal_length or 'signal_length'})"
        raise ValueError(f"Expected signals of shape {expected}, but got {signals.shape}.{hint}")
    if signal_length is not None and signals.shape[1] != signal_length:
        raise ValueError(
            f"Expected signals of {signal_length} samples, but got {signals.shape[1]} (shape {signals.shape}). Cut "
            "windows of this length, or resample to the sampling rate that the model was trained with; padding with "
            "zeros is not the same."
        )
    with np.errstate(over="ignore"):
        signals = signals.astype(np.float32, copy=False)
    _check_finite(signals, axis=1)
    return signals


def standardize(signals: np.ndarray, axis: int = -1) -> np.ndarray:
    """Scales each signal to zero mean and unit variance.

    The variance is that of the population (divided by the number of samples). This takes away the DC offset and the
    gain of the recorder, which carry no time of flight.

    Args:
        signals: array of real numbers, by default of shape `(..., signal_length)`, in any unit.
        axis: int. The axis of time. Defaults to `-1`.

    Returns:
        A float32 array of the shape of `signals`.

    Raises:
        ValueError: where a signal holds NaN or infinity, or is constant; the message names the first such index.

    Example:

    ```python
    import numpy as np
    from keras_usmae.signals import standardize

    x = standardize(np.arange(8.0).reshape(2, 4))
    x.mean(axis=-1), x.std(axis=-1)  # zeros, ones
    ```
    """
    signals = _real_array(signals)
    if signals.ndim == 0 or signals.shape[axis] == 0:
        raise ValueError(f"Expected signals with at least one sample along axis {axis}, but got shape {signals.shape}.")
    _check_finite(signals, axis)
    out = np.empty(signals.shape, dtype=np.float32)
    # NumPy subtracts in float64 piece by piece and casts: exact under a large DC offset, without a float64 copy.
    np.subtract(signals, signals.mean(axis=axis, dtype=np.float64, keepdims=True), out=out, casting="same_kind")
    peak = np.maximum(out.max(axis=axis, keepdims=True), -out.min(axis=axis, keepdims=True))
    constant = (signals.max(axis=axis) == signals.min(axis=axis)) | (peak == 0).squeeze(axis)
    if constant.any():
        raise ValueError(
            f"The signal at index {_first_index(constant)} is constant and has no variance to scale "
            f"({int(constant.sum())} of {constant.size} signals). Is its channel unplugged, or the window outside of "
            "the record? Leave such signals out."
        )
    out /= peak  # so that the squares neither underflow nor overflow
    out /= np.sqrt(np.mean(np.square(out), axis=axis, dtype=np.float64, keepdims=True)).astype(np.float32)
    return out


def _real_array(signals):
    signals = np.asarray(signals)
    if signals.dtype.kind not in "fiu":
        raise ValueError(f"Expected signals of real numbers, but their dtype is {signals.dtype}.")
    return signals


def _check_finite(signals, axis):
    # One sum a signal finds a NaN or an infinity faster than a test of each sample.
    with np.errstate(over="ignore", invalid="ignore"):
        suspect = ~np.isfinite(signals.sum(axis=axis, dtype=np.float64))
    if not suspect.any():
        return
    bad = ~np.isfinite(signals)
    if bad.any():
        raise ValueError(
            f"The signal at index {_first_index(bad.any(axis=axis))} holds NaN or infinity ({int(bad.sum())} of "
            f"{bad.size} samples in the batch). Leave such signals out, or repair them before this call."
        )


def _first_index(mask):
    index = tuple(int(i) for i in np.argwhere(mask)[0])
    return index[0] if len(index) == 1 else index
