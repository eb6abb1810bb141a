"""Synthesis of ultrasound A-scans with a known onset: the parameters are drawn, then rendered, then recorded.

Signals are drawn in blocks of 256. Block `b` has random generators of its own, made from `(seed, b)`, so that signal `i`
depends on the configuration, the seed and `i` only: neither on the size of a request nor on where it starts. A set may be
cut into shards at will, and each shard be made by another worker, bit by bit the same.
"""

import numpy as np

from keras_usmae.signals.envelopes import ENVELOPES, evaluate_envelope
from keras_usmae.signals.noise import NOISE_COLORS, color_noise

BLOCK_SIZE = 256


def synthesize(config, num_signals, seed, start=0):
    """Synthesizes A-scans `start` to `start + num_signals - 1` of the set that a configuration and a seed define.

    Args:
        config: a `SignalConfig`.
        num_signals: int. Number of signals.
        seed: int. Seed of the set, 0 or more.
        start: int. Index of the first signal in the set. Defaults to `0`.

    Returns:
        A dict of arrays, the first axis of each of which is `num_signals`: all that `draw_parameters` returns, and

        - `signal`: float32 of shape `(num_signals, signal_length)`, in units of ADC full scale;
        - `noise_rms`: float32, RMS of the noise in units of ADC full scale;
        - `clipped`: bool, whether a sample reached an end of the ADC's scale.

    Raises:
        ValueError: where `num_signals`, `seed` or `start` is not an integer of 0 or more.

    Example:

    ```python
    from keras_usmae.signals import SignalConfig, synthesize

    batch = synthesize(SignalConfig.from_preset("paper"), num_signals=8, seed=0)
    batch["signal"].shape, batch["onset"].shape  # (8, 2048), (8,)
    ```
    """
    return _by_blocks(_synthesize_block, config, num_signals, seed, start)


def draw_parameters(config, num_signals, seed, start=0):
    """Draws the parameters of A-scans; `synthesize` with the same arguments draws the same ones.

    Args:
        config: a `SignalConfig`.
        num_signals: int. Number of signals.
        seed: int. Seed of the set, 0 or more.
        start: int. Index of the first signal in the set. Defaults to `0`.

    Returns:
        A dict of arrays, of shape `(num_signals,)` but for those of the echoes, which have shape
        `(num_signals, max_echoes)` and are padded with NaN:

        - `onset`: float64, in samples, where the envelope of the first burst leaves zero;
        - `center_frequency`: float64, in Hz; `burst_length`: float64, in samples; `phase`: float64, in rad;
        - `amplitude`: float64, peak of the first envelope in units of ADC full scale;
        - `envelope`: int64, index into `ENVELOPES`; `envelope_shape`: float64 in `[0, 1]`, see `evaluate_envelope`;
        - `num_echoes`: int64, later echoes that start within the record;
        - `echo_onsets`: float64, in samples; `echo_amplitudes`: float64, negative where the polarity is inverted;
        - `ringdown_amplitude`: float64, zero where there is none; `ringdown_decay`: float64, in samples;
          `ringdown_phase`: float64, in rad;
        - `snr_db`: float64, in dB; `noise_color`: int64, index into `NOISE_COLORS`;
        - `dc_offset`: float64, in units of ADC full scale; `adc_bits`: int64, `0` for an ideal recorder.

    Raises:
        ValueError: where `num_signals`, `seed` or `start` is not an integer of 0 or more.

    Example:

    ```python
    from keras_usmae.signals import SignalConfig, draw_parameters

    draw_parameters(SignalConfig.from_preset("paper"), num_signals=8, seed=0)["onset"].shape  # (8,)
    ```
    """
    return _by_blocks(_draw_block, config, num_signals, seed, start)


