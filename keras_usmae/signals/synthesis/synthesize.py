"""Synthesis of ultrasound A-scans with a known onset: parameters are drawn, then rendered, then recorded with noise.

Signals are drawn in blocks of 256. Block `b` has random generators of its own, made from `(seed, b)`, so that signal
`i` depends on the configuration, the seed and `i` only: neither on the size of a request nor on where it starts. A set
may be cut into shards at will, and each shard be made by another worker, bit by bit the same (with one version of NumPy
on one kind of processor; others may differ in the last bits). Whole blocks are made and cut: requests of multiples of
256 that start at one waste nothing.
"""

from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.signals.synthesis.blocks import BLOCK_SIZE, by_blocks, digitize, from_db, generator, rms
from keras_usmae.signals.synthesis.bursts import ENVELOPES, evaluate_bursts
from keras_usmae.signals.synthesis.clutter import add_grain, add_tones, draw_clutter
from keras_usmae.signals.synthesis.field_echoes import draw_field_echoes
from keras_usmae.signals.synthesis.noise import NOISE_COLORS, color_noise
from keras_usmae.signals.synthesis.onsets import all_echoes, echo_visibility, rise_times
from keras_usmae.signals.synthesis.transducer import synthesis as transducer
from keras_usmae.signals.synthesis.transducer.config import TransducerConfig

if TYPE_CHECKING:
    from keras_usmae.signals.synthesis.config import SignalConfig


