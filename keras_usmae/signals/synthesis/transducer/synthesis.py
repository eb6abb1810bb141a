"""Synthesis of the A-scans of a described transducer: rendered as reflectivity times pulse, and recorded."""

from typing import TYPE_CHECKING

import numpy as np
import scipy.fft

from keras_usmae.signals.synthesis.blocks import BLOCK_SIZE, digitize, from_db, generator, rms
from keras_usmae.signals.synthesis.noise import color_noise
from keras_usmae.signals.synthesis.onsets import all_echoes, echo_visibility, rise_times
from keras_usmae.signals.synthesis.transducer.clutter import add_interference, add_ringdown
from keras_usmae.signals.synthesis.transducer.drawing import draw
from keras_usmae.signals.synthesis.transducer.propagation import delay_spectrum, nepers, way_spectrum
from keras_usmae.signals.synthesis.transducer.pulses import make_pulses, pulse_samples

if TYPE_CHECKING:
    from keras_usmae.signals.synthesis.transducer.config import TransducerConfig


def draw_block(config: "TransducerConfig", seed: int, block: int) -> dict:
    """Draws the parameters of one block; see `draw_parameters`."""
    return _add_onsets(draw(generator(seed, block, stream=0), config), config)


def synthesize_block(config: "TransducerConfig", seed: int, block: int) -> dict:
    """Draws and synthesizes one block; see `synthesize`."""
    parameters = draw_block(config, seed, block)
    signal, burst_rms, lengths = _render(parameters, config, _draw_scatterers(config, seed, block))
    if config.interference:
        add_interference(signal, burst_rms, parameters, config)
    noise_rms = np.zeros(BLOCK_SIZE, dtype=np.float32)
    if config.noise:
        noise_rms = (burst_rms / from_db(parameters["snr_db"])).astype(np.float32)
        noise = generator(seed, block, stream=1).standard_normal(signal.shape, dtype=np.float32)
        noise = color_noise(noise, config.noise.color, config.sampling_rate, config.noise.band)
        # The noise of each signal is scaled by its own RMS, so that the SNR is exactly the drawn one.
        signal += noise * (noise_rms / rms(noise, config.signal_length))[:, None]
    if config.recorder.clock_jitter:
        wander = generator(seed, block, stream=3).standard_normal(signal.shape, dtype=np.float32)
        wander *= np.float32(config.recorder.clock_jitter * config.sampling_rate)
        signal += np.gradient(signal, axis=1) * wander
    signal += parameters["dc_offset"].astype(np.float32)[:, None]
    clipped = np.zeros(BLOCK_SIZE, bool)
    if config.recorder.adc_bits:
        clipped = digitize(signal, parameters["adc_bits"])
    visibility = _visibility(parameters, config, burst_rms, noise_rms)
    return {
        "signal": signal,
        **parameters,
        "burst_length": lengths,
        "noise_rms": noise_rms,
        "clipped": clipped,
        "visibility": visibility[:, 0],
        "echo_visibility": visibility[:, 1:],
    }


def render(parameters: dict, config: "TransducerConfig") -> np.ndarray:
    """Renders echoes and ring-down alone; see `keras_usmae.signals.render`."""
    return _render(parameters, config, None)[0]


def _add_onsets(parameters, config):
    """Onsets of all echoes: each is rendered alone, with what its way through the media does to it."""
    lead = 256  # samples ahead of an echo, for what dispersion brings forward
    size = scipy.fft.next_fast_len(2 * lead + 2 * pulse_samples(config), real=True)
    frequency = scipy.fft.rfftfreq(size, 1 / config.sampling_rate)
    pulse_spectrum = scipy.fft.rfft(_own_pulses(parameters, config), size)
    starts, _ = all_echoes(parameters)
    onsets = np.full(starts.shape, np.nan)
    here = np.zeros(BLOCK_SIZE)
    for slot, start in enumerate(starts.T):
        rows = np.flatnonzero(~np.isnan(start))
        if rows.size:
            spectrum = (
                _echo_spectrum(parameters, config, slot, here, lead, size, frequency, rows) * pulse_spectrum[rows]
            )
            echo = scipy.fft.irfft(spectrum, size)
            rise = rise_times(echo, np.ones((rows.size, 1)), bool(config.recorder.adc_bits))[:, 0]
            onset = start[rows] + rise - lead
            # The envelope of a burst that jumps begins ahead of it, but no record does.
            onsets[rows, slot] = np.where(start[rows] >= 0, np.maximum(onset, 0), onset)
    return {"onset": onsets[:, 0], **parameters, "echo_onsets": onsets[:, 1:]}


def _own_pulses(parameters, config):
    """A pulse for each signal, also where a measured response gives one for all."""
    pulses, _ = make_pulses(parameters, config)
    return np.broadcast_to(pulses, (BLOCK_SIZE, pulses.shape[1]))


