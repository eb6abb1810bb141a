"""Thickness from the spacing of two echoes."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from keras_usmae.picker.picks import Picks


def thickness(front: "Picks", back: "Picks", speed_of_sound: float) -> tuple:
    """Thickness of a layer, from the echo of its front and that of its back.

    The errors of the two onsets count as independent, so that the half widths of their intervals add up by squares.
    What both have in common, such as an offset of the picker, is in neither. The error of the speed of sound is not
    counted.

    Args:
        front: `Picks` with at most one a trace, such as `picks.nth(0)` or `picks.within(20e-6, 30e-6).first()`.
        back: `Picks` of the same traces with at most one a trace.
        speed_of_sound: float. m/s, of the layer.

    Returns:
        A tuple of float64 arrays: thickness in mm of shape `(num_traces,)`, and its 95 % interval in mm of shape
        `(num_traces, 2)`. NaN where a trace lacks one of the echoes, or the back does not come after the front.

    Raises:
        ValueError: where the picks are not of the same number of traces, a trace has several, or the speed of sound is
            not positive.

    Example:

    ```python
    from keras_usmae.picker import thickness

    millimetres, interval = thickness(picks.nth(0), picks.nth(1), speed_of_sound=5920.0)
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
    interval = np.stack([spacing - half_width, spacing + half_width], axis=1)
    return spacing * millimetres, interval * millimetres