def synthesize(config: "SignalConfig | TransducerConfig", num_signals: int, seed: int, start: int = 0) -> dict:
    """Synthesizes A-scans `start` to `start + num_signals - 1` of the set that a configuration and a seed define.

    Args:
        config: a `SignalConfig` or a `TransducerConfig`.
        num_signals: int. Number of signals.
        seed: int. Seed of the set, 0 or more.
        start: int. Index of the first signal in the set. Defaults to `0`.

    Returns:
        A dict of arrays with a first axis of `num_signals`: all that `draw_parameters` returns, and

        - `signal`: float32 of shape `(num_signals, signal_length)`, in units of ADC full scale;
        - `noise_rms`: float32, RMS of the noise in units of ADC full scale;
        - `visibility` and `echo_visibility`: int64, whether the record shows where the first and the other echoes
          begin, indices into `keras_usmae.signals.synthesis.onsets.VISIBILITIES`;
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
    described = isinstance(config, TransducerConfig)
    return by_blocks(transducer.synthesize_block if described else _synthesize_block, config, num_signals, seed, start)


def draw_parameters(config: "SignalConfig | TransducerConfig", num_signals: int, seed: int, start: int = 0) -> dict:
    """Draws the parameters of A-scans; `synthesize` with the same arguments draws the same ones.

    Args:
        config: a `SignalConfig` or a `TransducerConfig`.
        num_signals: int. Number of signals.
        seed: int. Seed of the set, 0 or more.
        start: int. Index of the first signal in the set. Defaults to `0`.

    Returns:
        A dict of arrays of shape `(num_signals,)`, but for the echoes, whose arrays have the shape
        `(num_signals, echo_slots)` and are padded with NaN:

        - `onset`: float64, in samples, where the envelope of the first burst rises through 10 % of its recorded
          (clipped) peak; NaN in a signal without echoes;
        - `burst_start`: float64, in samples, where the envelope of the first burst leaves zero;
        - `center_frequency`: float64, in Hz; `burst_length`: float64, in samples; `phase`: float64, in rad;
        - `amplitude`: float64, peak of the first envelope in units of ADC full scale;
        - `envelope`: int64, index into `ENVELOPES`; `envelope_shape`: float64 in `[0, 1]`, see `evaluate_envelope`;
        - `num_echoes`: int64, other echoes in the record;
        - `echo_onsets` and `echo_starts`: float64, in samples, in order of arrival, those of the other echoes;
          `echo_amplitudes`: float64, negative where the polarity is inverted;
        - `ringdown_amplitude`: float64, zero where there is none; `ringdown_decay`: float64, in samples;
          `ringdown_phase`: float64, in rad;
        - `snr_db`: float64, in dB; `noise_color`: int64, index into `NOISE_COLORS`;
        - `dc_offset`: float64, in units of ADC full scale; `adc_bits`: int64, zero for an ideal recorder.

    Raises:
        ValueError: where `num_signals`, `seed` or `start` is not an integer of 0 or more.

    Example:

    ```python
    from keras_usmae.signals import SignalConfig, draw_parameters

    draw_parameters(SignalConfig.from_preset("paper"), num_signals=8, seed=0)["onset"].shape  # (8,)
    ```
    """
    described = isinstance(config, TransducerConfig)
    return by_blocks(transducer.draw_block if described else _draw_block, config, num_signals, seed, start)


def render(parameters: dict, config: "SignalConfig") -> np.ndarray:
    """Renders the noise-free signals of drawn, or chosen, parameters: the burst, its echoes and the ring-down.

    Args:
        parameters: dict of arrays, as from `draw_parameters` or `synthesize`.
        config: the `SignalConfig` that they were drawn from.

    Returns:
        A float32 array of shape `(num_signals, signal_length)`, without noise, DC offset, rounding and clipping.

    Example:

    ```python
    from keras_usmae.signals import SignalConfig, render, synthesize

    config = SignalConfig.from_preset("paper")
    batch = synthesize(config, num_signals=8, seed=0)
    noise = batch["signal"] - render(batch, config)  # (8, 2048)
    ```
    """
    if isinstance(config, TransducerConfig):
        return transducer.render(parameters, config)
    return np.ascontiguousarray(_render(parameters, config)[0])


def _draw_block(config, seed, block):
    parameters = _draw_starts(config, seed, block)
    bursts = _evaluate(parameters, slice(None), np.zeros(BLOCK_SIZE), config)
    starts, amplitudes = all_echoes(parameters)
    onsets = starts + rise_times(bursts, amplitudes, bool(config.adc_bits))
    # The envelope of a burst that jumps begins ahead of it, but no record does.
    onsets = np.where(starts >= 0, np.maximum(onsets, 0), onsets)
    return {"onset": onsets[:, 0], **parameters, "echo_onsets": onsets[:, 1:]}


def _draw_starts(config: "SignalConfig", seed: int, block: int) -> dict:
    rng = generator(seed, block, stream=0)
    single, several = (BLOCK_SIZE,), (BLOCK_SIZE, config.max_echoes)
    start = rng.uniform(*config.onset_interval, size=single)
    amplitude = from_db(rng.uniform(*config.amplitude_db, size=single))
    parameters = {
        "burst_start": start,
        "center_frequency": rng.uniform(*config.center_frequency, size=single),
        "burst_length": rng.uniform(*config.burst_length, size=single),
        "phase": rng.uniform(*config.phase, size=single),
        "amplitude": amplitude,
        "envelope": rng.choice([ENVELOPES.index(name) for name in config.envelopes], single),
        "envelope_shape": rng.uniform(0, 1, single),
        "snr_db": rng.uniform(*config.snr_db, size=single),
        "noise_color": rng.choice([NOISE_COLORS.index(name) for name in config.noise_colors], single),
        "dc_offset": rng.uniform(*config.dc_offset, size=single),
        "adc_bits": rng.choice(config.adc_bits or (0,), single),
        "ringdown_decay": rng.uniform(*config.ringdown_decay, size=single),
        "ringdown_phase": rng.uniform(0, 2 * np.pi, single),
    }
    rings = rng.random(single) < config.ringdown_probability
    parameters["ringdown_amplitude"] = rings * from_db(rng.uniform(*config.ringdown_amplitude_db, size=single))

    drawn = rng.integers(config.max_echoes, size=single, endpoint=True)
    echo_starts = start[:, None] + np.cumsum(rng.uniform(*config.echo_delay, size=several), axis=1)
    echo_gain = rng.choice((-1.0, 1.0), several) / from_db(rng.uniform(*config.echo_attenuation_db, size=several))
    present = np.arange(config.max_echoes) < drawn[:, None]
    # A generator of its own, so that the signals of older presets stay what they were.
    more = generator(seed, block, stream=2)
    echo_starts, echo_gain = draw_field_echoes(
        more, config, parameters, np.where(present, echo_starts, np.nan), echo_gain
    )
    parameters |= draw_clutter(more, config)
    parameters["num_echoes"] = np.count_nonzero(~np.isnan(echo_starts), axis=1)
    parameters["echo_starts"] = echo_starts
    parameters["echo_amplitudes"] = amplitude[:, None] * echo_gain
    silent = more.random(single) < config.silent_probability
    for name in ("burst_start", "echo_starts", "echo_amplitudes"):
        parameters[name][silent] = np.nan
    parameters["num_echoes"][silent] = 0
    return parameters


def _synthesize_block(config, seed, block):
    parameters = _draw_block(config, seed, block)
    signal, bursts, burst_rms = _render(parameters, config)
    noise = generator(seed, block, stream=1).standard_normal(signal.shape, dtype=np.float32)
    for index, color in enumerate(NOISE_COLORS):
        rows = np.flatnonzero(parameters["noise_color"] == index)
        if color != "white" and rows.size:
            noise[rows] = color_noise(noise[rows], color, config.sampling_rate, config.noise_band)
    noise_rms = _noise_level(burst_rms, parameters, config).astype(np.float32)
    # The noise of each signal is scaled by its own RMS, so that the SNR is exactly the drawn one.
    noise *= (noise_rms / rms(noise, config.signal_length))[:, None]
    signal += noise
    grain_rms = add_grain(signal, bursts, burst_rms, parameters, config, generator(seed, block, stream=3))
    add_tones(signal, burst_rms, parameters, config)
    if any(config.dc_offset):
        signal += parameters["dc_offset"].astype(np.float32)[:, None]
    clipped = digitize(signal, parameters["adc_bits"]) if config.adc_bits else np.zeros(len(signal), bool)
    starts, amplitudes = all_echoes(parameters)
    all_noise = np.sqrt(noise_rms**2 + grain_rms**2 + (2.0 ** -parameters["adc_bits"]) ** 2 / 3 * bool(config.adc_bits))
    visibility = echo_visibility(bursts, starts, amplitudes, all_noise, config.signal_length, bool(config.adc_bits))
    return {
        "signal": signal,
        **parameters,
        "noise_rms": noise_rms,
        "clipped": clipped,
        "visibility": visibility[:, 0],
        "echo_visibility": visibility[:, 1:],
    }


def _noise_level(burst_rms, parameters, config):
    level = burst_rms / from_db(parameters["snr_db"])
    if config.adc_bits:
        # Without a whole burst, a noise far below the steps of the ADC would leave a constant record: a dead channel.
        whole = parameters["burst_start"] + parameters["burst_length"] <= config.signal_length
        level = np.where(whole, level, np.maximum(level, 0.6 * 2.0 ** -parameters["adc_bits"]))
    return level


def _render(parameters, config):
    """Noise-free signals, first bursts of amplitude one, and the RMS of these as recorded over their own length."""
    num_signals, length, room = len(parameters["burst_start"]), config.signal_length, config.max_burst_samples
    # Room ahead of the record and behind it for bursts that run over its ends.
    signal = np.zeros((num_signals, room + length + room), dtype=np.float32)
    silent = np.isnan(parameters["burst_start"])
    start = np.where(silent, 0.0, parameters["burst_start"])
    bursts = _evaluate(parameters, slice(None), np.ceil(start) - start, config)
    first = bursts * parameters["amplitude"].astype(np.float32)[:, None]
    burst_rms = rms(first, parameters["burst_length"])
    rows = np.flatnonzero(~silent)
    _add(signal, rows, room + np.ceil(start[rows]).astype(np.int64), first[rows])
    for start, amplitude in zip(parameters["echo_starts"].T, parameters["echo_amplitudes"].T, strict=True):
        rows = np.flatnonzero(~np.isnan(start))
        echo = _evaluate(parameters, rows, np.ceil(start[rows]) - start[rows], config)
        echo *= amplitude[rows].astype(np.float32)[:, None]
        _add(signal, rows, room + np.ceil(start[rows]).astype(np.int64), echo)
    signal = signal[:, room : room + length]
    _add_ringdown(signal, parameters, config)
    return signal, bursts, burst_rms


def _evaluate(parameters, rows, delay, config):
    """Bursts of amplitude one of some signals, whose first sample lies a delay after their start."""
    names = ("center_frequency", "burst_length", "phase", "envelope", "envelope_shape")
    drawn = {name: parameters[name][rows] for name in names}
    return evaluate_bursts(config.max_burst_samples, delay, **drawn, sampling_rate=config.sampling_rate)


def _add(signal, rows, first, bursts):
    """Adds one burst to each of some signals, in place."""
    # Only the samples of the burst are touched, and no signal twice, so that `+=` adds each burst.
    windows = np.lib.stride_tricks.sliding_window_view(signal, bursts.shape[1], axis=1, writeable=True)
    windows[rows, first] += bursts


def _add_ringdown(signal, parameters, config):
    """Adds the decaying oscillation of the transducer after its transmit pulse, in place."""
    rows = np.flatnonzero(parameters["ringdown_amplitude"])
    if not rows.size:
        return
    amplitude, decay, phase, frequency = (
        parameters[name][rows].astype(np.float32)[:, None]
        for name in ("ringdown_amplitude", "ringdown_decay", "ringdown_phase", "center_frequency")
    )
    # After 17 time constants it is down by 148 dB, less than a step of 24 bits.
    time = np.arange(min(int(17 * decay.max()), signal.shape[1]), dtype=np.float32)
    carrier = np.sin(np.float32(2 * np.pi / config.sampling_rate) * frequency * time + phase)
    signal[rows, : time.size] += amplitude * np.exp(-time / decay) * carrier
