"""Drawn parameters of the A-scans of a described transducer."""

from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.signals.synthesis.blocks import BLOCK_SIZE, from_db
from keras_usmae.signals.synthesis.transducer.propagation import nepers
from keras_usmae.signals.synthesis.transducer.pulses import measured_band

if TYPE_CHECKING:
    from keras_usmae.signals.synthesis.transducer.config import TransducerConfig


def draw(rng: np.random.Generator, config: "TransducerConfig") -> dict:
    """Parameters of the signals of one block, still without onsets: a dict of arrays, signals first."""
    parameters = _draw_pulse(rng, config) | _draw_ways(rng, config) | _draw_recording(rng, config)
    _add_levels(parameters, config)
    return parameters


def _draw_pulse(rng, config):
    probe, excitation, single = config.transducer, config.excitation, (BLOCK_SIZE,)
    if probe.impulse_response is None:
        center = rng.uniform(*probe.center_frequency, single)
        bandwidth = rng.uniform(*probe.fractional_bandwidth, single)
    else:
        center, bandwidth = (
            np.full(single, value) for value in measured_band(probe.impulse_response, config.sampling_rate)
        )
    parameters = {
        "center_frequency": center,
        "fractional_bandwidth": bandwidth,
        "phase": rng.uniform(*probe.phase, single),
    }
    if excitation.kind == "chirp":
        for name in ("start_frequency", "stop_frequency"):
            parameters[name] = rng.uniform(*getattr(excitation, name), single)
        parameters["excitation_duration"] = rng.uniform(*excitation.duration, single)
    elif excitation.kind != "spike":
        parameters["excitation_cycles"] = rng.uniform(*excitation.cycles, single)
        parameters["excitation_frequency"] = (
            rng.uniform(*excitation.frequency, single) if excitation.frequency else center
        )
    return parameters


def _draw_ways(rng, config):
    """Starts, levels without attenuation, and ways through each medium, of all echoes that a signal can have."""
    single = (BLOCK_SIZE,)
    parameters = {
        name: np.stack([rng.uniform(*getattr(medium, name), single) for medium in config.medium], axis=1)
        if config.medium
        else np.zeros((BLOCK_SIZE, 0))
        for name in ("speed_of_sound", "attenuation", "dispersion")
    }
    names = [medium.name for medium in config.medium]
    starts, levels, ways = [], [], []
    time, way = np.zeros(single), np.zeros((BLOCK_SIZE, len(names)))
    jitter = config.recorder.trigger_jitter * np.clip(rng.standard_normal(single), -4, 4)
    start, places = {}, {}
    for echo in config.echo:
        if echo.after:
            time, way = places[echo.after]
        index = names.index(echo.medium) if echo.medium else None
        speed = parameters["speed_of_sound"][:, index] if echo.medium else None
        start.setdefault(echo.medium, time)
        if echo.delay is not None:
            delay = rng.uniform(*echo.delay, single)
        else:
            delay = 2 * rng.uniform(*echo.distance, single) / speed
        time = time + delay
        spacing = rng.uniform(*echo.reverberation_spacing, single) if echo.reverberation_spacing else delay
        step = np.zeros_like(way)
        if echo.medium:
            way = way.copy()
            way[:, index] += speed * delay
            step[:, index] = speed * spacing
        places[echo.name] = time, way
        level = from_db(rng.uniform(*echo.reflectivity_db, single))
        sign = rng.choice((-1.0, 1.0), single)
        level *= {"positive": 1.0, "negative": -1.0, "random": sign}[echo.polarity]
        present = rng.random(single) < echo.probability
        count = rng.integers(*echo.reverberations, size=single, endpoint=True)
        loss = from_db(-rng.uniform(*echo.reverberation_loss_db, single))
        for k in range(echo.reverberations[1] + 1):
            starts.append(time + k * spacing)
            levels.append(np.where(present & (k <= count), level * loss**k, 0.0))
            ways.append(way + k * step)
    begin = (np.stack(starts, axis=1) + jitter[:, None] - config.start_time) * config.sampling_rate
    height = np.stack(levels, axis=1)
    gone = (height == 0) | (begin >= config.signal_length)
    parameters["burst_start"] = begin[:, 0]
    parameters["echo_starts"] = np.where(gone, np.nan, begin)[:, 1:]
    parameters["num_echoes"] = (~gone[:, 1:]).sum(axis=1)
    parameters["levels"] = np.where(gone, np.nan, height)
    parameters["paths"] = np.stack(ways, axis=1)
    parameters["trigger_delay"] = jitter * config.sampling_rate
    if config.grain:
        parameters["grain_start"] = (start[config.grain.medium] + jitter - config.start_time) * config.sampling_rate
    return parameters


def _draw_recording(rng, config):
    single, recorder = (BLOCK_SIZE,), config.recorder
    parameters = {
        "gain_db": rng.uniform(*recorder.gain_db, single),
        "dc_offset": rng.uniform(*recorder.dc_offset, single),
        "adc_bits": rng.choice(recorder.adc_bits or (0,), single),
    }
    if config.noise:
        parameters["snr_db"] = rng.uniform(*config.noise.snr_db, single)
    if config.ringdown:
        rings = rng.random(single) < config.ringdown.probability
        parameters["ringdown_amplitude"] = rings * from_db(rng.uniform(*config.ringdown.amplitude_db, single))
        parameters["ringdown_decay"] = rng.uniform(*config.ringdown.decay, single) * config.sampling_rate
        parameters["ringdown_phase"] = rng.uniform(0, 2 * np.pi, single)
    if config.grain:
        scatters = rng.random(single) < config.grain.probability
        parameters["grain_snr_db"] = np.where(scatters, rng.uniform(*config.grain.snr_db, single), np.nan)
    if config.interference:
        drawn = [_draw_interference(rng, config, interference) for interference in config.interference]
        for key in drawn[0]:
            parameters[f"interference_{key}"] = np.stack([one[key] for one in drawn], axis=1)
    return parameters


def _draw_interference(rng, config, interference):
    single = (BLOCK_SIZE,)
    here = rng.random(single) < interference.probability
    begin = rng.uniform(0, config.signal_length, single)
    drawn = {
        "frequency": rng.uniform(*interference.frequency, single),
        "snr_db": np.where(here, rng.uniform(*interference.snr_db, single), np.nan),
        "phase": rng.uniform(0, 2 * np.pi, single),
    }
    if interference.duration:
        length = rng.uniform(*interference.duration, single) * config.sampling_rate
        return drawn | {"start": begin - length / 2, "stop": begin + length / 2}
    return drawn | {"start": np.zeros(single), "stop": np.full(single, float(config.signal_length))}


def _add_levels(parameters, config):
    """Amplitudes as recorded, at the center frequency: reflectivity, attenuation and gain together."""
    loss = np.zeros(parameters["levels"].shape)
    for i, medium in enumerate(config.medium):
        per_metre = nepers(parameters["attenuation"][:, i], medium, parameters["center_frequency"])
        loss += per_metre[:, None] * parameters["paths"][:, :, i]
    amplitudes = parameters.pop("levels") * np.exp(-loss) * from_db(parameters["gain_db"])[:, None]
    parameters["amplitude"], parameters["echo_amplitudes"] = amplitudes[:, 0], amplitudes[:, 1:]
