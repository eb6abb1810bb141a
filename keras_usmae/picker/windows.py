"""Windows that slide over long records, how their bins become those of the record, and how short records are completed.

Windows start at multiples of the bin width, so that their bins are the same bins of the record, seen from several
places: nothing has to be merged. Each bin takes the mean of what the windows say of it, those in which it is more
central counting more, and those in which it lies in the margin not at all. Where a window begins with the record or
ends with it, that end is no cut and has no margin.
"""

import numpy as np

_FADE = 64  # samples over which the end of a short record dies away


def window_starts(num_samples: int, signal_length: int, bin_width: int) -> np.ndarray:
    """Where windows start that slide by half of their length.

    Args:
        bin_width: int. Samples of a bin; divides half of a window.

    Returns:
        int64 array of multiples of `bin_width`, `[0]` for a record that fits into one window. The last window ends
        less than a bin before the record does.
    """
    last = max(num_samples - signal_length, 0) // bin_width * bin_width
    return np.append(np.arange(0, last, signal_length // 2), last)


def window_weights(starts: np.ndarray, signal_length: int, bin_width: int) -> np.ndarray:
    """What each window counts for each of its bins; for one bin of the record, these sum up to one.

    Args:
        starts: int array of shape `(num_windows,)`, from `window_starts`.

    Returns:
        float32 array of shape `(num_windows, num_bins)`.
    """
    middle = (np.arange(signal_length // bin_width) + 0.5) * bin_width
    margin = signal_length // 8

    def centrality(start):
        from_start = np.inf if start == 0 else middle
        from_end = np.inf if start == starts[-1] else signal_length - middle
        # At most half a window from an end: what is more central than the middle of a window has no meaning.
        return np.clip(np.minimum(from_start, from_end) - margin, 0, signal_length / 2)

    # Row by row: of a record of ten million samples, a table of all of them in float64 would be as large as itself.
    first = starts // bin_width
    total = np.zeros(first[-1] + len(middle))
    for start, place in zip(starts, first, strict=True):
        total[place : place + len(middle)] += centrality(start)
    weights = np.empty((len(starts), len(middle)), np.float32)
    for row, start, place in zip(weights, starts, first, strict=True):
        row[:] = centrality(start) / total[place : place + len(middle)]
    return weights


def complete_short(signals: np.ndarray, length: int) -> np.ndarray:
    """Continues records that are shorter than a window with noise like that of their own quietest part.

    The quietest quarter of each record is mirrored back and forth. Where the record ends, the difference of the two
    dies away over 64 samples: a step would look like an echo, and so would a jump from noise to zeros.

    Args:
        signals: float32 array of shape `(n, num_samples)`.
        length: int. Samples wanted, `num_samples` or more.

    Returns:
        float32 array of shape `(n, length)` that begins with `signals`.
    """
    num_samples = signals.shape[1]
    missing = length - num_samples
    if not missing:
        return signals
    # Short enough to fit between two echoes. A shorter one is often far below the level of the noise, which fluctuates,
    # and the record would stand out from what is added: with an eighth, noise alone gave twice as many picks.
    size = min(num_samples, max(num_samples // 4, 128))
    blocks = np.lib.stride_tricks.sliding_window_view(signals, size, axis=1)[:, :: max(size // 4, 1)]
    quietest = blocks.var(axis=2).argmin(axis=1)
    block = blocks[np.arange(len(signals)), quietest]
    there_and_back = np.concatenate([block[:, ::-1], block], axis=1)
    noise = np.resize(there_and_back.T, (missing, len(signals))).T
    fade = np.zeros(missing, np.float32)
    fade[:_FADE] = np.cos(np.linspace(0, np.pi / 2, _FADE, dtype=np.float32)[:missing]) ** 2
    return np.concatenate([signals, noise + (signals[:, -1:] - noise[:, :1]) * fade], axis=1, dtype=np.float32)
