"""The spacing of two echoes of a trace, by the correlation of the one with the other."""

import numpy as np
import scipy.signal

from keras_usmae.signals.picking.analytic import analytic_signal

_BAND = 0.4, 2.0  # of the carrier's frequency
_GUARD = 0.25  # periods ahead of the second echo that the window of the first one keeps free
_LEAD = 0.5  # periods ahead of an onset where its window begins
_LEAST = 1.0  # periods behind an onset that a window must hold
_REACH = 1.2  # times the half width of the onsets' interval
_ROTATED = 1 / 8  # periods: where most traces lie so far from their onsets, the second echo has another phase
_FEW = 5  # traces that do not tell this
_LEAST_CORRELATION = 0.7
_SURE = 0.99  # probability of one polarity over the other
_SAMPLES = 20.0  # in a period at least, for a parabola between them; twice as many are too many
_MARGIN = 12  # samples that the filter of a resampling sees


def echo_spacing(
    signals: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    period: float,
    burst_length: float,
    half_width: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Spacing of two echoes of each trace, finer than the difference of their onsets.

    The burst of the first echo is moved along that of the second until they fit best. The second may be upside down:
    the polarity that most traces have is the likelier one in the others, so that a trace of another one has to show it.
    What both onsets have in common, such as where a rise counts as begun, is not in the spacing.

    Args:
        signals: array of shape `(n, L)`, in any unit.
        first: float array of shape `(n,)`, onsets of the first echo in samples.
        second: float array of shape `(n,)`, onsets of the second.
        period: float, samples of a period of the carrier.
        burst_length: float, samples of a burst.
        half_width: float array of shape `(n,)`, of the 95 % interval of the difference of the onsets, in samples.

    Returns:
        A tuple of float64 arrays of shape `(n,)`: the spacing in samples and its standard deviation, as far as noise
        and what differs in the shape of both echoes tell it. NaN where the echoes do not fit each other near to the
        spacing of their onsets, follow so closely that less than a period of the first stands free, or may be half a
        period off with the other polarity; and for all traces where most say that the second echo has another phase,
        which is no copy of the first.

    Example:

    ```python
    import numpy as np
    from keras_usmae.signals import tone_burst
    from keras_usmae.signals.picking.echo_spacing import echo_spacing

    burst = tone_burst(center_frequency=2.5e6, burst_length=200, sampling_rate=100e6)
    trace = np.zeros((1, 2000))
    trace[0, 300:500] += burst
    trace[0, 900:1100] -= 0.4 * burst
    echo_spacing(trace, np.array([301.0]), np.array([897.0]), 40.0, 200.0, np.array([8.0]))[0]  # array([600.])
    ```

    Reference:
        - [Walker and Trahey, 1995](https://doi.org/10.1109/58.365243), what limits a delay by correlation
    """
    spacing, deviation = np.full(len(signals), np.nan), np.full(len(signals), np.nan)
    up, down = max(int(np.ceil(_SAMPLES / period)), 1), max(int(period / _SAMPLES), 1)
    ratio = up / down
    first, second, half_width = (np.asarray(values, float) * ratio for values in (first, second, half_width))
    period, burst_length, length = period * ratio, burst_length * ratio, signals.shape[1] * ratio
    reach = np.minimum(_REACH * np.nan_to_num(half_width), period / 2)
    lags = np.arange(-int(reach.max(initial=0)) - 2, int(reach.max(initial=0)) + 3)
    lead, pad = round(_LEAD * period), round(2 * period) + lags[-1]
    # Behind an onset, for both: the first ends ahead of the second, and the second with the record.
    stop = np.minimum(np.minimum(second - first - _GUARD * period, length - second), burst_length)
    rows = np.flatnonzero((stop >= _LEAST * period) & (first >= 0) & (reach > 0))
    if not len(rows):
        return spacing, deviation
    width = lead + int(np.ceil(stop[rows].max()))
    starts = [np.floor(onset[rows]).astype(int) - lead for onset in (first, second)]
    pieces = [_cut(signals, rows, start - pad, width + 2 * pad, up, down) for start in starts]
    x, y = (_band_passed(piece, period) for piece in pieces)
    x = x[:, pad : pad + width]
    weight = (np.arange(width) < lead + stop[rows, None]).astype(float)
    fit = _correlations(x, y, weight, pad + lags)
    # The lag that the onsets say: they lie between samples.
    expected = (second - first)[rows] - (starts[1] - starts[0])
    peaks = [_best_lag(sign * fit, lags, expected, reach[rows]) for sign in (1, -1)]
    lag, height = (np.stack(values) for values in zip(*peaks, strict=True))
    independent = np.maximum(2 * weight.sum(axis=1) / burst_length, 1)  # values of noise in the band of the burst
    chosen, sure = _choose_polarity(lag - expected, height, half_width[rows] / 1.96, independent)
    every = np.arange(len(rows))
    lag, height = lag[chosen, every], height[chosen, every]
    found = sure & (height >= _LEAST_CORRELATION)
    off = (lag - expected)[found]
    if len(off) >= _FEW and np.median(np.abs(off)) > _ROTATED * period:
        found[:] = False
    spacing[rows[found]] = (starts[1] - starts[0] + lag)[found] / ratio
    deviation[rows[found]] = _deviation(x, weight, height, independent)[found] / ratio
    return spacing, deviation


def _cut(signals, rows, start, length, up, down):
    """A piece of each row at `up / down` times its rate; beyond the ends of a record the nearest sample."""
    begin = start * down // up - _MARGIN * down
    columns = begin[:, None] + np.arange(length * down // up + 2 + 2 * _MARGIN * down)
    pieces = signals[rows[:, None], np.clip(columns, 0, signals.shape[1] - 1)].astype(np.float32)
    if up != down:
        pieces = scipy.signal.resample_poly(pieces, up, down, axis=1, padtype="line")
    return np.take_along_axis(pieces, (start * down - begin * up)[:, None] // down + np.arange(length), axis=1)


def _band_passed(pieces, period):
    low, high = (share / period for share in _BAND)
    return analytic_signal(pieces, 1.0, (low, min(high, 0.5))).real.astype(float)


def _correlations(x, y, weight, places):
    """Normalised correlation of each row of `x` with `y` from each place on: 1 only where both are alike."""
    weighted, energy = weight * x, (weight * x**2).sum(axis=1)
    fit = np.empty((len(x), len(places)))
    for column, place in enumerate(places):
        moved = y[:, place : place + x.shape[1]]
        both = energy * (weight * moved**2).sum(axis=1)
        fit[:, column] = (weighted * moved).sum(axis=1) / np.sqrt(np.maximum(both, np.finfo(float).tiny))
    return fit


def _best_lag(fit, lags, expected, reach):
    """Place and height of the largest peak within reach, between samples by a parabola; 0 and 0 where there is none."""
    before, middle, after = fit[:, :-2], fit[:, 1:-1], fit[:, 2:]
    near = np.abs(lags[1:-1] - expected[:, None]) <= reach[:, None] + 0.5
    peak = (middle >= before) & (middle > after) & (middle > 0) & near
    place = np.where(peak, middle, 0).argmax(axis=1)
    rows = np.arange(len(fit))
    low, top, high = (part[rows, place] for part in (before, middle, after))
    curvature = np.minimum(low - 2 * top + high, -np.finfo(float).tiny)
    shift = np.clip(0.5 * (low - high) / curvature, -0.5, 0.5)
    found = peak[rows, place]
    height = np.clip(top - 0.25 * (low - high) * shift, 0, 1)
    return np.where(found, lags[1:-1][place] + shift, 0.0), np.where(found, height, 0.0)


def _choose_polarity(off, height, sigma, independent):
    """Which polarity each trace has, and whether that is sure: by the onsets, by the fit, and by the other traces."""
    likely = -0.5 * (off / sigma) ** 2 - 0.5 * independent * np.log(np.maximum(1 - height**2, 1e-6))
    likely = np.where(height > 0, likely, -np.inf)
    either = np.isfinite(likely).any(axis=0)
    likely[:, ~either] = 0
    share = np.array([0.5, 0.5])
    for _ in range(2):
        posterior = np.exp(likely - likely.max(axis=0)) * share[:, None]
        posterior /= posterior.sum(axis=0)
        sure = (posterior.max(axis=0) >= _SURE) & either
        counts = np.bincount(posterior.argmax(axis=0)[sure], minlength=2)
        share = (counts + 1) / (counts.sum() + 2)
    return posterior.argmax(axis=0), sure


def _deviation(x, weight, height, independent):
    """Standard deviation of a delay by correlation: what does not fit counts as noise in the band of the burst."""
    energy = (weight * x**2).sum(axis=1)
    frequency = (weight * np.gradient(x, axis=1) ** 2).sum(axis=1) / np.maximum(energy, np.finfo(float).tiny)
    misfit = np.maximum(1 - height**2, 0) / np.maximum(height**2, 1e-12)
    return np.sqrt(misfit / (np.maximum(frequency, 1e-12) * independent))
