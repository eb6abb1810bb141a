"""The scale of a recording: a pre-trained network sees samples, not seconds.

Bursts are measured in the recording itself: their frequency by the spectrum around the strongest one of each trace, and
their length by its envelope. The recording is then resampled so that both come near to those of the signals that the
network learned from. Whether the new rate is 100 MHz does not matter: onsets are converted back by the exact ratio.
"""

import dataclasses
import functools
import math
from fractions import Fraction

import numpy as np

from keras_usmae.picker.traces import Traces
from keras_usmae.signals.picking.analytic import analytic_signal

TYPICAL_PERIOD = 44.0  # samples in a cycle at the network's scale: 2.25 MHz at 100 MHz
TYPICAL_BURST = 280.0  # samples of a burst at -20 dB that the network knows best
_LARGEST = 16
# Steps of at most 1.5, where the network takes a factor of two either way: a finer one would promise too much.
_STEPS = [Fraction(step) for step in ("1", "3/2", "2", "3", "4", "6", "8", "12", "16")]
_RATIOS = sorted({*_STEPS, *(1 / step for step in _STEPS)})
_MAX_DENOMINATOR = 100  # of a scale that a user gives
_MAX_TRACES = 128
_MAX_SAMPLES = 1 << 15  # of a trace; of longer ones, so many pieces are taken:
_MAX_PIECES = 32
_LOWEST = 1 / 400  # cycles a sample: below is drift, and the recovery from the transmit pulse
_HIGHEST = 0.45
_STANDS_OUT = 6.0  # peak of the envelope over the RMS of the noise; noise alone reaches 4
_MAX_PASSED = 8  # parts of a transmit pulse and its ring-down
_RISE = 0.1  # of the peak: -20 dB


@dataclasses.dataclass(frozen=True)
class Scale:
    """How a recording is resampled, so that its bursts have the length that the network knows.

    Args:
        up: int. Samples that come out.
        down: int. Samples that go in for them.
        frequency: float. Hz, of the recording's bursts; NaN where it is not known.
        burst_length: float. Samples of the recording between the points of -20 dB of a burst; NaN where not known.
        why: str. What the choice rests on, for people.

    Example:

    ```python
    Scale(8, 1, 2.25e6, 25.0, "by hand").ratio  # 8.0
    ```
    """

    up: int
    down: int
    frequency: float
    burst_length: float
    why: str

    @property
    def ratio(self) -> float:
        """Samples for the network in each sample of the recording."""
        return self.up / self.down

    def __str__(self):
        return f"{self.up}" if self.down == 1 else f"{self.up}/{self.down}"


def as_scale(scale: Scale | float | str) -> Scale:
    """Reads a scale that a user gives.

    Args:
        scale: `Scale`, number, or str such as `"8"`, `"3/2"`, from 1/16 to 16. It becomes a ratio of integers
            whose denominator is at most 100.

    Raises:
        ValueError: where it is no such ratio.
    """
    if isinstance(scale, Scale):
        return scale
    try:
        ratio = _as_ratio(scale)
    except (ValueError, TypeError, OverflowError, ZeroDivisionError):
        ratio = Fraction(0)
    if not Fraction(1, _LARGEST) <= ratio <= _LARGEST:
        raise ValueError(
            f"`scale` must be samples for the network in each sample of the recording, from 1/{_LARGEST} to "
            f"{_LARGEST}, such as 8, 1.5 or '3/2'. Received: scale={scale!r}"
        )
    ratio = ratio.limit_denominator(_MAX_DENOMINATOR)
    return Scale(ratio.numerator, ratio.denominator, math.nan, math.nan, "as given")


@functools.lru_cache(maxsize=1)  # traces that come one by one bring the same
def _as_ratio(scale):
    return Fraction(scale)


def choose_scale(signals: np.ndarray, sampling_rate: float, burst_typical: float = TYPICAL_BURST) -> Scale:
    """Chooses how a recording is resampled, from the bursts in it.

    Args:
        signals: array of real numbers of shape `(n, L)` or `(L,)`. At most 128 traces, evenly spread, are looked at.
        sampling_rate: float. Hz.
        burst_typical: float. Length of a burst at -20 dB that the network knows best, in samples.
            Defaults to `280.0`.

    Returns:
        `Scale`. Where nothing stands out from the noise, it brings the recording near to 100 MHz.

    Raises:
        ValueError: as `EchoPicker.pick`.
    """
    signals = np.atleast_2d(signals)
    pieces = _pieces(signals)
    frequency, length = _measure_bursts(pieces) if len(pieces) else (math.nan, math.nan)
    if math.isnan(frequency):
        wanted = 100e6 / sampling_rate
        why = "no burst stands out from the noise: as for 2.25 MHz"
    else:
        by_period, by_length = TYPICAL_PERIOD * frequency, burst_typical / length
        wanted = math.sqrt(by_period * by_length)
        why = f"bursts of {frequency * sampling_rate / 1e6:.3g} MHz and {length:.0f} samples"
    ratio = min(_RATIOS, key=lambda ratio: abs(math.log(ratio / wanted)))
    scale = Scale(ratio.numerator, ratio.denominator, frequency * sampling_rate, length, "")
    why = f"x{scale}, {sampling_rate / 1e6:g} to {scale.ratio * sampling_rate / 1e6:.4g} MHz: {why}"
    return dataclasses.replace(scale, why=why)


