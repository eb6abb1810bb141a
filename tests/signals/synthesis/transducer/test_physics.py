"""The shipped transducers, measured on what they synthesize, against what a physicist expects of their files."""

import numpy as np
import pytest
import scipy.signal

from keras_usmae.signals import draw_parameters, render, synthesize
from keras_usmae.signals.synthesis.transducer import measured_band
from keras_usmae.signals.synthesis.transducer.pulses import CODES
from tests.described_transducers import EXAMPLES, change, first_echo_only, spectrum, window

# Pulse and band


@pytest.mark.parametrize("shape", ["gaussian", "damped"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_echo_has_the_bandwidth_and_center_frequency_of_the_file(name, shape):
    config = first_echo_only(EXAMPLES[name], transducer={"shape": shape})
    drawn = synthesize(config, 32, seed=1)
    for i in range(32):
        if drawn["burst_start"][i] + drawn["burst_length"][i] > config.signal_length:
            continue
        echo = window(drawn["signal"][i], drawn["burst_start"][i], drawn["burst_length"][i])
        center, bandwidth = measured_band(echo, config.sampling_rate)
        # The image of the band at negative frequencies bends broad bands a little.
        assert bandwidth == pytest.approx(drawn["fractional_bandwidth"][i], rel=0.06)
        assert center == pytest.approx(drawn["center_frequency"][i], rel=0.03)


def test_a_long_burst_narrows_the_band_to_that_of_its_window():
    burst = {"kind": "burst", "cycles": 20, "window": "hann", "frequency": 2.25e6}
    config = first_echo_only(EXAMPLES["immersion_2_25mhz"], excitation=burst, start_time=2.6e-5, signal_length=4096)
    drawn = synthesize(config, 4, seed=2)
    echo = window(drawn["signal"][0], drawn["burst_start"][0], drawn["burst_length"][0])
    center, bandwidth = measured_band(echo, config.sampling_rate)
    # A Hann window of length T is 2.00 / T wide at -6 dB.
    assert bandwidth * center == pytest.approx(2.0 * 2.25e6 / 20, rel=0.05)
    assert center == pytest.approx(2.25e6, rel=0.01)


def test_a_chirp_fills_the_band_that_it_sweeps():
    chirp = {"kind": "chirp", "start_frequency": 1.5e6, "stop_frequency": 3e6, "duration": 8e-6, "window": "tukey"}
    probe = {"center_frequency": 2.25e6, "fractional_bandwidth": 1.4}
    config = first_echo_only(EXAMPLES["immersion_2_25mhz"], excitation=chirp, transducer=probe, signal_length=4096)
    drawn = synthesize(config, 1, seed=2)
    echo = window(drawn["signal"][0], drawn["burst_start"][0], drawn["burst_length"][0])
    phase = np.unwrap(np.angle(scipy.signal.hilbert(echo)))
    slope = np.polyfit(np.arange(250, 550) / config.sampling_rate, np.diff(phase)[250:550] * config.sampling_rate, 1)[0]
    assert slope / (2 * np.pi) == pytest.approx(1.5e6 / 8e-6, rel=0.05)


def test_barker_codes_compress_to_sidelobes_of_one_chip():
    for code in CODES.values():
        correlation = np.abs(np.correlate(code, code, "full"))
        assert correlation.max() == len(code)
        assert np.sort(correlation)[-2] <= 1
    code = {"kind": "code", "code": "barker13", "cycles": 2, "frequency": 2.25e6}
    probe = {"center_frequency": 2.25e6, "fractional_bandwidth": 1.2}
    config = first_echo_only(EXAMPLES["immersion_2_25mhz"], excitation=code, transducer=probe, signal_length=4096)
    drawn = draw_parameters(config, 1, seed=3)
    coded = render(drawn, config)[0]
    chip = round(2 / 2.25e6 * config.sampling_rate)
    template = np.zeros(12 * chip + 1)
    template[::chip] = CODES["barker13"]
    compressed = np.abs(scipy.signal.hilbert(scipy.signal.correlate(coded, template, "valid")))
    peak = compressed.argmax()
    outside = np.r_[compressed[: peak - 2 * chip], compressed[peak + 3 * chip :]]
    assert 20 * np.log10(compressed.max() / outside.max()) == pytest.approx(20 * np.log10(13), abs=2.5)


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_comes_before_the_onset_and_the_envelope_leaves_zero_there(name):
    config = first_echo_only(EXAMPLES[name])
    drawn = synthesize(config, 32, seed=4)
    for signal, onset, amplitude in zip(drawn["signal"], drawn["burst_start"], drawn["amplitude"], strict=True):
        first = int(np.ceil(onset))
        # Sampled pulses are not band-limited at all: what rings before them is far below any recorder's step.
        assert np.abs(signal[:first]).max() < 2e-3 * abs(amplitude)
        if first + drawn["burst_length"].max() < config.signal_length:
            envelope = np.abs(scipy.signal.hilbert(signal.astype(float)))
            assert envelope.max() == pytest.approx(abs(amplitude), rel=0.02)


# Propagation


@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0])
def test_attenuation_has_the_stated_slope_over_frequency_and_path(exponent):
    medium = {"name": "m", "speed_of_sound": 2500, "attenuation": 60, "attenuation_exponent": exponent}
    probe = {"center_frequency": 2.5e6, "fractional_bandwidth": 1.0, "shape": "gaussian"}
    echo = {"medium": "m", "distance": 0.008, "reflectivity_db": 0, "reverberations": 1, "reverberation_loss_db": 0}
    config = change(
        EXAMPLES["immersion_2_25mhz"],
        medium=[medium],
        transducer=probe,
        echo=[echo],
        start_time=4e-6,
        signal_length=2048,
        noise=None,
        grain=None,
        recorder=None,
    )
    drawn = synthesize(config, 1, seed=5)
    signal, spacing = drawn["signal"][0], 2 * 0.008 / 2500 * 100e6
    echoes = [window(signal, drawn["burst_start"][0] + k * spacing - 40, spacing - 60) for k in range(2)]
    (frequency, first), (_, second) = (spectrum(echo, 100e6) for echo in echoes)
    band = (frequency > 1.3e6) & (frequency < 3.7e6)
    loss = 20 * np.log10(np.abs(first[band] / second[band]))
    expected = 60 * (frequency[band] / 1e6) ** exponent * 0.016
    np.testing.assert_allclose(loss, expected, atol=0.05)
    if exponent == 1:
        # dB per MHz, on a path there and back of 16 mm.
        assert np.polyfit(frequency[band] / 1e6, loss, 1)[0] == pytest.approx(60 * 0.016, rel=0.02)


