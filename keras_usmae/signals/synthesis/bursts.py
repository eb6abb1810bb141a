"""Tone bursts and their envelopes, evaluated at any time between two samples."""

import numpy as np

# What `envelope` in the output of `synthesize` counts.
ENVELOPES = ("rectangular", "hann", "tukey", "gaussian", "damped")


def evaluate_envelope(name: str, time: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Evaluates the envelope of bursts.

    An envelope is zero outside of `[0, 1)` and has a peak of one. It leaves zero at `time = 0`, without a jump but for
    the rectangular one.

    Args:
        name: str. One of `ENVELOPES`:
            `"rectangular"`: one throughout;
            `"hann"`: a raised cosine;
            `"tukey"`: flat, with raised-cosine flanks that together take from 10 % (`shape = 0`) to 90 % (`shape = 1`);
            `"gaussian"`: a Gaussian cut at +-2.5 (`shape = 0`) to +-3.5 (`shape = 1`) standard deviations, and lowered
            to start and end at zero;
            `"damped"`: the response of a damped transducer, an exponential rise with a ring-down,
            `(1 - exp(-rise t)) exp(-decay t)`, which has rung down to -40 dB at the end. Its peak lies at 6 %
            (`shape = 0`) to 13 % (`shape = 1`) of the length.
        time: float32 array of shape `(num_bursts, num_samples)`. Time since the onset in units of the burst length.
        shape: float32 array of shape `(num_bursts,)`. Shape parameter in `[0, 1]`.

    Returns:
        A float32 array of shape `(num_bursts, num_samples)`.

    Example:

    ```python
    import numpy as np
    from keras_usmae.signals.synthesis.bursts import evaluate_envelope

    time = np.linspace(0, 1, 5, dtype="float32")[None]
    evaluate_envelope("hann", time, shape=np.zeros(1, "float32"))  # 0, 0.5, 1, 0.5, 0
    ```
    """
    envelope = _FUNCTIONS[name](time, np.asarray(shape, dtype=np.float32)[:, None])
    envelope *= (time >= 0) & (time < 1)
    return envelope


def evaluate_bursts(
    num_samples: int,
    delay: np.ndarray,
    center_frequency: np.ndarray,
    burst_length: np.ndarray,
    phase: np.ndarray,
    envelope: np.ndarray,
    envelope_shape: np.ndarray,
    sampling_rate: float,
) -> np.ndarray:
    """Evaluates tone bursts of amplitude one: `envelope(t) sin(2 pi center_frequency t + phase)`.

    Args:
        num_samples: int. Samples to evaluate of each burst.
        delay: float array of shape `(num_bursts,)`, as are all that follow. Time of the first sample after the onset
            in samples.
        center_frequency: float array. Frequency in Hz.
        burst_length: float array. Length in samples.
        phase: float array. Phase of the carrier at the onset in rad.
        envelope: int array. Indices into `ENVELOPES`.
        envelope_shape: float array. Shape parameter in `[0, 1]`, see `evaluate_envelope`.
        sampling_rate: float. Sampling rate in Hz.

    Returns:
        A float32 array of shape `(num_bursts, num_samples)`.
    """
    time = _column(delay) + np.arange(num_samples, dtype=np.float32)
    bursts = time * _column(2 * np.pi * center_frequency / sampling_rate)
    bursts += _column(phase)
    np.sin(bursts, out=bursts)
    time /= _column(burst_length)
    for index, name in enumerate(ENVELOPES):
        rows = np.flatnonzero(envelope == index)
        if rows.size:
            bursts[rows] *= evaluate_envelope(name, time[rows], envelope_shape[rows])
    return bursts


def tone_burst(
    center_frequency: float,
    burst_length: float,
    sampling_rate: float,
    phase: float = 0.0,
    envelope: str = "hann",
    envelope_shape: float = 0.5,
) -> np.ndarray:
    """Makes one tone burst, for instance the nominal pulse that a correlation looks for.

    Args:
        center_frequency: float. Frequency in Hz.
        burst_length: float. Length in samples.
        sampling_rate: float. Sampling rate in Hz.
        phase: float. Phase of the carrier at the onset in rad. Defaults to `0.0`, a sine.
        envelope: str. One of `ENVELOPES`. Defaults to `"hann"`.
        envelope_shape: float. Shape parameter in `[0, 1]`, see `evaluate_envelope`. Defaults to `0.5`.

    Returns:
        A float32 array of shape `(ceil(burst_length),)` with a peak of about one. Its onset is sample 0.

    Raises:
        ValueError: where there is no envelope of this name.

    Example:

    ```python
    from keras_usmae.signals import tone_burst

    tone_burst(center_frequency=2.5e6, burst_length=300, sampling_rate=100e6).shape  # (300,)
    ```
    """
    if envelope not in ENVELOPES:
        raise ValueError(f"There is no envelope {envelope!r}. Choose one of {list(ENVELOPES)}.")
    drawn = {
        "center_frequency": center_frequency,
        "burst_length": burst_length,
        "phase": phase,
        "envelope": ENVELOPES.index(envelope),
        "envelope_shape": envelope_shape,
    }
    one = {name: np.array([value]) for name, value in drawn.items()}
    return evaluate_bursts(int(np.ceil(burst_length)), np.zeros(1), **one, sampling_rate=sampling_rate)[0]


def _rectangular(time, shape):
    return np.ones_like(time)


def _hann(time, shape):
    envelope = np.sin(np.float32(np.pi) * time)
    return np.square(envelope, out=envelope)


def _tukey(time, shape):
    flank = (np.float32(0.1) + np.float32(0.8) * shape) / 2
    # Time to the nearer end in units of the flank, of which one and more is the flat top.
    envelope = np.minimum(np.minimum(time, 1 - time) / flank, np.float32(1))
    envelope = np.sin(np.float32(np.pi / 2) * envelope)
    return np.square(envelope, out=envelope)


def _gaussian(time, shape):
    half_width = np.float32(2.5) + shape
    floor = np.exp(np.square(half_width) * np.float32(-0.5))
    envelope = np.exp(np.square((2 * time - 1) * half_width) * np.float32(-0.5))
    envelope -= floor
    envelope /= 1 - floor
    return envelope


def _damped(time, shape):
    # Together these give -40 dB at the end for any shape.
    rise, decay = np.float32(40) ** (1 - shape), 5 + 2 * shape
    peak_time = np.log1p(rise / decay) / rise
    peak = -np.expm1(-rise * peak_time) * np.exp(-decay * peak_time)
    envelope = np.exp(-decay * time)
    envelope -= np.exp(-(decay + rise) * time)
    envelope /= peak
    return envelope


_FUNCTIONS = dict(zip(ENVELOPES, (_rectangular, _hann, _tukey, _gaussian, _damped), strict=True))


def _column(values):
    return np.asarray(values).astype(np.float32)[:, None]