def _pieces(signals):
    """Some traces that hold something, or of long ones the pieces with the largest range, in units of their peak."""
    rows = np.linspace(0, max(len(signals) - 1, 0), min(len(signals), _MAX_TRACES)).astype(int)
    length = min(signals.shape[1], _MAX_SAMPLES)
    starts = range(0, signals.shape[1] - length + 1, length)
    if len(starts) > 1:
        parts = [(np.ptp(signals[row, start : start + length]), row, start) for row in rows for start in starts]
        parts = sorted(parts, key=lambda part: -np.nan_to_num(float(part[0])))[:_MAX_PIECES]
        signals = np.stack([signals[row, start : start + length] for _, row, start in sorted(parts)])
    else:
        signals = signals[rows]
    traces = Traces(signals)
    return traces.read(slice(0, len(signals)), 0, length, 1, 1)[traces.usable]


def _measure_bursts(pieces):
    """Frequency in cycles a sample, and length in samples, of the bursts that stand out; NaN where none does."""
    envelope = np.abs(analytic_signal(pieces, 1.0, (_LOWEST, _HIGHEST)))
    centers, _ = _strongest(envelope)
    frequency = _spectral_peak(pieces, centers, 256)
    for _ in range(2):
        band = max(0.4 * frequency, _LOWEST), min(2 * frequency, _HIGHEST)
        envelope = np.abs(analytic_signal(pieces, 1.0, band))
        centers, contrast = _strongest(envelope)
        clear = contrast > _STANDS_OUT
        if not clear.any():
            return math.nan, math.nan
        pieces, envelope, centers, contrast = pieces[clear], envelope[clear], centers[clear], contrast[clear]
        frequency = _spectral_peak(pieces, centers, max(round(8 / frequency), 32))
    low = contrast > 3 / _RISE
    if 2 * low.sum() >= len(low):
        length = np.median(_widths(envelope[low], centers[low], _RISE))
    else:
        # Noise hides the ends of the bursts; of a Gaussian one, -20 dB lie 1.8 times as far apart as -6 dB.
        length = 1.8 * np.median(_widths(envelope, centers, 0.5))
    return float(frequency), float(length)


def _strongest(envelope):
    """Place of the strongest burst of each trace, and its peak over the RMS of the noise.

    A burst that begins less than its own length after the record does is taken for the transmit pulse, and passed over
    where another one stands out behind it; so is one as close behind what was passed over, its ring-down.
    """
    noise = np.quantile(envelope, 0.1, axis=1) / math.sqrt(-2 * math.log(0.9))
    index = np.arange(envelope.shape[1])
    to_come = np.maximum.accumulate(envelope[:, ::-1], axis=1)[:, ::-1]
    centers, passed = envelope.argmax(axis=1), np.zeros(len(envelope), int)
    for _ in range(_MAX_PASSED):
        start, stop = _extent(envelope, centers, _RISE)
        # Quiet is what lies 20 dB below something that is still to come.
        quiet = (envelope < _RISE * to_come) & (index >= stop[:, None])
        behind = np.where(np.logical_or.accumulate(quiet, axis=1), envelope, 0)
        passing = (start - passed < stop - start) & (behind.max(axis=1) > _STANDS_OUT * noise)
        if not passing.any():
            break
        centers, passed = np.where(passing, behind.argmax(axis=1), centers), np.where(passing, stop, passed)
    return centers, envelope[np.arange(len(envelope)), centers] / np.maximum(noise, 1e-12)


def _spectral_peak(pieces, centers, length):
    """Frequency at which the mean spectrum about the centers is largest, in cycles a sample."""
    reach = np.arange(length) - length // 2
    inside = np.clip(centers[:, None] + reach, 0, pieces.shape[1] - 1)
    bursts = np.take_along_axis(pieces, inside, axis=1)
    bursts = (bursts - bursts.mean(axis=1, keepdims=True)) * np.hanning(length)
    size = max(8 * length, 2048)
    power = np.abs(np.fft.rfft(bursts, size)) ** 2
    power = (power / power.sum(axis=1, keepdims=True)).mean(axis=0)
    power[: math.ceil(_LOWEST * size)] = 0
    near = power > power.max() / 2
    first = power.argmax()
    # The middle of the peak's upper half: steadier than its top.
    stop = first + np.argmin(near[first:]) if not near[first:].all() else len(near)
    start = first - np.argmin(near[first::-1]) + 1 if not near[first::-1].all() else 0
    return float(np.average(np.arange(start, stop), weights=power[start:stop]) / size)


def _extent(envelope, centers, level):
    """First sample about the centers where an envelope is above a share of its value there, and one after the last."""
    index = np.arange(envelope.shape[1])
    low = envelope < level * envelope[np.arange(len(centers)), centers][:, None]
    start = np.where(low & (index < centers[:, None]), index, -1).max(axis=1) + 1
    stop = np.where(low & (index > centers[:, None]), index, envelope.shape[1]).min(axis=1)
    return start, stop


def _widths(envelope, centers, level):
    start, stop = _extent(envelope, centers, level)
    return stop - start
