import numpy as np
import pytest
import scipy.special

from keras_usmae.configs import TeachConfig
from keras_usmae.models import EchoDetector
from keras_usmae.picker import EchoPicker
from keras_usmae.picker.echo_table import DOUBTFUL, NO_ECHO, SURE, EchoTable
from keras_usmae.picker.scale import as_scale
from keras_usmae.signals import SignalConfig, standardize, synthesize
from keras_usmae.training import LabelledTraces, teach
from keras_usmae.training.teaching import fit_detector
from keras_usmae.training.teaching_windows import OWN, draw_windows

GATE = [(0.0, 2048.0), (1000.0, 1500.0)]


def table(*rows):
    """Labels from rows of trace, gate, mark and onset."""
    return EchoTable(*(np.array(column) for column in zip(*rows, strict=True)))


def labelled(signals, labels, scale="1"):
    return LabelledTraces(signals.__getitem__, signals.shape[1], labels, as_scale(scale), GATE)


def windows_of(signals, labels, count=40, scale="1"):
    return draw_windows(labelled(signals, labels, scale), count, 2048, 16, seed=0)


@pytest.fixture(scope="module")
def drawn():
    """Signals of one echo each, and their onsets."""
    return synthesize(SignalConfig.from_preset("quickstart"), num_signals=64, seed=5)


@pytest.fixture(scope="module")
def long():
    """Records in which a sample tells its own place."""
    signals = 0.01 * np.random.default_rng(0).standard_normal((4, 6000)).astype("float32")
    signals[:, 3000] = 1
    return signals


def test_a_target_is_where_the_echo_is_in_every_window(long):
    windows, targets = windows_of(long, table((1, 0, SURE, 3000.0)))
    place = np.abs(windows).argmax(axis=1)
    assert np.ptp(place) > 800  # each window is another piece
    assert ((place >= 256) & (place < 2048 - 256 + 16)).all()
    np.testing.assert_allclose(np.nanargmax(targets, axis=1), place // 16, atol=1)
    np.testing.assert_allclose(np.where(targets > 0, targets, 0).sum(axis=1), 1, atol=0.01)
    assert (targets == OWN).sum(axis=1).min() > 60  # of the rest, the picker's own word counts


def test_targets_are_at_the_scale_of_the_network(long):
    windows, targets = windows_of(long[:, ::4], table((1, 0, SURE, 750.0)), scale="4")
    np.testing.assert_allclose(np.nanargmax(targets, axis=1), np.abs(windows).argmax(axis=1) // 16, atol=1)


def test_no_echo_speaks_of_its_gate_and_doubt_of_nothing(long):
    short = long[:, 2000:4048]
    _, targets = windows_of(short, table((0, 1, NO_ECHO, np.nan), (0, 0, DOUBTFUL, 300.0)), count=60)
    assert ((targets == 0).sum(axis=1) <= 500 / 16 + 1).all()
    assert (targets == 0).any(axis=1).mean() > 0.9
    assert not (targets > 0).any()
    assert np.isnan(targets).any(axis=1).all()


def test_two_echoes_of_a_trace_are_both_in_its_windows(long):
    _, targets = windows_of(long, table((1, 0, SURE, 3000.0), (1, 1, SURE, 3300.0)), count=60)
    assert np.where(targets > 0, targets, 0).sum(axis=1).max() == pytest.approx(2, abs=0.01)


def test_windows_reach_out_of_short_records_without_a_step(long):
    short = long[:, 2800:3600]
    windows, _ = windows_of(short, table((1, 0, SURE, 200.0)))
    assert np.isfinite(windows).all()
    assert np.ptp(np.abs(windows).argmax(axis=1)) > 500
    np.testing.assert_allclose(windows.std(axis=1), 1, rtol=1e-3)


def test_parts_count_by_their_labels(long, monkeypatch):
    seen = {}
    monkeypatch.setattr(
        "keras_usmae.training.teaching.fit_detector",
        lambda detector, windows, targets, config, on_step: seen.update(windows=windows, targets=targets),
    )
    few = labelled(long, table(*((trace, 0, SURE, 3000.0) for trace in range(2))))
    many = labelled(-long[:, 2800:3600], table(*((trace, 0, SURE, 200.0) for trace in range(3) for _ in range(2))))
    none = labelled(long, few.table.select(slice(0, 0)))
    steps = []
    teach(EchoDetector.from_preset("nano"), [few, none, many], TeachConfig(steps=10, batch_size=8), steps.append)
    assert seen["windows"].shape == (80, 2048)
    assert seen["targets"].shape == (80, 128)
    assert steps == [0]
    again = draw_windows(many, 60, 2048, 16, seed=1 << 32)[0]  # of the second part, which has noise of its own
    assert sum((np.abs(again - window).max(axis=1) == 0).any() for window in seen["windows"]) == 60


def test_without_a_label_there_is_nothing_to_learn(long):
    nothing = labelled(long, table((0, 0, SURE, 3000.0)).select(slice(0, 0)))
    with pytest.raises(ValueError, match="no label"):
        teach(EchoDetector.from_preset("nano"), [nothing], TeachConfig())


@pytest.mark.long
def test_held_to_its_own_word_a_picker_stays_as_it_is(drawn, without_xla):
    detector, windows = EchoDetector.from_preset("nano"), standardize(drawn["signal"])
    before = np.asarray(detector.predict(windows, verbose=0))
    fit_detector(detector, windows, np.full((64, 128), OWN, np.float32), TeachConfig(batch_size=16))
    stayed = np.abs(scipy.special.expit(detector.predict(windows, verbose=0)) - scipy.special.expit(before))
    fit_detector(detector, windows, np.zeros((64, 128), np.float32), TeachConfig(batch_size=16))
    moved = np.abs(scipy.special.expit(detector.predict(windows, verbose=0)) - scipy.special.expit(before))
    assert 4 * stayed.mean() < moved.mean()


@pytest.mark.slow
def test_a_picker_learns_an_offset_and_keeps_what_it_knows(drawn):
    """Labels that are all 12 samples late: the picks follow, and no echo is lost."""
    picker, signals = EchoPicker.from_preset("nano", engine="keras"), drawn["signal"]
    plain = np.flatnonzero((drawn["onset"] > 300) & (drawn["onset"] < 1600) & (drawn["snr_db"] > 15))
    before = picker.pick(signals[plain], 100e6, scale=1).strongest().of_each_trace("onset")
    labels = table(*((int(trace), 0, SURE, drawn["onset"][trace] + 12.0) for trace in plain[::2]))
    config = TeachConfig(steps=24, batch_size=32, learning_rate=2e-3)
    teach(picker.engine.detector, [labelled(signals, labels)], config)
    after = (
        EchoPicker(picker.engine.detector).pick(signals[plain[1::2]], 100e6, scale=1).strongest().of_each_trace("onset")
    )
    assert np.isnan(after).sum() <= np.isnan(before[1::2]).sum() + 1
    assert np.nanmedian(after - before[1::2]) > 5
