"""Synthesis of the A-scans of a described transducer: drawn, rendered as reflectivity times pulse, and recorded."""

import numpy as np
import scipy.fft

from keras_usmae.signals.synthesis.blocks import BLOCK_SIZE, digitize, from_db, generator, rms
from keras_usmae.signals.synthesis.noise import color_noise
from keras_usmae.signals.synthesis.onsets import all_echoes, echo_visibility, rise_times
from keras_usmae.signals.synthesis.transducer.clutter import add_interference, add_ringdown
from keras_usmae.signals.synthesis.transducer.propagation import delay_spectrum, nepers, way_spectrum
from keras_usmae.signals.synthesis.transducer.pulses import make_pulses, measured_band, pulse_samples


def draw_block(config, seed, block):
    """Draws the parameters of one block; see `draw_parameters`."""
    rng = generator(seed, block, stream=0)
    parameters = _draw_pulse(rng, config) | _draw_ways(rng, config) | _draw_recording(rng, config)
    _add_levels(parameters, config)
    return _add_onsets(parameters, config)


def synthesize_block(config, seed, block):
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


def render(parameters, config):
    """Renders echoes and ring-down alone; see `keras_usmae.signals.render`."""
    return _render(parameters, config, None)[0]


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
    starts = (np.stack(starts, axis=1) + jitter[:, None] - config.start_time) * config.sampling_rate
    levels, ways = np.stack(levels, axis=1), np.stack(ways, axis=1)
    gone = (levels == 0) | (starts >= config.signal_length)
    parameters["burst_start"] = starts[:, 0]
    parameters["echo_starts"] = np.where(gone, np.nan, starts)[:, 1:]
    parameters["num_echoes"] = (~gone[:, 1:]).sum(axis=1)
    parameters["levels"] = np.where(gone, np.nan, levels)
    parameters["paths"] = ways
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
    return echo_visibility(pulses, *all_echoes(parameters), np.sqrt(power), config.signal_length, clips)


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
            drawn = (parameters[name][rows, i] for name in ("attenuation", "dispersion"))
            spectrum *= way_spectrum(medium, *drawn, path, parameters["center_frequency"][rows], frequency)
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
