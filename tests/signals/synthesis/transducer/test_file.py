import dataclasses
import json
import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_usmae.signals import TransducerConfig, read_transducer, synthesize, tone_burst, transducer_names
from keras_usmae.signals.synthesis.transducer import measured_band

MINIMAL = """\
sampling_rate = 50e6
signal_length = 512

[transducer]
center_frequency = 5e6
fractional_bandwidth = 0.6

[[medium]]
name = "steel"
speed_of_sound = 5900

[[echo]]
medium = "steel"
distance = 0.01
reflectivity_db = [
    -6,
    0,
]
"""


def write(folder, content):
    path = folder / "probe.toml"
    path.write_text(content)
    return path


def test_a_minimal_file_is_enough(tmp_path):
    config = read_transducer(write(tmp_path, MINIMAL))
    assert config.echo[0].reflectivity_db == (-6.0, 0.0)
    signals = synthesize(config, 3, seed=0)
    assert signals["burst_start"] == pytest.approx(2 * 0.01 / 5900 * 50e6)
    assert signals["signal"].shape == (3, 512)


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "message"),
    [
        ("sampling_rate", "sample_rate", 1, "sample_rate", "is unknown. Did you mean 'sampling_rate'"),
        ("50e6", "-1.0", 1, "sampling_rate", "must be a number above 0 in Hz, but is -1.0"),
        ("50e6", "true", 1, "sampling_rate", "must be a number above 0 in Hz, but is True"),
        ("50e6", "nan", 1, "sampling_rate", "must be a number above 0 in Hz, but is nan"),
        ("512", "5.5", 2, "signal_length", "must be an integer from 16"),
        ("center_frequency = 5e6\n", "", 4, "transducer.center_frequency", "is missing. Give center_frequency and"),
        ("5e6\n", "24e6\n", 5, "transducer.center_frequency", "reach 3.12e+07 Hz at -6 dB, above half"),
        ("0.6", "[0.8, 0.6]", 6, "transducer.fractional_bandwidth", "must have low <= high"),
        ("0.6", '"wide"', 6, "transducer.fractional_bandwidth", "a number or a range [low, high]"),
        ("5900", "0", 10, "medium[0].speed_of_sound", "must lie above 0 m/s, but is 0"),
        ('name = "steel"', 'name = "iron"', 9, "medium[0].name", "is 'iron', which no echo"),
        ('medium = "steel"', 'medium = "stele"', 9, "medium[0].name", "is 'steel', which no echo"),
        ('medium = "steel"\n', "", 9, "medium[0].name", "no echo"),
        ("    0,\n", "    0,\n    1,\n", 15, "echo[0].reflectivity_db", "a number or a range"),
        ("distance = 0.01", "distance = 0.05", 14, "echo[0].distance", "but the record lasts from 0 to 1.024e-05 s"),
        ("distance = 0.01\n", "", 12, "echo[0].delay", "is missing, or distance in its place"),
        ("distance = 0.01", "distance = 0.01\ndelay = 1e-6", 15, "echo[0].delay", "is what distance says already"),
        ("distance = 0.01", "distance = 0.01\nprobability = 0.5", 15, "echo[0].probability", "the labelled one"),
        ("distance = 0.01", 'distance = 0.01\nafter = "x"', 15, "echo[0].after", "must name an echo above"),
    ],
)
def test_errors_name_file_line_and_key(tmp_path, old, new, line, key, message):
    path = write(tmp_path, MINIMAL.replace(old, new, 1))
    with pytest.raises(ValueError) as error:
        read_transducer(path)
    text = str(error.value)
    assert text.startswith(f"{str(path)!r}, line {line}: {key!r} "), text
    assert message in text


@pytest.mark.parametrize(
    ("extra", "line", "key", "message"),
    [
        ('[excitation]\nkind = "burst"', 19, "excitation.cycles", 'is missing: kind = "burst" needs it'),
        ('[excitation]\nkind = "square"', 20, "excitation.kind", "must be one of ['spike', 'burst', 'chirp', 'code']"),
        ('[excitation]\nkind = "spike"\ncycles = 3', 21, "excitation.cycles", "has no meaning"),
        ("[excitation]\nkind = []", 20, "excitation.kind", "must be one of"),
        ("[recorder]\nadc_bits = 1", 20, "recorder.adc_bits", "must lie from 2 to 24"),
        ('[noise]\nsnr_db = 20\ncolor = "band"', 19, "noise.band", 'color = "band"'),
        ("[noise]\nsnr_db = 20\nband = [1e6, 2e6]", 21, "noise.band", 'color = "band"'),
        ("[noise]", 19, "noise.snr_db", "is missing"),
        ('[grain]\nmedium = "water"\nsnr_db = 20', 20, "grain.medium", "must be the name of a [[medium]]"),
        ("[[interference]]\nfrequency = 26e6\nsnr_db = 3", 20, "interference[0].frequency", "up to half of that"),
        ("[interference]\nfrequency = 2e6\nsnr_db = 3", 19, "interference", "headed [[interference]]"),
        ("[ringdown]\namplitude_db = 3\ndecay = 0", 21, "ringdown.decay", "must lie above 0 s, but is 0"),
        ('[[medium]]\nname = "steel"\nspeed_of_sound = 1', 20, "medium[1].name", "names two media 'steel'"),
    ],
)
def test_errors_of_further_tables(tmp_path, extra, line, key, message):
    path = write(tmp_path, f"{MINIMAL}{extra}\n")
    with pytest.raises(ValueError) as error:
        read_transducer(path)
    text = str(error.value)
    assert text.startswith(f"{str(path)!r}, line {line}: {key!r} "), text
    assert message in text


