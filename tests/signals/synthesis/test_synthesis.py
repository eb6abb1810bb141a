import dataclasses
import timeit

import numpy as np
import pytest
import scipy.signal
import scipy.stats

from keras_usmae.signals import ENVELOPES, NOISE_COLORS, SignalConfig, draw_parameters, render, synthesize
from keras_usmae.signals.synthesis.config import PRESETS

PAPER = SignalConfig.from_preset("paper")
DIVERSE = SignalConfig.from_preset("diverse")


def change(config, **arguments):
    return dataclasses.replace(config, **arguments)


def db(ratio):
    return 20 * np.log10(ratio)


def rms(array):
    return np.sqrt(np.mean(np.square(array, dtype=np.float64), axis=-1))


# What comes out, measured


def test_spectrum_peaks_within_a_bin_of_the_drawn_frequency():
    parameters = draw_parameters(PAPER, 1024, seed=11)
    clean = render(parameters, PAPER)
    padded = 1 << 14
    peak = np.abs(np.fft.rfft(clean, padded)).argmax(axis=1) * PAPER.sampling_rate / padded
    np.testing.assert_allclose(peak, parameters["center_frequency"], rtol=0, atol=PAPER.sampling_rate / 2048)


@pytest.mark.parametrize("name", PRESETS)
def test_bursts_begin_at_the_onset_and_end_after_the_burst_length(name):
    bare = {key: 0.0 for key in vars(PAPER) if key.endswith("_probability")}
    config = change(SignalConfig.from_preset(name), max_echoes=0, max_precursors=0, **bare)
    if config.onset_range:  # bursts that the record cuts
        config = change(config, onset_range=(0.0, 1500.0))
    parameters = draw_parameters(config, 512, seed=12)
    clean = render(parameters, config)
    index = np.arange(config.signal_length)
    since = index - parameters["burst_start"][:, None]
    inside = (since >= 0) & (since < parameters["burst_length"][:, None])
    assert not clean[~inside].any()
    # From the first to the last sample inside, but for one where the carrier, or the envelope at its end, is zero.
    ends = [np.flatnonzero(row)[[0, -1]] for row in clean]
    limits = [np.flatnonzero(row)[[0, -1]] for row in inside]
    np.testing.assert_allclose(ends, limits, atol=1)


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_the_onset_is_exact_between_two_samples(envelope):
    # A burst that is shifted by a fraction of a sample is the same function of time, sampled elsewhere.
    config = change(PAPER, envelopes=(envelope,))
    parameters = draw_parameters(config, 64, seed=13)
    clean = render(parameters, config)
    time = np.arange(2048) - parameters["burst_start"][:, None]
    cycles = parameters["center_frequency"][:, None] / config.sampling_rate
    carrier = np.sin(2 * np.pi * cycles * time + parameters["phase"][:, None])
    u, shape = time / parameters["burst_length"][:, None], parameters["envelope_shape"][:, None]
    inside = (u >= 0) & (u < 1)
    u = np.clip(u, 0, 1)
    if envelope == "rectangular":
        expected = np.ones_like(u)
    elif envelope == "hann":
        expected = np.sin(np.pi * u) ** 2
    elif envelope == "tukey":
        expected = np.sin(np.pi / 2 * np.minimum(1, np.minimum(u, 1 - u) / (0.05 + 0.4 * shape))) ** 2
    elif envelope == "gaussian":
        floor = np.exp(-((2.5 + shape) ** 2) / 2)
        expected = (np.exp(-(((2 * u - 1) * (2.5 + shape)) ** 2) / 2) - floor) / (1 - floor)
    else:
        rise, decay = 40 ** (1 - shape), 5 + 2 * shape
        curve = lambda t: (1 - np.exp(-rise * t)) * np.exp(-decay * t)  # noqa: E731
        expected = curve(u) / curve(np.linspace(0, 1, 10_001)).max(axis=1, keepdims=True)
    expected = parameters["amplitude"][:, None] * expected * carrier * inside
    np.testing.assert_allclose(clean, expected, atol=2e-4)


@pytest.mark.parametrize("color", NOISE_COLORS)
def test_snr_is_the_drawn_one(color):
    config = change(PAPER, noise_colors=(color,))
    batch = synthesize(config, 512, seed=14)
    clean = render(batch, config)
    noise = batch["signal"] - clean
    since = np.arange(2048) - batch["burst_start"][:, None]
    inside = (since >= 0) & (since < batch["burst_length"][:, None])
    burst_rms = np.array([rms(row[mask]) for row, mask in zip(clean, inside, strict=True)])
    measured = db(burst_rms / rms(noise))
    np.testing.assert_allclose(measured, batch["snr_db"], atol=0.05)
    np.testing.assert_allclose(rms(noise), batch["noise_rms"], rtol=1e-4)


