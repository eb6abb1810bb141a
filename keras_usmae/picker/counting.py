"""Which peaks of the probabilities count as picks: by confidence, by SNR, and by loudness beside others."""

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_usmae.picker.decoding import find_peaks, measure_peaks, reaches

if TYPE_CHECKING:
    from keras_usmae.picker.looking import Seen

_LEAST = ("min_confidence", "sure_confidence", "clear_confidence", "loud_confidence")
_INTERVAL = ("interval_scale", "interval_floor", "label_sigma")
_LOUD_DB = 10.0  # as `Picks.first` has it: what would be the first echo of a trace
_REACH = np.arange(20)  # bins from a pick on: the peak of the longest bursts lies in there
_FAR = np.iinfo(np.int64).max


def choose_picks(
    seen: "Seen", bin_width: int, settings: dict[str, Any], min_confidence: float | None
) -> dict[str, np.ndarray]:
    """Picks of a recording at the network's scale.

    Args:
        settings: dict, see `EchoPicker.settings`.
        min_confidence: float in (0, 1] or `None`. All that decides; `None` for the rule of `EchoPicker.pick`.

    Returns:
        A dict as `decode_picks` returns it, with `"amplitude"` (of the trace's peak) and `"snr_db"` (dB).
    """
    if min_confidence is not None:
        return _measure(find_peaks(seen.probability, min_confidence), seen, bin_width, settings)
    return _count(_candidates(seen, bin_width, settings), settings, len(seen.probability))


def _measure(peaks, seen, bin_width, settings):
    """Picks as `decode_picks` has them, with amplitude and SNR."""
    picks = measure_peaks(peaks, bin_width, **{name: settings[name] for name in _INTERVAL})
    picks["amplitude"] = _amplitude(picks, seen, bin_width)
    with np.errstate(divide="ignore"):
        picks["snr_db"] = 20 * np.log10(picks["amplitude"] / seen.noise[picks["trace"]])
    return picks


def _candidates(seen, bin_width, settings):
    """All that may count: what decoding alone tells, as it has it, and what is less sure."""
    peaks = find_peaks(seen.probability, min(settings[name] for name in _LEAST if settings[name]))
    picks = _measure(peaks, seen, bin_width, settings)
    sure = reaches(peaks["confidence"], settings["min_confidence"])
    if not sure.all():  # those that are end only at each other
        alone = _measure({name: values[sure] for name, values in peaks.items()}, seen, bin_width, settings)
        for name, values in alone.items():
            picks[name][sure] = values
    return picks


def _count(picks, settings, num_traces):
    """Those of the candidates that count, see `EchoPicker.pick`."""
    counts = reaches(picks["confidence"], settings["sure_confidence"] or settings["min_confidence"])
    if settings["clear_confidence"]:
        clear = picks["confidence"] >= settings["clear_confidence"]
        counts |= clear & (picks["snr_db"] >= settings["clear_snr_db"])
    # Where none counts, none is loud: what a record without an echo gives does not change.
    loudest = np.full(num_traces, np.inf)
    trace, amplitude = picks["trace"], picks["amplitude"]
    loudest[trace[counts]] = 0
    np.maximum.at(loudest, trace[counts], amplitude[counts])
    loud = amplitude >= loudest[trace] * 10 ** (-_LOUD_DB / 20)
    keep = counts | (loud & (picks["confidence"] >= settings["loud_confidence"]))
    return {name: values[keep] for name, values in picks.items()}


def _amplitude(picks, seen, bin_width):
    """Peak of the envelope from each pick to the next one, or as far as the longest bursts have theirs.

    The envelope of a clipped burst overshoots; no echo is louder than the largest sample of its trace.
    """
    trace, bins = picks["trace"], (picks["onset"] // bin_width).astype(int)
    following = np.full(len(bins), _FAR)
    following[:-1] = np.where(trace[1:] == trace[:-1], bins[1:], _FAR)
    columns = bins[:, None] + _REACH
    inside = (_REACH == 0) | (columns < following[:, None])
    peak = seen.peak[trace[:, None], np.minimum(columns, seen.peak.shape[1] - 1)]
    return np.minimum(np.where(inside, peak, 0).max(axis=1), 1).astype(np.float64)