def test_what_is_no_toml_or_no_file_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"probe\.toml' is not valid TOML: .*line 2"):
        read_transducer(write(tmp_path, "sampling_rate = 1e6\n= 3"))
    (tmp_path / "probe.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="is not valid TOML"):
        read_transducer(tmp_path / "probe.toml")
    with pytest.raises(FileNotFoundError, match=r"no transducer file 'mine'.*immersion_2_25mhz"):
        read_transducer("mine")


def test_python_errors_name_the_key_too():
    with pytest.raises(ValueError, match=r"'transducer.shape' must be one of"):
        TransducerConfig.from_dict({**tomllib.loads(MINIMAL), "transducer": {"shape": "square"}})


@pytest.mark.parametrize("name", transducer_names())
def test_a_configuration_survives_json(name):
    config = read_transducer(name)
    assert TransducerConfig.from_dict(json.loads(json.dumps(dataclasses.asdict(config)))) == config
    assert hash(config) == hash(read_transducer(name))


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(),
    st.text(max_size=3),
    st.lists(st.floats(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
paths = st.sampled_from(
    [
        (table, key)
        for name in transducer_names()
        for table, content in dataclasses.asdict(read_transducer(name)).items()
        for key in (content if isinstance(content, dict) else [None])
    ]
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(name=st.sampled_from(transducer_names()), path=paths, value=values)
def test_any_other_value_reads_right_or_is_told(name, path, value):
    content = dataclasses.asdict(read_transducer(name))
    table, key = path
    if key is None:
        content[table] = value
    else:
        content[table] = {**(content[table] or {}), key: value}
    fault, config = "", None
    try:
        config = TransducerConfig.from_dict(content)
    except ValueError as error:
        fault = str(error)
    assert fault.startswith(("'", "The file")) or config.onset_interval[1] < config.signal_length


# Measured responses


def measured_file(folder, rate, delay=1.3e-6, suffix=".npy"):
    """A response of 5 MHz, recorded at `rate`, with its onset at `delay` and an offset."""
    pulse = np.zeros(300)
    time = np.arange(300) / rate - delay
    inside = (time >= 0) & (time < 1e-6)
    pulse[inside] = np.sin(np.pi * time[inside] / 1e-6) ** 2 * np.sin(2 * np.pi * 5e6 * time[inside])
    path = folder / f"pulse{suffix}"
    if suffix == ".npy":
        np.save(path, 0.4 + 3 * pulse)
    else:
        np.savetxt(path, 0.4 + 3 * pulse)
    (folder / "pulse.toml").write_text(f"sampling_rate = {rate}\n" + ("axis = 0\n" if suffix == ".csv" else ""))
    return path.name


def with_response(name, more="impulse_response_onset = 1.3e-6"):
    probe = "center_frequency = 5e6\nfractional_bandwidth = 0.6\n"
    return MINIMAL.replace(probe, f'impulse_response = "{name}"\n{more}\n')


@pytest.mark.parametrize(("rate", "suffix"), [(50e6, ".npy"), (80e6, ".npy"), (80e6, ".csv")])
def test_a_measured_response_is_resampled_and_begins_at_the_onset(tmp_path, rate, suffix):
    name = measured_file(tmp_path, rate, suffix=suffix)
    more = "impulse_response_onset = 1.3e-6" + ("" if rate == 50e6 else "\nresample = true")
    config = read_transducer(write(tmp_path, with_response(name, more)))
    signal, expected = synthesize(config, 1, seed=0), tone_burst(5e6, 50, 50e6)
    onset = signal["burst_start"][0]
    time = np.arange(512) - onset
    inside = (time >= 0) & (time < 50)
    wanted = np.where(inside, np.sin(np.pi * time / 50) ** 2 * np.sin(2 * np.pi * 0.1 * time), 0)
    got = signal["signal"][0] / signal["amplitude"][0]
    np.testing.assert_allclose(got, wanted, atol=0.03)
    center, bandwidth = measured_band(expected, 50e6)
    assert signal["center_frequency"][0] == pytest.approx(center, rel=0.02)
    assert signal["fractional_bandwidth"][0] == pytest.approx(bandwidth, rel=0.05)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            "impulse_response_onset = 1.3e-6",
            "80000000.0 Hz|8e\\+07 Hz and the signals have 5e\\+07 Hz. Set resample = true",
        ),
        ("resample = true", "line 4: 'transducer.impulse_response_onset' is missing"),
        ("impulse_response_onset = 1\nresample = true", "line 6: 'transducer.impulse_response_onset' is 1 s, outside"),
        (
            "impulse_response_onset = 1e-6\nresample = true\ncenter_frequency = 5e6",
            "line 8: 'transducer.center_frequency' is what",
        ),
    ],
)
def test_what_is_wrong_with_a_measured_response_is_told(tmp_path, more, message):
    path = write(tmp_path, with_response(measured_file(tmp_path, 80e6), more))
    with pytest.raises(ValueError, match=message):
        read_transducer(path)


@pytest.mark.parametrize("name", ["../pulse.npy", "/pulse.npy", "other.npy"])
def test_a_response_lies_beside_its_transducer_file(tmp_path, name):
    measured_file(tmp_path, 50e6)
    (tmp_path / "sub").mkdir()
    with pytest.raises(ValueError, match=r"line 5: 'transducer.impulse_response' cannot be used"):
        read_transducer(write(tmp_path / "sub", with_response(name)))