def render(parameters, config):
    """Renders the noise-free signals of drawn, or chosen, parameters: bursts, echoes and ring-down.

    Args:
        parameters: dict of arrays, as from `draw_parameters`.
        config: a `SignalConfig`.

    Returns:
        A float32 array of shape `(num_signals, signal_length)`, without noise, DC offset, rounding and clipping.

    Example:

    ```python
    from keras_usmae.signals import SignalConfig, draw_parameters, render

    config = SignalConfig.from_preset("paper")
    clean = render(draw_parameters(config, num_signals=8, seed=0), config)  # (8, 2048), float32
    ```
    """
    return _render(parameters, config)[0]


def _by_blocks(function, config, num_signals, seed, start):
    for name, value in (("num_signals", num_signals), ("seed", seed), ("start", start)):
        if not isinstance(value, int | np.integer) or value < 0:
            raise ValueError(f"`{name}` must be an integer of 0 or more, but is {value!r}.")
    stop = start + num_signals
    pieces = []
    for block in range(start // BLOCK_SIZE, max(-(-stop // BLOCK_SIZE), start // BLOCK_SIZE + 1)):
        first = block * BLOCK_SIZE
        part = slice(max(start - first, 0), max(min(stop - first, BLOCK_SIZE), 0))
        pieces.append({key: value[part] for key, value in function(config, seed, block).items()})
    return {key: np.concatenate([piece[key] for piece in pieces]) for key in pieces[0]}


def _generator(seed, block, stream):
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(block, stream))))


def _draw_block(config, seed, block):
    rng = _generator(seed, block, 0)
    n, max_echoes = BLOCK_SIZE, config.max_echoes
    uniform = lambda bounds, size=n: rng.uniform(*bounds, size)  # noqa: E731
    choose = lambda choices: choices[rng.integers(len(choices), size=n)]  # noqa: E731

    onset = uniform(config.onset_interval)
    amplitude = _from_db(uniform(config.amplitude_db))
    parameters = {
        "onset": onset,
        "center_frequency": uniform(config.center_frequency),
        "burst_length": uniform(config.burst_length),
        "phase": uniform(config.phase),
        "amplitude": amplitude,
        "envelope": choose(np.array([ENVELOPES.index(name) for name in config.envelopes])),
        "envelope_shape": uniform((0, 1)),
        "snr_db": uniform(config.snr_db),
        "noise_color": choose(np.array([NOISE_COLORS.index(name) for name in config.noise_colors])),
        "dc_offset": uniform(config.dc_offset),
        "adc_bits": choose(np.array(config.adc_bits or (0,))),
    }
    has_ringdown = rng.random(n) < config.ringdown_probability
    parameters["ringdown_amplitude"] = np.where(has_ringdown, _from_db(uniform(config.ringdown_amplitude_db)), 0.0)
    parameters["ringdown_decay"] = uniform(config.ringdown_decay)
    parameters["ringdown_phase"] = uniform((0, 2 * np.pi))

    drawn = rng.integers(max_echoes + 1, size=n)
    echo_onsets = onset[:, None] + np.cumsum(uniform(config.echo_delay, (n, max_echoes)), axis=1)
    polarity = rng.choice((-1.0, 1.0), (n, max_echoes))
    echo_amplitudes = amplitude[:, None] * polarity / _from_db(uniform(config.echo_attenuation_db, (n, max_echoes)))
    present = (np.arange(max_echoes) < drawn[:, None]) & (echo_onsets < config.signal_length)
    parameters["num_echoes"] = present.sum(axis=1)
    parameters["echo_onsets"] = np.where(present, echo_onsets, np.nan)
    parameters["echo_amplitudes"] = np.where(present, echo_amplitudes, np.nan)
    return parameters