def test_noise_is_gaussian_white_and_not_shared_between_signals():
    batch = synthesize(PAPER, 512, seed=15)
    noise = (batch["signal"] - render(batch, PAPER)) / batch["noise_rms"][:, None]
    assert scipy.stats.kstest(noise[:, ::97].ravel(), "norm").pvalue > 1e-3
    lagged = np.array([np.mean(noise[:, lag:] * noise[:, : 2048 - lag]) for lag in range(1, 20)])
    np.testing.assert_allclose(lagged, 0, atol=5 / np.sqrt(noise.size))
    gram = noise @ noise.T / 2048
    np.testing.assert_allclose(gram[~np.eye(512, dtype=bool)], 0, atol=6.5 / np.sqrt(2048))


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("burst_start", "onset_interval"),
        ("center_frequency", "center_frequency"),
        ("burst_length", "burst_length"),
        ("phase", "phase"),
        ("snr_db", "snr_db"),
        ("dc_offset", "dc_offset"),
        ("ringdown_decay", "ringdown_decay"),
    ],
)
def test_draws_are_uniform_over_the_whole_range(name, field):
    low, high = getattr(DIVERSE, field)
    drawn = draw_parameters(DIVERSE, 8192, seed=16)[name]
    assert scipy.stats.kstest(drawn, "uniform", (low, high - low)).pvalue > 1e-3
    # None of the 8192 is likely to be farther from an end than ten times the mean spacing.
    margin = (high - low) * 10 / 8192
    assert low <= drawn.min() < low + margin
    assert high - margin < drawn.max() < high


def test_levels_are_uniform_in_db():
    drawn = draw_parameters(DIVERSE, 8192, seed=17)
    rings = drawn["ringdown_amplitude"] > 0
    assert rings.mean() == pytest.approx(DIVERSE.ringdown_probability, abs=0.02)
    attenuation = db(drawn["amplitude"][:, None] / np.abs(drawn["echo_amplitudes"]))
    for levels, (low, high) in (
        (db(drawn["amplitude"]), DIVERSE.amplitude_db),
        (db(drawn["ringdown_amplitude"][rings]), DIVERSE.ringdown_amplitude_db),
        (attenuation[np.isfinite(attenuation)], DIVERSE.echo_attenuation_db),
    ):
        assert scipy.stats.kstest(levels, "uniform", (low, high - low)).pvalue > 1e-3


def test_choices_have_equal_weight_unless_named_twice():
    config = change(DIVERSE, envelopes=("hann", "damped", "damped"), noise_colors=("pink", "band"), adc_bits=(8, 12))
    drawn = draw_parameters(config, 8192, seed=18)
    for name, weights in (
        ("envelope", {ENVELOPES.index("hann"): 1 / 3, ENVELOPES.index("damped"): 2 / 3}),
        ("noise_color", {NOISE_COLORS.index("pink"): 1 / 2, NOISE_COLORS.index("band"): 1 / 2}),
        ("adc_bits", {8: 1 / 2, 12: 1 / 2}),
    ):
        values, counts = np.unique(drawn[name], return_counts=True)
        np.testing.assert_array_equal(values, list(weights))
        assert scipy.stats.chisquare(counts, 8192 * np.array(list(weights.values()))).pvalue > 1e-3


def test_parameters_are_independent():
    drawn = draw_parameters(DIVERSE, 8192, seed=19)
    # Left out: fewer echoes start within the record after a late start, and the onset follows the start.
    left_out = ("num_echoes", "onset")
    table = np.stack([value for name, value in drawn.items() if value.ndim == 1 and name not in left_out])
    correlation = np.corrcoef(table)
    np.testing.assert_allclose(correlation[~np.eye(len(table), dtype=bool)], 0, atol=5 / np.sqrt(8192))


# Echoes, ring-down, recorder


