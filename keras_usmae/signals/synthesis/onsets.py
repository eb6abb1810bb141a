"""The onset of an echo, the one label of this package, and whether a record shows it.

**The onset is the sample at which the envelope of the noise-free echo rises through 10 % of its recorded peak.** The
recorder clips at its full scale, so that the peak of a strong echo is what is left of it. Synthetic and measured labels
both mean this point (`labels.measure_extent` finds it in records), and each echo of a signal has its own.
"""

import numpy as np
import scipy.fft

RISE_FRACTION = 0.1
# What `visibility` in the output of `synthesize` counts.
VISIBILITIES = ("hidden", "doubtful", "clear")

# Samples of silence on either side of a burst, in which the tails of its envelope end.
_MARGIN = 128
# An echo is clear from this SNR on, and hidden below the other: nobody could tell where it begins.
_CLEAR_DB, _HIDDEN_DB = 10.0, 0.0
# And where its peak is at least this share of what other echoes put over its rise.
_CLEAR_SHARE = 0.5
# Share of a burst, and samples at most, that the record must still hold after the onset.
_SHOWN_SHARE, _SHOWN_SAMPLES = 0.3, 60


def analytic_bursts(bursts: np.ndarray) -> np.ndarray:
    """Envelopes of bursts, with a margin of silence before and behind them.

    Args:
        bursts: float32 array of shape `(n, num_samples)`.

    Returns:
        A float32 array of shape `(n, num_samples + 256)`, whose sample 128 is the first of the burst.
    """
    length = bursts.shape[1] + 2 * _MARGIN
    size = scipy.fft.next_fast_len(length)
    padded = np.zeros((len(bursts), size), dtype=np.float32)
    padded[:, _MARGIN : _MARGIN + bursts.shape[1]] = bursts
    spectrum = np.zeros((len(bursts), size), dtype=np.complex64)
    spectrum[:, : size // 2 + 1] = scipy.fft.rfft(padded)
    spectrum[:, 1 : (size + 1) // 2] *= 2
    return np.abs(scipy.fft.ifft(spectrum, overwrite_x=True)[:, :length])


def rise_times(bursts: np.ndarray, amplitudes: np.ndarray, clips: bool, fraction: float = RISE_FRACTION) -> np.ndarray:
    """Time from the first sample of bursts to where their recorded envelope rises through a fraction of its peak.

    The flank is followed from the peak backwards, as in measured records.

    Args:
        bursts: float32 array of shape `(n, num_samples)`.
        amplitudes: array of shape `(n, num_echoes)`. What each echo multiplies its burst by; NaN where there is none.
        clips: bool. Whether the recorder clips at 1.
        fraction: float in (0, 1). Defaults to `0.1`.

    Returns:
        A float64 array of shape `(n, num_echoes)`, in samples; NaN where there is no echo.
    """
    amplitudes = np.abs(np.asarray(amplitudes, dtype=np.float64))
    rises = np.where(np.isnan(amplitudes), np.nan, _rise(analytic_bursts(bursts), fraction)[:, None])
    if clips:
        peak = np.abs(bursts).max(axis=1)
        rows, echoes = np.nonzero(np.nan_to_num(amplitudes) * peak[:, None] > 1)
        if rows.size:
            recorded = bursts[rows] * amplitudes[rows, echoes].astype(np.float32)[:, None]
            rises[rows, echoes] = _rise(analytic_bursts(np.clip(recorded, -1, 1)), fraction)
    return rises


def all_echoes(parameters: dict) -> tuple[np.ndarray, np.ndarray]:
    """Starts and amplitudes of all echoes of drawn signals, the first burst in the first column.

    Args:
        parameters: dict of arrays, as from `draw_parameters`.

    Returns:
        A tuple of two arrays of shape `(n, 1 + echo_slots)`, in samples and in units of ADC full scale.
    """
    columns = (("burst_start", "echo_starts"), ("amplitude", "echo_amplitudes"))
    starts, amplitudes = (
        np.concatenate([parameters[one][:, None], parameters[others]], axis=1) for one, others in columns
    )
    return starts, amplitudes


def echo_visibility(
    bursts: np.ndarray,
    starts: np.ndarray,
    amplitudes: np.ndarray,
    noise_rms: np.ndarray,
    signal_length: int,
    clips: bool,
) -> np.ndarray:
    """Whether a record shows where each echo begins.

    An echo is `hidden` below 0 dB of SNR, the RMS of the recorded burst over that of the noise. It is `clear` from
    10 dB on, where the other echoes reach at most twice its height while it rises, and the record holds enough of it.
    Between these it is `doubtful`: a picker should neither learn to find it nor to pass it over.

    Args:
        bursts: float32 array of shape `(n, num_samples)`, of a peak of about one.
        starts: array of shape `(n, num_echoes)`. Where the bursts begin, in samples; NaN where there is no echo.
        amplitudes: array of shape `(n, num_echoes)`, in units of ADC full scale.
        noise_rms: array of shape `(n,)`, of all noise together, in units of ADC full scale.
        clips: bool. Whether the recorder clips at 1.

    Returns:
        An int64 array of shape `(n, num_echoes)`, indices into `VISIBILITIES`.
    """
    heights = np.nan_to_num(np.abs(amplitudes))
    envelope = analytic_bursts(bursts)
    shape = np.sqrt(np.mean(np.square(envelope), axis=1) * envelope.shape[1] / np.maximum(_extent(envelope), 1) / 2)
    recorded = np.minimum(heights, 1.0) if clips else heights
    with np.errstate(divide="ignore"):
        snr_db = 20 * np.log10(recorded * shape[:, None] / np.maximum(noise_rms, 1e-9)[:, None])
    clutter = _clutter(envelope, starts, heights)
    rise = _rise(envelope, RISE_FRACTION)[:, None]
    shown = signal_length - (starts + rise)
    enough = shown >= np.minimum(_SHOWN_SHARE * _extent(envelope)[:, None], _SHOWN_SAMPLES)
    clear = (snr_db >= _CLEAR_DB) & (heights >= _CLEAR_SHARE * clutter) & enough
    if clips:
        clear &= clutter < 1  # behind a saturated echo nothing is recorded
    visible = np.where(clear, 2, np.where(snr_db < _HIDDEN_DB, 0, 1))
    outside = np.isnan(starts) | (heights == 0) | (starts + rise >= signal_length)
    return np.where(outside, 0, visible)


def _clutter(envelope, starts, heights):
    """The largest height that all other echoes together reach on the rising flank of each echo."""
    foot, top = _rise(envelope, RISE_FRACTION), _rise(envelope, 0.7)
    here, rows = ~np.isnan(starts), np.arange(len(envelope))[:, None]
    offset, heights = np.where(here, starts, 0.0) - _MARGIN, np.where(here, heights, 0.0)
    clutter = np.zeros(starts.shape)
    for echo in range(starts.shape[1]):
        others = np.delete(np.arange(starts.shape[1]), echo)
        for share in (0.0, 0.5, 1.0):
            time = offset[:, echo] + _MARGIN + foot + share * (top - foot)
            place = (time[:, None] - offset[:, others]).astype(np.int64)
            inside = (place >= 0) & (place < envelope.shape[1])
            height = envelope[rows, np.where(inside, place, 0)]
            clutter[:, echo] = np.maximum(clutter[:, echo], np.sum(inside * heights[:, others] * height, axis=1))
    return clutter


def _extent(envelope):
    """Samples in which an envelope lies above 10 % of its peak."""
    return np.count_nonzero(envelope > RISE_FRACTION * envelope.max(axis=1, keepdims=True), axis=1)


def _rise(envelope, fraction):
    peak = envelope.argmax(axis=1)
    rows, last = np.arange(len(envelope)), envelope.shape[1] - 1
    threshold = fraction * envelope[rows, peak]
    below = (envelope < threshold[:, None]) & (np.arange(last + 1) < peak[:, None])
    foot = last - below[:, ::-1].argmax(axis=1)
    found = below.any(axis=1)
    foot = np.where(found, foot, 0)
    low, high = envelope[rows, foot], envelope[rows, foot + 1]
    step = np.divide(threshold - low, high - low, out=np.zeros(len(envelope)), where=found)
    return foot + step - _MARGIN
