"""Thickness from the spacing of two echoes."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from keras_usmae.picker.picks import Picks


def thickness(front: "Picks", back: "Picks", speed_of_sound: float, signals: np.ndarray | None = None) -> tuple:
    """Thickness of a layer, from the echo of its front and that of its back.

    With the signals, the one echo is laid over the other where they fit, see `echo_spacing`: some twenty times finer
    than the onsets, whose spacing stays where they do not fit. Of onsets, the errors count as independent, so that the
    half widths of their intervals add up by squares. What both have in common, such as an offset of the picker, is in
    neither. The error of the speed of sound is not counted.

    Args:
        front: `Picks` with at most one a trace, such as `picks.nth(0)` or `picks.within(20e-6, 30e-6).first()`.
        back: `Picks` of the same traces with at most one a trace.
        speed_of_sound: float. m/s, of the layer.
        signals: array of shape `(num_traces, L)`, the traces that were picked, or `None`. Defaults to `None`.

    Returns:
        A tuple of float64 arrays: thickness in mm of shape `(num_traces,)`, and its 95 % interval in mm of shape
        `(num_traces, 2)`. NaN where a trace lacks one of the echoes, or the back does not come after the front.

    Raises:
        ValueError: where picks and signals are not of the same number of traces, a trace has several picks, or the
            speed of sound is not positive.

    Example:

    ```python
    from keras_usmae.picker import thickness

    millimetres, interval = thickness(picks.nth(0), picks.nth(1), 5920.0, signals)
    ```
    """
    if not (np.isfinite(speed_of_sound) and speed_of_sound > 0):
        raise ValueError(f"`speed_of_sound` must be a positive number in m/s. Received: {speed_of_sound}")
    if front.num_traces != back.num_traces:
        raise ValueError(
            f"Front and back must be picks of the same traces, but are of {front.num_traces} and {back.num_traces}."
        )
    millimetres = speed_of_sound / 2 * 1e3  # of a second: sound passes the layer twice
    spacing = back.of_each_trace("tof") - front.of_each_trace("tof")
    spacing[~(spacing > 0)] = np.nan
    half_widths = [np.diff(picks.of_each_trace("interval"), axis=1)[:, 0] / 2 for picks in (front, back)]
    half_width = np.hypot(*half_widths)
    if signals is not None:
        _refine(spacing, half_width, front, back, np.atleast_2d(signals))
    interval = np.stack([spacing - half_width, spacing + half_width], axis=1)
    return spacing * millimetres, interval * millimetres


def _refine(spacing, half_width, front, back, signals):
    """Puts the spacing in s that the signals tell, and its half width, in place of that of the onsets."""
    if len(signals) != front.num_traces:
        raise ValueError(f"The picks are of {front.num_traces} traces, but there are {len(signals)} signals.")
    from keras_usmae.picker.scale import TYPICAL_BURST, TYPICAL_PERIOD  # here: both bring SciPy, and a recipe's help
    from keras_usmae.signals.picking.echo_spacing import echo_spacing  # does without

    rate, scale = front.sampling_rate, front.scale
    known = np.isfinite(scale.frequency) and np.isfinite(scale.burst_length)
    period = rate / scale.frequency if known else TYPICAL_PERIOD / scale.ratio
    burst = scale.burst_length if known else TYPICAL_BURST / scale.ratio
    first, second = front.of_each_trace("onset"), back.of_each_trace("onset")
    fine, deviation = echo_spacing(signals, first, second, period, burst, half_width * rate)
    found = np.isfinite(fine)
    spacing[found] = fine[found] / rate
    half_width[found] = 1.96 * deviation[found] / rate