def test_echoes_are_attenuated_delayed_copies():
    config = change(PAPER, max_echoes=3, echo_delay=(450, 500), echo_attenuation_db=(6, 20), envelopes=("hann",))
    parameters = draw_parameters(config, 256, seed=20)
    with_echoes = render(parameters, config)
    first = render({**parameters, "echo_starts": np.empty((256, 0)), "echo_amplitudes": np.empty((256, 0))}, config)
    echoes = with_echoes - first
    expected = np.zeros_like(echoes)
    for k in range(3):
        rows = np.flatnonzero(~np.isnan(parameters["echo_starts"][:, k]))
        single = {name: value[rows] for name, value in parameters.items()}
        single |= {"burst_start": single["echo_starts"][:, k], "amplitude": single["echo_amplitudes"][:, k]}
        single |= {"echo_starts": np.empty((rows.size, 0)), "echo_amplitudes": np.empty((rows.size, 0))}
        expected[rows] += render(single, config)
    np.testing.assert_allclose(echoes, expected, atol=1e-6)
    # Delays of 450 and more keep bursts of 400 apart, so that each echo can be seen on its own.
    for row, onset, amplitude in zip(
        with_echoes, parameters["echo_starts"][:, 0], parameters["echo_amplitudes"][:, 0], strict=True
    ):
        if onset < 1600:
            peak = np.abs(row[int(onset) : int(onset) + 400]).max()
            assert 0.8 * abs(amplitude) < peak <= 1.0001 * abs(amplitude)


def test_echo_arrays_are_padded_with_nan_and_counted():
    drawn = draw_parameters(DIVERSE, 4096, seed=21)
    onsets, count = drawn["echo_starts"], drawn["num_echoes"]
    assert onsets.shape == drawn["echo_amplitudes"].shape == (4096, DIVERSE.max_echoes)
    present = np.isfinite(onsets)
    np.testing.assert_array_equal(present.sum(axis=1), count)
    np.testing.assert_array_equal(present, np.arange(DIVERSE.max_echoes) < count[:, None])
    np.testing.assert_array_equal(present, np.isfinite(drawn["echo_amplitudes"]))
    assert (onsets[present] < DIVERSE.signal_length).all()
    delays = np.diff(np.concatenate([drawn["burst_start"][:, None], onsets], axis=1), axis=1)
    delays = delays[np.isfinite(delays)]
    assert delays.min() >= DIVERSE.echo_delay[0]
    assert delays.max() <= DIVERSE.echo_delay[1]
    inverted = np.mean(drawn["echo_amplitudes"][present] < 0)
    assert inverted == pytest.approx(0.5, abs=0.03)
    assert set(np.unique(count)) == set(range(DIVERSE.max_echoes + 1))


def test_ringdown_decays_from_sample_zero():
    config = change(PAPER, ringdown_probability=1.0, ringdown_decay=(30, 30), onset_range=(1000, 1600))
    parameters = draw_parameters(config, 64, seed=22)
    head = render(parameters, config)[:, :1000]
    time = np.arange(1000)
    phase = 2 * np.pi * parameters["center_frequency"][:, None] / 100e6 * time + parameters["ringdown_phase"][:, None]
    expected = parameters["ringdown_amplitude"][:, None] * np.exp(-time / 30) * np.sin(phase)
    np.testing.assert_allclose(head, expected, atol=1e-5)


@pytest.mark.parametrize("bits", [2, 8, 12])
def test_the_recorder_rounds_and_clips(bits):
    config = change(PAPER, amplitude_db=(-12, 12), adc_bits=(bits,), dc_offset=(-0.1, 0.1))
    ideal, real = (synthesize(c, 256, seed=23) for c in (change(config, adc_bits=()), config))
    step = 2.0 ** (1 - bits)
    codes = real["signal"] / step
    np.testing.assert_array_equal(codes, np.rint(codes))
    assert real["signal"].min() == -1
    assert real["signal"].max() == 1 - step
    inside = (ideal["signal"] > -1) & (ideal["signal"] < 1 - step)
    assert np.abs(real["signal"] - ideal["signal"])[inside].max() <= step / 2 + 1e-6
    beyond = (ideal["signal"] >= 1 - step / 2).any(axis=1) | (ideal["signal"] < -1).any(axis=1)
    assert real["clipped"][beyond].all()
    at_an_end = ((real["signal"] == -1) | (real["signal"] == 1 - step)).any(axis=1)
    np.testing.assert_array_equal(real["clipped"], at_an_end)
    assert 0 < real["clipped"].mean() < 1
    assert not ideal["clipped"].any()


def test_dc_offset_is_added():
    config = change(PAPER, dc_offset=(-0.3, 0.3))
    batch = synthesize(config, 128, seed=24)
    quiet = batch["signal"] - render(batch, config)
    np.testing.assert_allclose(quiet.mean(axis=1), batch["dc_offset"], atol=0.01)


def test_bursts_may_run_over_the_end_where_asked():
    config = change(PAPER, onset_range=(1900, 2047.999))
    batch = synthesize(config, 256, seed=25)
    assert batch["signal"].shape == (256, 2048)
    # The SNR is that of the whole burst, of which the record holds a part.
    late = render({**batch, "burst_start": np.full(256, 100.0)}, config)
    np.testing.assert_allclose(
        db(np.sqrt(np.sum(late**2, axis=1) / batch["burst_length"]) / batch["noise_rms"]), batch["snr_db"], atol=0.1
    )


