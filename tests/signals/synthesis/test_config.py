import dataclasses
import json

import pytest

from keras_usmae.signals import SignalConfig
from keras_usmae.signals.synthesis.config import PRESETS


def test_paper_has_the_ranges_of_the_paper():
    config = SignalConfig.from_preset("paper")
    assert (config.signal_length, config.sampling_rate) == (2048, 100e6)
    assert config.center_frequency == (1e6, 4e6)
    assert config.burst_length == (200.0, 400.0)
    assert config.snr_db == (18.0, 38.0)
    assert config.noise_colors == ("white",)
    assert config.max_echoes == 0
    assert config.onset_interval == (0.0, 1648.0)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_hashable_and_survive_json(name):
    config = SignalConfig.from_preset(name)
    assert SignalConfig(**json.loads(json.dumps(dataclasses.asdict(config)))) == config
    assert hash(config) == hash(SignalConfig.from_preset(name))


def test_unknown_preset_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"no preset 'papr'.*\['diverse', 'field', 'paper', 'quickstart'\]"):
        SignalConfig.from_preset("papr")


def test_it_is_frozen_and_replaceable():
    config = SignalConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.signal_length = 4096
    assert dataclasses.replace(config, signal_length=4096).onset_interval == (0.0, 3696.0)
    assert dataclasses.replace(config, onset_range=(100, 2000)).onset_interval == (100, 2000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"signal_length": 0}, "`signal_length` must be an integer of 1 or more, but is 0"),
        ({"signal_length": 2048.0}, "`signal_length` must be an integer.*2048.0"),
        ({"sampling_rate": float("nan")}, "`sampling_rate` must be a positive number in Hz, but is nan"),
        ({"center_frequency": (4e6, 1e6)}, "`center_frequency` must have low <= high"),
        ({"center_frequency": (1e6, 50e6)}, "`center_frequency` must lie above 0 to below 5e.07 Hz"),
        ({"center_frequency": 2e6}, "`center_frequency` must be a pair"),
        ({"center_frequency": ("1", "2")}, "`center_frequency` must be a pair"),
        ({"burst_length": (200, 4096)}, "`burst_length` must lie from 4 to 2048 samples"),
        ({"burst_length": (0, 10)}, "`burst_length` must lie from 4 to 2048 samples"),
        ({"onset_range": (-1, 100)}, "`onset_range` must lie from 0 to below 2048 samples"),
        ({"onset_range": (0, 2048)}, "`onset_range` must lie from 0 to below 2048 samples"),
        ({"snr_db": (18, float("inf"))}, "`snr_db` must be a pair"),
        ({"envelopes": ()}, "`envelopes` must be a tuple with one or more"),
        ({"envelopes": ("hann", "haan")}, "`envelopes` holds 'haan', which is not one of"),
        ({"noise_colors": "white"}, "`noise_colors` must be a tuple"),
        ({"noise_band": (2e6, 2e6)}, "`noise_band` must have a width"),
        ({"max_echoes": -1}, "`max_echoes` must be an integer of 0 or more"),
        ({"echo_delay": (0, 10)}, "`echo_delay` must lie above 0 samples"),
        ({"ringdown_probability": 1.5}, r"`ringdown_probability` must lie in \[0, 1\]"),
        ({"ringdown_decay": (-1, 1)}, "`ringdown_decay` must lie above 0 samples"),
        ({"adc_bits": (8, 1)}, "`adc_bits` holds 1"),
    ],
)
def test_impossible_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        SignalConfig(**arguments)
