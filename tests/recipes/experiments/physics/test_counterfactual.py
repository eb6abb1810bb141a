import dataclasses

import numpy as np
import pytest

from keras_usmae.signals import SignalConfig, draw_parameters, synthesize
from recipes.experiments.physics.counterfactual import BURST_KINDS, alternating_noise, broken_bursts, burst_patches

CONFIG = dataclasses.replace(SignalConfig.from_preset("paper"), envelopes=("damped",), snr_db=(120.0, 120.0))


@pytest.fixture(scope="module")
def made():
    return broken_bursts(CONFIG, num_signals=20, seed=3)


def halves(made):
    """Which samples lie before, and which behind the jump."""
    behind = np.arange(CONFIG.signal_length) >= made["jump"][:, None]
    return ~behind, behind


def test_the_control_is_what_synthesis_gives(made):
    assert tuple(made["signals"]) == BURST_KINDS
    np.testing.assert_allclose(made["signals"]["possible"], synthesize(CONFIG, 20, seed=3)["signal"], atol=1e-6)


def test_jumps_change_only_what_is_behind_them(made):
    before, behind = halves(made)
    control = made["signals"]["possible"]
    for kind, factor in (("polarity", -1), ("cut", 0), ("doubled", 2)):
        np.testing.assert_array_equal(made["signals"][kind][before], control[before])
        np.testing.assert_allclose(made["signals"][kind][behind], factor * control[behind], atol=1e-5)
    energy = control.astype(float) ** 2
    np.testing.assert_allclose((energy * before).sum(1) / energy.sum(1), 0.5, atol=0.06)


def test_the_frequency_jumps_by_more_than_the_bandwidth_and_the_phase_does_not(made):
    before, behind = halves(made)
    control, shifted = made["signals"]["possible"], made["signals"]["frequency"]
    np.testing.assert_array_equal(shifted[before], control[before])
    frequencies = np.fft.rfftfreq(8192, 1 / CONFIG.sampling_rate)
    peak = [frequencies[np.abs(np.fft.rfft(s * behind, 8192, axis=1)).argmax(axis=1)] for s in (control, shifted)]
    assert np.median(np.abs(peak[1] - peak[0])) == pytest.approx(1.5e6, rel=0.1)
    assert peak[1].min() > 0.7e6
    assert peak[1].max() < 4.3e6
    at = np.arange(20), made["jump"]
    np.testing.assert_allclose(shifted[at], control[at], atol=1e-3)


def test_reversed_bursts_run_backwards_in_the_same_place(made):
    drawn = draw_parameters(CONFIG, 20, seed=3)
    for i in range(20):
        start, stop = (int(np.rint(drawn["burst_start"][i] + part * drawn["burst_length"][i])) for part in (0, 1))
        forth, back = (made["signals"][kind][i, start:stop] for kind in ("possible", "reversed"))
        assert max(np.corrcoef(forth[::-1], np.roll(back, shift))[0, 1] for shift in (-1, 0, 1)) > 0.95
        assert np.abs(forth).argmax() < 0.3 * len(forth)
        assert np.abs(back).argmax() > 0.7 * len(back)


def test_every_other_patch_of_a_burst_is_hidden():
    in_burst = burst_patches(np.array([40.0, 64.0, 0.5]), np.array([130.0, 64.0, 200.0]), 64, 32)
    expected = [[1, 2, 3, 4, 5], [2, 3], [0, 1, 2, 3, 4, 5, 6]]
    assert [np.flatnonzero(row).tolist() for row in in_burst] == expected
    many = np.repeat(in_burst, 40, axis=0)
    noise = alternating_noise(many, seed=0)
    visible = np.argsort(np.argsort(noise, axis=1), axis=1) < 16
    for row, burst in zip(visible, many, strict=True):
        assert np.ptp(np.diff(row[burst].astype(int)) ** 2) == 0  # it changes from each patch to the next
    assert 0 < visible[:40, 1].mean() < 1
    assert 0.1 < visible[:, 40].mean() < 0.4


def test_other_configurations_are_refused():
    with pytest.raises(ValueError, match="max_echoes=4"):
        broken_bursts(SignalConfig.from_preset("quickstart"), 1, seed=0)
