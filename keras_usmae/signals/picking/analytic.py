"""Band-passed analytic signals, whose modulus is the envelope."""

import functools

import numpy as np
import scipy.fft


def analytic_signal(signals: np.ndarray, sampling_rate: float, band: tuple[float, float]) -> np.ndarray:
    """Band-passes signals without a delay, and adds the Hilbert transform as the imaginary part.

    The pass band has raised-cosine flanks, from half of its lower edge up to it, and from its upper edge to 1.5 times
    that. The record is padded with zeros before and behind, so that its ends do not run into each other.

    Args:
        signals: float32 array of shape `(num_signals, signal_length)`.
        sampling_rate: float. Sampling rate in Hz.
        band: tuple of two floats. Edges of the pass band in Hz.

    Returns:
        A complex64 array of shape `(num_signals, signal_length)`. Its modulus is the envelope, its real part the
        band-passed signal.

    Raises:
        ValueError: where the band does not lie between zero and half of the sampling rate.

    Example:

    ```python
    import numpy as np
    from keras_usmae.signals.picking.analytic import analytic_signal

    tone = np.sin(2 * np.pi * 2e6 / 100e6 * np.arange(2048, dtype="float32"))[None]
    np.abs(analytic_signal(tone, 100e6, band=(0.5e6, 8e6)))  # about 1, but for the ends
    ```
    """
    low, high = band
    if not 0 < low < high <= sampling_rate / 2:
        raise ValueError(
            f"`band` must lie between 0 and half of the sampling rate, {sampling_rate / 2:g} Hz, with low < high, but "
            f"is ({low:g}, {high:g}) Hz. Choose a band that holds the spectrum of the burst."
        )
    num_signals, length = signals.shape
    gain, padded = _pass_band(length, sampling_rate, low, high)
    spectrum = np.zeros((num_signals, padded), dtype=np.complex64)
    # The mean is removed first, since the padding would turn it into a step at each end.
    centered = signals - signals.mean(axis=1, keepdims=True)
    np.multiply(scipy.fft.rfft(centered, padded), gain, out=spectrum[:, : gain.size])
    return scipy.fft.ifft(spectrum, overwrite_x=True)[:, :length]


@functools.lru_cache(maxsize=4)  # what is picked one by one, or in pieces, has few lengths
def _pass_band(length, sampling_rate, low, high):
    """Gains of the analytic signal at the frequencies from zero up, and the length to pad a record to."""
    # Long enough for the response of the lower flank to die away.
    padded = scipy.fft.next_fast_len(length + int(4 * sampling_rate / low))
    frequencies = scipy.fft.rfftfreq(padded, 1 / sampling_rate)
    rise = np.clip(2 * frequencies / low - 1, 0, 1)
    fall = np.clip(3 - 2 * frequencies / high, 0, 1)
    gain = 2 * np.square(np.sin(np.pi / 2 * rise) * np.sin(np.pi / 2 * fall))
    return gain.astype(np.float32), padded