def test_quickstart_bursts_are_as_long_as_measured_ones():
    # 150 to 345 samples above -20 dB were measured on immersion scans at 100 MHz, clipped echoes among them.
    config = change(SignalConfig.from_preset("quickstart"), max_echoes=0, ringdown_probability=0.0)
    batch = synthesize(change(config, snr_db=(60, 60)), 1024, seed=26)
    envelope = np.abs(scipy.signal.hilbert(batch["signal"] - np.median(batch["signal"], axis=1, keepdims=True)))
    loud = envelope > 0.1 * envelope.max(axis=1, keepdims=True)
    length = 2048 - loud.argmax(axis=1) - loud[:, ::-1].argmax(axis=1)
    low, middle, high = np.quantile(length, [0.05, 0.5, 0.98])
    assert low < 150 < 200 < middle < 260 < 345 < high
    assert 0.25 < batch["clipped"].mean() < 0.5


# Reproducibility


@pytest.mark.parametrize("config", [PAPER, DIVERSE], ids=["paper", "diverse"])
def test_signals_do_not_depend_on_the_size_or_start_of_a_request(config):
    whole = synthesize(config, 700, seed=27)
    for start, count in ((0, 1), (0, 256), (255, 2), (256, 256), (300, 400), (699, 1), (500, 0)):
        part = synthesize(config, count, seed=27, start=start)
        assert part.keys() == whole.keys()
        for key, value in part.items():
            assert value.dtype == whole[key].dtype
            np.testing.assert_array_equal(value, whole[key][start : start + count], err_msg=key)


def test_seeds_and_indices_give_different_signals():
    first, second = (synthesize(PAPER, 600, seed=seed) for seed in (28, 29))
    onsets = np.concatenate([first["burst_start"], second["burst_start"]])
    assert np.unique(onsets).size == 1200
    signals = np.concatenate([first["signal"], second["signal"]])[:, 7]
    assert np.unique(signals).size > 1190


def test_drawn_parameters_are_those_of_the_signals():
    batch = synthesize(DIVERSE, 300, seed=30, start=100)
    for key, value in draw_parameters(DIVERSE, 300, seed=30, start=100).items():
        np.testing.assert_array_equal(value, batch[key], err_msg=key)


def test_the_random_stream_is_pinned():
    # Published sets are named by their seed: a change of these numbers is a new version of every set.
    batch = synthesize(PAPER, 2, seed=0)
    np.testing.assert_allclose(batch["burst_start"], [575.0691355722934, 1410.783790984765])
    np.testing.assert_allclose(batch["snr_db"], [24.961120837357498, 28.569188794447705])
    np.testing.assert_allclose(batch["signal"][:, 0], [-0.0118166385, -0.00120785518], rtol=1e-4)


@pytest.mark.slow
def test_paper_signals_cost_at_most_three_times_their_gaussian_noise():
    def best(function):
        return min(timeit.repeat(function, number=1, repeat=7))

    rng = np.random.default_rng(0)
    noise = best(lambda: rng.standard_normal((2048, 2048), dtype=np.float32))
    assert best(lambda: synthesize(PAPER, 2048, seed=0)) < 3 * noise


@pytest.mark.parametrize("arguments", [{"num_signals": -1}, {"num_signals": 2.0}, {"seed": -1}, {"start": -5}])
def test_counts_are_checked(arguments):
    (name, value), *_ = arguments.items()
    with pytest.raises(ValueError, match=f"`{name}` must be an integer of 0 or more, but is {value}"):
        synthesize(PAPER, **{"num_signals": 1, "seed": 0, "start": 0, **arguments})


@pytest.mark.parametrize("name", PRESETS)
def test_outputs_are_finite_and_typed(name):
    config = SignalConfig.from_preset(name)
    batch = synthesize(config, 512, seed=31)
    assert batch["signal"].dtype == np.float32
    assert batch["signal"].flags.c_contiguous
    for key, value in batch.items():
        assert len(value) == 512
        if key in ("onset", "burst_start"):
            assert np.isnan(value).mean() == pytest.approx(config.silent_probability, abs=0.05), key
        elif not key.startswith(("echo_", "grain_snr", "tone_snr")):
            assert np.isfinite(value).all(), key
    assert batch["burst_start"].dtype == np.float64
    assert np.nanmax(batch["burst_start"]) < config.signal_length
    assert (batch["signal"].std(axis=1) > 0).all()
