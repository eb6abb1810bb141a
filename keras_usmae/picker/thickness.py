"""Thickness from the spacing of two echoes."""


def thickness(front, back, speed_of_sound):
    """Thickness of a layer, from the echo of its front and that of its back.

    Args:
        front: `Picks` with at most one a trace, such as `picks.nth(0)` or `picks.within(20e-6, 30e-6).first()`.
        back: `Picks` of the same traces with at most one a trace.
        speed_of_sound: float. m/s, of the layer.

    Returns:
        A tuple of float64 arrays: thickness in mm of shape `(num_traces,)` and its 95 % interval in mm of shape
        `(num_traces, 2)`; NaN where a trace lacks one of the echoes.
    """
    raise NotImplementedError