def _synthesize_block(config, seed, block):
    parameters = _draw_block(config, seed, block)
    signal, burst_rms = _render(parameters, config)
    noise = _generator(seed, block, 1).standard_normal(signal.shape, dtype=np.float32)
    for index, color in enumerate(NOISE_COLORS):
        rows = np.flatnonzero(parameters["noise_color"] == index)
        if color != "white" and rows.size:
            noise[rows] = color_noise(noise[rows], color, config.sampling_rate, config.noise_band)
    noise_rms = (burst_rms / _from_db(parameters["snr_db"])).astype(np.float32)
    # The noise of each signal is scaled by its own RMS, so that the SNR is the drawn one exactly.
    noise *= (noise_rms / _rms(noise, config.signal_length))[:, None]
    signal += noise
    if any(config.dc_offset):
        signal += parameters["dc_offset"].astype(np.float32)[:, None]
    clipped = _digitize(signal, parameters["adc_bits"]) if config.adc_bits else np.zeros(len(signal), bool)
    return {"signal": signal, **parameters, "noise_rms": noise_rms, "clipped": clipped}


def _render(parameters, config):
    """Noise-free signals, and the RMS of the first burst of each over its own length, within the record or not."""
    n, length, width = len(parameters["onset"]), config.signal_length, config.max_burst_samples
    padded = np.zeros((n, length + width), dtype=np.float32)  # bursts may run over the end of the record
    burst = _add_bursts(padded, parameters, np.arange(n), parameters["onset"], parameters["amplitude"], config)
    burst_rms = _rms(burst, parameters["burst_length"])
    for echo in range(parameters["echo_onsets"].shape[1]):
        onset = parameters["echo_onsets"][:, echo]
        rows = np.flatnonzero(~np.isnan(onset))
        _add_bursts(padded, parameters, rows, onset[rows], parameters["echo_amplitudes"][rows, echo], config)
    _add_ringdown(padded, parameters, config)
    return padded[:, :length], burst_rms


def _add_bursts(padded, parameters, rows, onset, amplitude, config):
    """Adds one burst to each of some rows, and returns the bursts."""
    width = config.max_burst_samples
    first = np.ceil(onset).astype(np.int64)
    time = (first - onset).astype(np.float32)[:, None] + np.arange(width, dtype=np.float32)
    cycles = 2 * np.pi * parameters["center_frequency"][rows] / config.sampling_rate
    burst = np.sin(time * cycles.astype(np.float32)[:, None] + parameters["phase"][rows].astype(np.float32)[:, None])
    burst *= amplitude.astype(np.float32)[:, None]
    time /= parameters["burst_length"][rows].astype(np.float32)[:, None]
    for index, name in enumerate(ENVELOPES):
        chosen = np.flatnonzero(parameters["envelope"][rows] == index)
        if chosen.size:
            burst[chosen] *= evaluate_envelope(name, time[chosen], parameters["envelope_shape"][rows[chosen]])
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1, writeable=True)
    windows[rows, first] += burst
    return burst


def _add_ringdown(padded, parameters, config):
    rows = np.flatnonzero(parameters["ringdown_amplitude"])
    if not rows.size:
        return
    # Down by 140 dB at the end, below the step of a 24-bit ADC.
    width = min(int(16 * parameters["ringdown_decay"][rows].max()), config.signal_length)
    column = {key: value[rows].astype(np.float32)[:, None] for key, value in parameters.items() if value.ndim == 1}
    time = np.arange(width, dtype=np.float32)
    cycles = column["center_frequency"] * np.float32(2 * np.pi / config.sampling_rate)
    carrier = np.sin(cycles * time + column["ringdown_phase"])
    padded[rows, :width] += column["ringdown_amplitude"] * np.exp(-time / column["ringdown_decay"]) * carrier


def _digitize(signal, bits):
    """Rounds and clips in place, and says which signals reached an end of the scale."""
    half_scale = np.exp2(bits - 1).astype(np.float32)[:, None]
    signal *= half_scale
    np.rint(signal, out=signal)
    np.clip(signal, -half_scale, half_scale - 1, out=signal)
    clipped = (signal.max(axis=1, keepdims=True) == half_scale - 1) | (signal.min(axis=1, keepdims=True) == -half_scale)
    signal /= half_scale
    return clipped[:, 0]


def _rms(array, length):
    return np.sqrt(np.einsum("ij,ij->i", array, array) / length)


def _from_db(level):
    return 10 ** (level / 20)
