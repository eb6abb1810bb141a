"""Which peaks of the probabilities count as picks: by confidence, by SNR, and by loudness beside others."""

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_usmae.picker.decoding import decode_picks

if TYPE_CHECKING:
    from keras_usmae.picker.looking import Seen

_INTERVAL = ("interval_scale", "interval_floor", "label_sigma")
_LOUD_DB = 10.0  # as `Picks.first` has it: what would be the first echo of a trace
_AMPLITUDE_BINS = 20  # from a pick on: the peak of the longest bursts lies in there
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
        return _decode(seen, bin_width, settings, min_confidence)
    return _count(_candidates(seen, bin_width, settings), settings, len(seen.probability))


def _decode(seen, bin_width, settings, min_confidence):
    """Picks as `decode_picks` has them, with amplitude and SNR."""
    interval = {name: settings[name] for name in _INTERVAL}
    decoded = decode_picks(seen.probability, bin_width, min_confidence, **interval)
    decoded["amplitude"] = _amplitude(decoded, seen, bin_width)
    with np.errstate(divide="ignore"):
        decoded["snr_db"] = 20 * np.log10(decoded["amplitude"] / seen.noise[decoded["trace"]])
    return decoded


def _candidates(seen, bin_width, settings):
    """All that may count: what decoding alone tells, as it has it, and what is less sure."""
    base = _decode(seen, bin_width, settings, settings["min_confidence"])
    names = ("sure_confidence", "clear_confidence", "loud_confidence")
    more = _decode(seen, bin_width, settings, min(settings[name] for name in names if settings[name]))
    num_bins = seen.probability.shape[1]
    new = ~np.isin(more["trace"] * num_bins + more["bin"], base["trace"] * num_bins + base["bin"])
    both = {name: np.concatenate([values, more[name][new]]) for name, values in base.items()}
    order = np.lexsort((both["bin"], both["trace"]))
    return {name: values[order] for name, values in both.items()}


def _count(picks, settings, num_traces):
    """Those of the candidates that count, see `EchoPicker.pick`."""
    counts = picks["confidence"] >= (settings["sure_confidence"] or settings["min_confidence"]) - 1e-6
    if settings["clear_confidence"]:
        clear = picks["confidence"] >= settings["clear_confidence"]
        counts |= clear & (picks["snr_db"] >= settings["clear_snr_db"])
    # Where none counts, none is loud: what a record without an echo gives does not change.
    loudest = np.full(num_traces, np.inf)
    loudest[picks["trace"][counts]] = 0
    np.maximum.at(loudest, picks["trace"][counts], picks["amplitude"][counts])
    loud = picks["amplitude"] >= loudest[picks["trace"]] * 10 ** (-_LOUD_DB / 20)
    keep = counts | (loud & (picks["confidence"] >= settings["loud_confidence"]))
    return {name: values[keep] for name, values in picks.items()}


def _amplitude(decoded, seen, bin_width):
    """Peak of the envelope from each pick to the next one, or as far as the longest bursts have theirs.

    The envelope of a clipped burst overshoots; no echo is louder than the largest sample of its trace.
    """
    trace, bins = decoded["trace"], (decoded["onset"] // bin_width).astype(int)
    following = np.append(np.where(np.diff(trace) == 0, bins[1:], _FAR), _FAR) if len(bins) else bins
    reach = np.arange(_AMPLITUDE_BINS)
    inside = (reach == 0) | (bins[:, None] + reach < following[:, None])
    columns = np.minimum(bins[:, None] + reach, seen.peak.shape[1] - 1)
    return np.where(inside, seen.peak[trace[:, None], columns], 0).max(axis=1).clip(max=1).astype(np.float64)
