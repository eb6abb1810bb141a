"""A synthetic immersion scan of a stepped plate, for demonstrations, tutorials and tests."""

import dataclasses

import numpy as np

from keras_usmae.signals.synthesis.bursts import ENVELOPES, evaluate_bursts
from keras_usmae.signals.synthesis.onsets import rise_times

_WATER, _STEEL = 1480.0, 5920.0  # m/s
_STEPS = (5.0, 8.0, 11.0)  # mm
_PIT_DEPTH, _PIT_RADIUS = 2.5, 4.0  # mm
_FRONT, _BACK, _DECAY = 0.9, 0.4, 0.35  # heights of front and first back echo; each later one is that much of the last
_FREQUENCY, _BURST = 3.5e6, 1.3e-6  # Hz, s
_PEAK_BITS = 2**13  # what an echo of height one has in a recorder of 14 bits


@dataclasses.dataclass(frozen=True, eq=False)
class ExampleScan:
    """What `example_scan` makes.

    Args:
        signals: int16 array of shape `(lines, traces, samples)`, counts of a recorder of 14 bits.
        sampling_rate: float, Hz.
        start_time: float, s, from the transmit pulse to the first sample.
        step: float, mm between neighbours.
        front: float64 array of shape `(lines, traces)`. Onset of the front echo in s after the transmit pulse.
        back: float64 array of the same shape, of the first back wall echo.
        thickness: float64 array of the same shape, mm.
        speed_of_sound: float, m/s, of the plate.

    Example:

    ```python
    from keras_usmae.signals import example_scan

    example_scan(lines=4, traces=6).thickness.shape  # (4, 6)
    ```
    """

    signals: np.ndarray
    sampling_rate: float
    start_time: float
    step: float
    front: np.ndarray
    back: np.ndarray
    thickness: np.ndarray
    speed_of_sound: float


def example_scan(
    lines: int = 24, traces: int = 36, step: float = 1.0, snr_db: float = 26.0, seed: int = 0
) -> ExampleScan:
    """Draws a scan of a steel plate of three steps, 5, 8 and 11 mm thick, with a corrosion pit, in tilted water.

    Each trace holds the front echo, the first back wall echo and four later ones, backscatter of the grains and white
    noise. Onsets mean what they mean everywhere: see `keras_usmae.signals.synthesis.onsets`.

    Args:
        lines: int. Lines of the scan. Defaults to `24`.
        traces: int. Traces of a line. Defaults to `36`.
        step: float. mm between neighbours. Defaults to `1.0`.
        snr_db: float. dB from the RMS of the back wall echo to that of the noise. Defaults to `26.0`.
        seed: int. Defaults to `0`.

    Returns:
        `ExampleScan`, of 1,500 samples a trace at 50 MHz.

    Raises:
        ValueError: where the scan has no traces.

    Example:

    ```python
    from keras_usmae.signals import example_scan

    scan = example_scan(lines=4, traces=6)
    scan.signals.shape  # (4, 6, 1500)
    ```
    """
    if lines < 1 or traces < 1:
        raise ValueError(f"A scan has one line and one trace or more. Received: lines={lines}, traces={traces}")
    rng = np.random.default_rng(seed)
    rate, samples, start_time = 50e6, 1500, 25e-6
    y, x = np.meshgrid(np.arange(lines) * step, np.arange(traces) * step, indexing="ij")
    thickness = _thickness(x, y, traces * step, lines * step)
    water = 24.0 + 0.03 * x + 0.02 * y  # mm, tilted
    first = 2e-3 * water / _WATER
    inside = 2e-3 * thickness / _STEEL
    order = np.arange(6)
    arrivals = first[..., None] + order * inside[..., None]
    heights = np.where(order == 0, _FRONT, -_BACK * _DECAY ** np.maximum(order - 1, 0))
    heights = heights * rng.lognormal(0, 0.08, (lines, traces, 1))

    burst = _burst(rate)
    signals = np.zeros((lines * traces, samples + 2 * len(burst)), dtype=np.float32)
    _add_echoes(signals, (arrivals.reshape(-1, 6) - start_time) * rate, heights.reshape(-1, 6), rate)
    signals = signals[:, :samples]
    signals += _grain(rng, (first.ravel() - start_time) * rate, samples, burst)
    noise = _BACK * np.sqrt(np.mean(burst**2)) * 10 ** (-snr_db / 20)
    signals += rng.normal(0, noise, signals.shape).astype(np.float32)
    counts = np.clip(np.rint(signals * _PEAK_BITS), -_PEAK_BITS, _PEAK_BITS - 1).astype(np.int16)

    # What the recorder clips rises a little earlier; the heights here stay below its full scale.
    rise = float(rise_times(burst[None], np.array([[1.0]]), clips=False)[0, 0]) / rate
    return ExampleScan(
        signals=counts.reshape(lines, traces, samples),
        sampling_rate=rate,
        start_time=start_time,
        step=step,
        front=first + rise,
        back=first + inside + rise,
        thickness=thickness,
        speed_of_sound=_STEEL,
    )


def _thickness(x, y, width, height):
    """Three steps along a line, and a round pit in the middle one."""
    edges = np.minimum((x / width * len(_STEPS)).astype(int), len(_STEPS) - 1)
    distance = np.hypot(x - width / 2, y - height / 2)
    return np.asarray(_STEPS)[edges] - _PIT_DEPTH * np.exp(-0.5 * (distance / (_PIT_RADIUS / 2)) ** 2)


def _burst(rate, delay=0.0):
    length = _BURST * rate
    drawn = {
        "center_frequency": _FREQUENCY,
        "burst_length": length,
        "phase": 0.0,
        "envelope": ENVELOPES.index("hann"),
        "envelope_shape": 0.5,
    }
    one = {name: np.array([value]) for name, value in drawn.items()}
    return evaluate_bursts(int(np.ceil(length)) + 1, np.array([delay]), **one, sampling_rate=rate)[0]


def _add_echoes(signals, starts, heights, rate):
    """Adds bursts that begin between samples."""
    whole = np.ceil(starts).astype(int)
    size = int(np.ceil(_BURST * rate)) + 1
    length = np.full(len(starts), _BURST * rate)
    frequency, zeros = np.full(len(starts), _FREQUENCY), np.zeros(len(starts))
    envelope = np.full(len(starts), ENVELOPES.index("hann"))
    rows = np.arange(len(starts))[:, None]
    for echo in range(starts.shape[1]):
        delay = whole[:, echo] - starts[:, echo]
        bursts = evaluate_bursts(size, delay, frequency, length, zeros, envelope, zeros + 0.5, rate)
        columns = whole[:, echo, None] + np.arange(size)
        here = (columns >= 0) & (columns < signals.shape[1])
        signals[np.broadcast_to(rows, columns.shape)[here], columns[here]] += (heights[:, echo, None] * bursts)[here]


def _grain(rng, starts, samples, burst):
    """Backscatter of the grains: it begins with the front echo and fades."""
    white = rng.normal(0, 1, (len(starts), samples)).astype(np.float32)
    spectrum = np.fft.rfft(white, samples) * np.fft.rfft(burst, samples)
    grain = np.fft.irfft(spectrum, samples)
    grain /= grain.std()
    time = np.arange(samples) - starts[:, None]
    return (0.012 * _BACK * grain * (time > 0) * np.exp(-np.maximum(time, 0) / 500)).astype(np.float32)
