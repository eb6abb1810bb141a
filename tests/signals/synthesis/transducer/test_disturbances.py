"""What disturbs a described transducer's echoes, against the law of each: grain, ring-down, interference, recorder."""

import dataclasses

import numpy as np
import pytest
import scipy.signal

from keras_usmae.signals import draw_parameters, render, synthesize
from keras_usmae.signals.synthesis.transducer import make_pulses
from tests.described_transducers import EXAMPLES, change, first_echo_only


@pytest.mark.parametrize("name", ["contact_array_5mhz", "air_coupled_40khz"])
def test_the_ringdown_decays_with_its_time_constant(name):
    config = change(EXAMPLES[name], noise=None, grain=None, interference=[], recorder=None)
    drawn = synthesize(config, 64, seed=9)
    for i in range(64):
        if drawn["burst_start"][i] < 8 * drawn["ringdown_decay"][i]:
            continue
        ring = drawn["signal"][i, : int(4 * drawn["ringdown_decay"][i])].astype(float)
        envelope = np.abs(scipy.signal.hilbert(drawn["signal"][i].astype(float)))[: ring.size]
        middle = slice(ring.size // 6, ring.size)
        slope = np.polyfit(np.arange(ring.size)[middle], np.log(envelope[middle]), 1)[0]
        assert -1 / slope == pytest.approx(drawn["ringdown_decay"][i], rel=0.12)
    assert drawn["ringdown_amplitude"].min() > 10 ** (config.ringdown.amplitude_db[0] / 20) * 0.999


def test_grain_noise_has_the_spectrum_of_the_pulse():
    steel = {"name": "steel", "speed_of_sound": 5920}
    grain = {"medium": "steel", "snr_db": 10}
    probe = {"center_frequency": 5e6, "fractional_bandwidth": 0.6, "phase": 0}
    config = change(
        EXAMPLES["contact_array_5mhz"],
        transducer=probe,
        medium=[steel],
        grain=grain,
        ringdown=None,
        noise=None,
        interference=[],
        recorder=None,
    )
    drawn = synthesize(config, 1024, seed=10)
    noise = drawn["signal"] - render(drawn, config)
    pulse, _ = make_pulses({key: value[:1] for key, value in drawn.items()}, config)
    power = np.mean(np.abs(np.fft.rfft(noise * np.hanning(2048), axis=1)) ** 2, axis=0)
    expected = np.abs(np.fft.rfft(pulse[0], 2048)) ** 2
    frequency = np.fft.rfftfreq(2048, 1e-8)
    band = (frequency > 3e6) & (frequency < 7e6)
    ratio = 10 * np.log10(power[band] / power.max() * expected.max() / expected[band])
    np.testing.assert_allclose(ratio, 0, atol=0.8)
    burst_rms = np.sqrt(
        np.sum(
            render({**drawn, "burst_start": np.full(1024, 500.0), "echo_starts": drawn["echo_starts"] * np.nan}, config)
            ** 2,
            axis=1,
        )
        / drawn["burst_length"]
    )
    level = 20 * np.log10(burst_rms / np.sqrt(np.mean(noise[:, 200:] ** 2, axis=1)))
    assert np.mean(level) == pytest.approx(10, abs=0.3)


def test_grain_noise_begins_where_the_wave_enters_and_decays_with_the_attenuation():
    config = EXAMPLES["immersion_2_25mhz"]
    media = [dataclasses.asdict(medium) for medium in config.medium]
    media[1] |= {"attenuation": 40.0, "speed_of_sound": 6300}
    config = change(
        config,
        medium=media,
        noise=None,
        recorder=None,
        grain={"medium": "aluminium", "snr_db": 6, "probability": 1},
        transducer={"center_frequency": 2.25e6},
    )
    drawn = synthesize(config, 2048, seed=11)
    noise = drawn["signal"] - render(drawn, config)
    before, powers = [], []
    for row, start in zip(noise, drawn["grain_start"], strict=True):
        first = int(start)
        before.append(np.abs(row[: max(first - 1, 0)]).max(initial=0) / np.abs(row).max())
        if first + 1100 < 2048:
            powers.append(row[first : first + 1100] ** 2)
    assert max(before) < 2e-3
    level = 10 * np.log10(np.mean(powers, axis=0))
    # dB a sample: attenuation at 2.25 MHz times the path of a sample.
    slope = np.polyfit(np.arange(200, 1100), level[200:], 1)[0]
    assert slope == pytest.approx(-40 * 2.25**2 * 6300 / 100e6, rel=0.05)


def test_interference_is_a_line_at_its_frequency_and_level():
    sine = {"frequency": 9e6, "snr_db": 3}
    config = change(
        EXAMPLES["contact_array_5mhz"], ringdown=None, grain=None, noise=None, recorder=None, interference=[sine]
    )
    drawn = synthesize(config, 16, seed=12)
    line = drawn["signal"] - render(drawn, config)
    spectra = np.abs(np.fft.rfft(line * np.hanning(2048), axis=1))
    np.testing.assert_allclose(np.fft.rfftfreq(2048, 1e-8)[spectra.argmax(axis=1)], 9e6, atol=5e4)
    alone = render(
        {**drawn, "burst_start": np.full(16, 500.0), "echo_starts": np.full_like(drawn["echo_starts"], np.nan)}, config
    )
    burst = np.sqrt(np.sum(alone**2, axis=1) / drawn["burst_length"])
    np.testing.assert_allclose(20 * np.log10(burst / np.sqrt(np.mean(line**2, axis=1))), 3, atol=0.1)
    assert np.unique(drawn["interference_phase"]).size == 16


@pytest.mark.parametrize("bits", [8, 12])
def test_the_recorder_rounds_to_its_step_and_clips_at_full_scale(bits):
    config = change(EXAMPLES["immersion_2_25mhz"], recorder={"adc_bits": bits, "gain_db": 10})
    drawn = synthesize(config, 64, seed=13)
    step = 2.0 ** (1 - bits)
    codes = drawn["signal"] / step
    np.testing.assert_array_equal(codes, np.rint(codes))
    assert np.diff(np.unique(codes)).min() == 1
    assert (codes.min(), codes.max()) == (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    assert 0 < drawn["clipped"].mean() < 1
    loud = np.abs(drawn["amplitude"]) > 1.6
    assert drawn["clipped"][loud].all()


def test_jitter_moves_label_and_echo_together_and_clock_jitter_is_noise_on_slopes():
    base = EXAMPLES["contact_array_5mhz"]
    steel, echo = {"name": "steel", "speed_of_sound": 5920}, {"medium": "steel", "distance": 0.03, "reflectivity_db": 0}
    quiet = {"ringdown": None, "grain": None, "noise": None, "interference": []}
    config = change(
        base,
        medium=[steel],
        echo=[echo],
        recorder={"trigger_jitter": 30e-9, "gain_db": 0, "adc_bits": None, "dc_offset": 0, "clock_jitter": 0},
        transducer={"phase": 0, "center_frequency": 5e6, "fractional_bandwidth": 0.6},
        **quiet,
    )
    drawn = synthesize(config, 512, seed=14)
    assert drawn["burst_start"].std() == pytest.approx(3.0, rel=0.1)
    centroid = np.sum(np.arange(2048) * drawn["signal"] ** 2, axis=1) / np.sum(drawn["signal"] ** 2, axis=1)
    assert np.std(centroid - drawn["burst_start"]) < 0.01
    shaky = change(config, recorder={"trigger_jitter": 0, "clock_jitter": 1e-9})
    drawn = synthesize(shaky, 512, seed=14)
    clean = render(drawn, shaky)
    error = drawn["signal"] - clean
    slope = np.gradient(clean, axis=1) * 100e6
    assert np.sqrt(np.mean(error**2)) == pytest.approx(1e-9 * np.sqrt(np.mean(slope**2)), rel=0.02)


def test_snr_is_the_drawn_one():
    config = change(EXAMPLES["immersion_2_25mhz"], grain=None, recorder=None)
    drawn = synthesize(config, 256, seed=15)
    noise = drawn["signal"] - render(drawn, config)
    alone = first_echo_only(config, signal_length=4096, start_time=2e-5)
    one = {
        **drawn,
        "burst_start": np.full(256, 500.0),
        "paths": drawn["paths"][:, :1, :1],
        "echo_starts": np.empty((256, 0)),
    }
    burst = np.sqrt(np.sum(render(one, alone) ** 2, axis=1) / drawn["burst_length"])
    np.testing.assert_allclose(20 * np.log10(burst / np.sqrt(np.mean(noise**2, axis=1))), drawn["snr_db"], atol=0.1)


# Reproducibility


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_depend_on_their_index_alone(name):
    config = EXAMPLES[name]
    whole = synthesize(config, 600, seed=16)
    for start, count in ((0, 1), (255, 2), (300, 300)):
        part = synthesize(config, count, seed=16, start=start)
        for key, value in part.items():
            np.testing.assert_array_equal(value, whole[key][start : start + count], err_msg=key)
    drawn = draw_parameters(config, 600, seed=16)
    for key, value in drawn.items():
        np.testing.assert_array_equal(value, whole[key], err_msg=key)
    assert np.unique(whole["burst_start"]).size == 600
    assert np.isfinite(whole["signal"]).all()
    assert whole["signal"].dtype == np.float32
    assert whole["burst_start"].min() >= 0
    assert whole["burst_start"].max() < config.signal_length
