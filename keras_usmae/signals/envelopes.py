"""Envelopes of tone bursts, evaluated at any time between two samples."""

import numpy as np

# What `envelope` in the output of `synthesize` counts.
ENVELOPES = ("rectangular", "hann", "tukey", "gaussian", "damped")


def evaluate_envelope(name, time, shape):
    """Evaluates an envelope.

    Every envelope is zero outside of `[0, 1)` and has a peak of one. All but the rectangular one leave zero without a
    jump, so that their onset is at `time = 0` exactly.

    Args:
        name: str. One of `ENVELOPES`:
            `"rectangular"`: one throughout;
            `"hann"`: a raised cosine;
            `"tukey"`: flat, with raised-cosine flanks that take from 10 % (`shape = 0`) to 90 % (`shape = 1`) of it;
            `"gaussian"`: from +-2.5 (`shape = 0`) to +-3.5 (`shape = 1`) standard deviations of a Gaussian, lowered so
            that it starts and ends at zero;
            `"damped"`: the response of a damped transducer, an exponential rise with a ring-down,
            `(1 - exp(-rise t)) exp(-decay t)`; its peak comes early (`shape = 0`) or later (`shape = 1`).
        time: float32 array of shape `(n, samples)`. Time since the onset in units of the burst length.
        shape: float32 array of shape `(n,)`. Shape parameter in `[0, 1]`.

    Returns:
        A float32 array of shape `(n, samples)`.

    Example:

    ```python
    import numpy as np
    from keras_usmae.signals.envelopes import evaluate_envelope

    time = np.linspace(0, 1, 5, dtype="float32")[None]
    evaluate_envelope("hann", time, np.zeros(1, "float32"))  # 0, 0.5, 1, 0.5, 0
    ```
    """
    time = time.astype(np.float32, copy=False)
    shape = np.asarray(shape, dtype=np.float32)[:, None]
    envelope = _FUNCTIONS[name](time, shape)
    envelope *= (time >= 0) & (time < 1)
    return envelope


def _rectangular(time, shape):
    return np.ones_like(time)


def _hann(time, shape):
    envelope = np.sin(np.float32(np.pi) * time)
    return np.square(envelope, out=envelope)


def _tukey(time, shape):
    flank = (np.float32(0.1) + np.float32(0.8) * shape) / 2
    # Distance to the nearer end in units of the flank, where one and more is the flat top.
    envelope = np.minimum(np.minimum(time, 1 - time) / flank, np.float32(1))
    envelope = np.sin(np.float32(np.pi / 2) * envelope)
    return np.square(envelope, out=envelope)


def _gaussian(time, shape):
    half_width = np.float32(2.5) + shape
    floor = np.exp(-half_width * half_width / 2)
    envelope = np.exp(np.square((2 * time - 1) * half_width) * np.float32(-0.5))
    envelope -= floor
    envelope /= 1 - floor
    return envelope


def _damped(time, shape):
    decay = np.float32(4.6)  # down to -40 dB at the end
    rise = np.float32(30) - np.float32(24) * shape
    peak_time = np.log1p(rise / decay) / rise
    peak = -np.expm1(-rise * peak_time) * np.exp(-decay * peak_time)
    envelope = np.exp(-decay * time)
    envelope -= np.exp(-(decay + rise) * time)
    envelope /= peak
    return envelope


_FUNCTIONS = dict(zip(ENVELOPES, (_rectangular, _hann, _tukey, _gaussian, _damped), strict=True))
