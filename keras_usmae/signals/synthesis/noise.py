"""White and coloured Gaussian noise."""

import numpy as np
import scipy.fft
import scipy.signal

# What `noise_color` in the output of `synthesize` counts.
NOISE_COLORS = ("white", "pink", "band")


def color_noise(white: np.ndarray, color: str, sampling_rate: float, band: tuple[float, float] | None) -> np.ndarray:
    """Gives white noise a spectrum, in the frequency domain, so that it has no start-up transient.

    Args:
        white: float32 array of shape `(n, signal_length)`. White noise.
        color: str. One of `NOISE_COLORS`: `"white"` (as it is), `"pink"` (power as 1 / frequency, no DC) or `"band"`
            (as behind a second-order Butterworth band-pass, the receiver's or the grain noise of a material).
        sampling_rate: float. Sampling rate in Hz.
        band: tuple of two floats. Edges of the pass band of `"band"` in Hz.

    Returns:
        A float32 array of shape `(n, signal_length)`. Its scale is arbitrary.

    Example:

    ```python
    import numpy as np
    from keras_usmae.signals.synthesis.noise import color_noise

    white = np.random.default_rng(0).standard_normal((4, 2048), dtype="float32")
    pink = color_noise(white, "pink", sampling_rate=100e6, band=(1e6, 4e6))
    ```
    """
    if color == "white":
        return white
    length = white.shape[-1]
    frequencies = scipy.fft.rfftfreq(length, 1 / sampling_rate)
    if color == "pink":
        gain = np.zeros_like(frequencies)
        gain[1:] = np.sqrt(1 / frequencies[1:])
    else:
        sos = scipy.signal.butter(2, band, btype="bandpass", fs=sampling_rate, output="sos")
        gain = np.abs(scipy.signal.sosfreqz(sos, frequencies, fs=sampling_rate)[1])
    gain = (gain / gain.max()).astype(np.float32)
    return scipy.fft.irfft(scipy.fft.rfft(white) * gain, length)