def _visibility(parameters, config, burst_rms, noise_rms):
    power = np.square(noise_rms, dtype=np.float64)
    clips = bool(config.recorder.adc_bits)
    if clips:
        power += (2.0 ** -parameters["adc_bits"]) ** 2 / 3
    if config.grain:
        power += np.square(burst_rms / from_db(np.nan_to_num(parameters["grain_snr_db"], nan=np.inf)))
    pulses = _own_pulses(parameters, config)
    starts, amplitudes = all_echoes(parameters)
    return echo_visibility(pulses, starts, amplitudes, np.sqrt(power), config.signal_length, clips)


def _draw_scatterers(config, seed, block):
    if not config.grain:
        return None
    size = _room(config) + config.signal_length
    return generator(seed, block, stream=2).standard_normal((BLOCK_SIZE, size), dtype=np.float32)


def _room(config):
    """Samples ahead of the record: what begins before it, and what comes round from its end, ends in them."""
    longest = sum(config.delay_of(echo)[1] * (1 + echo.reverberations[1]) for echo in config.echo)
    edge = config.sampling_rate / 2
    spreads = [
        max(map(abs, medium.dispersion)) * medium.speed_of_sound[1] * max(edge, medium.reference_frequency)
        for medium in config.medium
    ]
    spread = max(spreads, default=0.0) * longest
    return pulse_samples(config) + min(int(spread * config.sampling_rate), 4 * config.signal_length)


def _render(parameters, config, scatterers):
    """Noise-free signals, RMS of each first echo over its own length, and that length in samples."""
    room, length = _room(config), config.signal_length
    size = scipy.fft.next_fast_len(room + length, real=True)
    frequency = scipy.fft.rfftfreq(size, 1 / config.sampling_rate)
    pulse, lengths = make_pulses(parameters, config)
    pulse_spectrum = scipy.fft.rfft(pulse, size)

    reflectivity = _echo_spectrum(parameters, config, 0, parameters["burst_start"], room, size, frequency)
    # Parseval; the bins at the ends, which count once, hold next to nothing.
    first = reflectivity * pulse_spectrum
    power = np.einsum("ij,ij->i", first.real, first.real) + np.einsum("ij,ij->i", first.imag, first.imag)
    burst_rms = np.sqrt(2 * power / size / lengths)
    for slot, start in enumerate(parameters["echo_starts"].T, start=1):
        rows = np.flatnonzero(~np.isnan(start))
        if rows.size:
            reflectivity[rows] += _echo_spectrum(parameters, config, slot, start, room, size, frequency, rows)
    if scatterers is not None:
        rows = np.flatnonzero(~np.isnan(parameters["grain_snr_db"]))
        target = burst_rms[rows] / from_db(parameters["grain_snr_db"][rows])
        scale = target / np.sqrt(np.einsum("ij,ij->i", pulse[rows], pulse[rows]))
        backscatter = scatterers[rows] * _scatter_window(parameters, config, room, rows)
        reflectivity[rows] += scipy.fft.rfft(backscatter * scale.astype(np.float32)[:, None], size)
    reflectivity *= pulse_spectrum
    signal = np.ascontiguousarray(scipy.fft.irfft(reflectivity, size)[:, room : room + length])
    if config.ringdown:
        add_ringdown(signal, parameters, config)
    return signal, burst_rms, lengths


def _echo_spectrum(parameters, config, slot, start, room, size, frequency, rows=slice(None)):
    """Spectra of one echo of some signals, without the pulse."""
    amplitude = (parameters["amplitude"] if slot == 0 else parameters["echo_amplitudes"][:, slot - 1])[rows]
    spectrum = delay_spectrum(start[rows] + room, size, len(frequency))
    spectrum *= amplitude.astype(np.float32)[:, None]
    for i, medium in enumerate(config.medium):
        path = parameters["paths"][rows, slot, i]
        if path.any() and (any(medium.attenuation) or any(medium.dispersion)):
            attenuation, dispersion = (parameters[name][rows, i] for name in ("attenuation", "dispersion"))
            center = parameters["center_frequency"][rows]
            spectrum *= way_spectrum(medium, attenuation, dispersion, path, center, frequency)
    return spectrum


def _scatter_window(parameters, config, room, rows):
    index = [medium.name for medium in config.medium].index(config.grain.medium)
    medium = config.medium[index]
    rate = nepers(parameters["attenuation"][rows, index], medium, parameters["center_frequency"][rows])
    rate *= parameters["speed_of_sound"][rows, index] / config.sampling_rate
    since = np.arange(-room, config.signal_length, dtype=np.float32) - _column(parameters["grain_start"][rows])
    return np.where(since >= 0, np.exp(-_column(rate) * np.maximum(since, 0)), 0).astype(np.float32)


def _column(values):
    return np.asarray(values).astype(np.float32)[:, None]