def test_dispersion_delays_the_group_by_its_slope():
    medium = {"name": "plate", "speed_of_sound": 3000, "dispersion": 5e-11, "reference_frequency": 2.5e6}
    probe = {"center_frequency": 2.5e6, "fractional_bandwidth": 0.8, "shape": "gaussian"}
    echo = {"medium": "plate", "distance": 0.012, "reflectivity_db": 0}
    rest = {"noise": None, "grain": None, "recorder": None, "start_time": 0, "signal_length": 4096}
    config = change(EXAMPLES["immersion_2_25mhz"], medium=[medium], transducer=probe, echo=[echo], **rest)
    plain = change(config, medium=[{**medium, "dispersion": 0}])
    frequency, dispersed = spectrum(synthesize(config, 1, seed=6)["signal"][0], 100e6)
    _, straight = spectrum(synthesize(plain, 1, seed=6)["signal"][0], 100e6)
    band = (frequency > 1.5e6) & (frequency < 3.5e6)
    phase = np.unwrap(np.angle(dispersed[band] / straight[band]))
    delay = -np.gradient(phase, 2 * np.pi * frequency[band])
    slope = np.polyfit(frequency[band], delay, 1)
    assert slope[0] == pytest.approx(5e-11 * 0.024, rel=0.01)
    assert np.polyval(slope, 2.5e6) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize(("name", "index", "echo"), [("immersion_2_25mhz", 1, 1), ("contact_array_5mhz", 0, 0)])
def test_multiples_are_spaced_by_the_way_there_and_back(name, index, echo):
    config = EXAMPLES[name]
    drawn = draw_parameters(config, 512, seed=7)
    onsets = np.concatenate([drawn["burst_start"][:, None], drawn["echo_starts"]], axis=1)
    speed = drawn["speed_of_sound"][:, index]
    # One way through the layer, out of the echo that the multiples belong to.
    start = -config.start_time * config.sampling_rate + drawn["trigger_delay"] if echo == 0 else onsets[:, 0]
    distance = (onsets[:, echo] - start) / config.sampling_rate * speed / 2
    low, high = config.echo[echo].distance
    assert low <= np.nanmin(distance)
    assert np.nanmax(distance) <= high
    spacing = onsets[:, echo + 1] - onsets[:, echo]
    seen = np.isfinite(spacing)
    assert seen.sum() > 100
    np.testing.assert_allclose(spacing[seen], (2 * distance / speed * config.sampling_rate)[seen], rtol=1e-9)


def test_the_spacing_is_measured_in_the_signal_too():
    steel = {"name": "steel", "speed_of_sound": 5920}
    echo = {
        "medium": "steel",
        "distance": 0.0125,
        "reflectivity_db": 0,
        "reverberations": 2,
        "reverberation_loss_db": 3,
    }
    config = change(
        EXAMPLES["contact_array_5mhz"],
        medium=[steel],
        echo=[echo],
        ringdown=None,
        grain=None,
        noise=None,
        interference=[],
        recorder=None,
    )
    signal = synthesize(config, 1, seed=8)["signal"][0].astype(float)
    expected = 2 * 0.0125 / 5920 * 100e6
    correlation = scipy.signal.correlate(signal, signal)[len(signal) - 1 :]
    peak = 200 + correlation[200:600].argmax()
    around = correlation[peak - 1 : peak + 2]
    fraction = (around[0] - around[2]) / 2 / (around[0] - 2 * around[1] + around[2])
    assert peak + fraction == pytest.approx(expected, abs=0.02)
    envelope = np.abs(scipy.signal.hilbert(signal))
    tops = [envelope[round(k * expected) : round(k * expected) + 150].max() for k in (1, 2, 3)]
    np.testing.assert_allclose(20 * np.log10(tops), 20 * np.log10(tops[0]) - np.array([0, 3, 6]), atol=0.1)
