import dataclasses

import numpy as np
import pytest
from usmae_datasets.ultrasound_measured.labels import measure_extent

from keras_usmae.signals import ENVELOPES, SignalConfig, read_transducer, render, synthesize, tone_burst
from keras_usmae.signals.synthesis.onsets import VISIBILITIES, rise_times

FIELD = SignalConfig.from_preset("field")
LONE = dataclasses.replace(SignalConfig.from_preset("paper"), onset_range=(300.0, 1400.0))


# The envelope of a burst that jumps, or nearly so, has slow tails, which the ends of the record change.
TOLERANCES = {"rectangular": 8.0, "tukey": 2.5}


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_the_onset_of_a_synthetic_echo_is_what_is_measured_in_its_record(envelope):
    config = dataclasses.replace(LONE, envelopes=(envelope,))
    batch = synthesize(config, 64, seed=1)
    each = np.arange(64)
    extent = measure_extent(render(batch, config), batch["onset"], (-250, 450), np.ones(64, bool), each)
    np.testing.assert_allclose(extent.shift, 0, atol=TOLERANCES.get(envelope, 0.6))
    assert np.median(np.abs(extent.shift)) < 1.0


def test_the_onset_of_a_described_transducer_is_what_is_measured_in_its_record():
    config = read_transducer("contact_array_5mhz")
    config = dataclasses.replace(config, recorder=dataclasses.replace(config.recorder, adc_bits=()))
    batch = synthesize(config, 256, seed=2)
    first = {**batch, "echo_starts": np.full_like(batch["echo_starts"], np.nan)}
    if "ringdown_amplitude" in batch:
        first["ringdown_amplitude"] = np.zeros(256)
    clean = render(first, config)
    inside = (batch["onset"] > 60) & (batch["onset"] < config.signal_length - 400)
    each = np.arange(int(inside.sum()))
    extent = measure_extent(clean[inside], batch["onset"][inside], (-50, 250), np.ones(each.size, bool), each)
    assert np.median(np.abs(extent.shift)) < 0.5


def test_clipping_brings_the_onset_forward():
    burst = tone_burst(2.5e6, 300, 100e6)[None]
    quiet, loud = rise_times(burst, np.array([[0.5, 6.0]]), clips=True)[0]
    assert loud < quiet - 5
    assert np.ptp(rise_times(burst, np.array([[0.5, 6.0]]), clips=False)) == 0


def test_an_absent_echo_has_no_onset():
    assert np.isnan(rise_times(tone_burst(2.5e6, 300, 100e6)[None], np.array([[np.nan]]), clips=True)).all()


def test_each_echo_has_its_own_onset_and_echoes_come_in_order():
    batch = synthesize(FIELD, 1024, seed=3)
    starts, onsets = batch["echo_starts"], batch["echo_onsets"]
    np.testing.assert_array_equal(np.isnan(starts), np.isnan(onsets))
    assert np.nanmin(np.diff(starts, axis=1)) >= 0
    assert np.nanmedian(onsets - starts) > 0
    assert np.nanstd(onsets - starts) > 1


def test_some_field_signals_are_silent_and_have_no_onset():
    batch = synthesize(FIELD, 2048, seed=4)
    silent = np.isnan(batch["onset"])
    assert silent.mean() == pytest.approx(FIELD.silent_probability, abs=0.03)
    assert not batch["num_echoes"][silent].any()
    assert not batch["visibility"][silent].any()
    assert np.isnan(batch["echo_onsets"][silent]).all()


def test_what_lies_under_the_noise_is_hidden_and_what_stands_out_is_clear():
    clear, hidden = VISIBILITIES.index("clear"), VISIBILITIES.index("hidden")
    loud = synthesize(LONE, 256, seed=5)
    assert (loud["visibility"] == clear).all()
    quiet = synthesize(dataclasses.replace(LONE, snr_db=(-20.0, -6.0)), 256, seed=5)
    assert (quiet["visibility"] == hidden).all()


def test_an_echo_behind_a_much_louder_one_is_not_clear():
    config = dataclasses.replace(
        LONE, max_echoes=1, echo_delay=(60.0, 60.0), echo_attenuation_db=(20.0, 20.0), envelopes=("tukey",)
    )
    batch = synthesize(config, 256, seed=6)
    here = batch["num_echoes"] == 1
    assert here.any()
    assert (batch["echo_visibility"][here, 0] < VISIBILITIES.index("clear")).all()
