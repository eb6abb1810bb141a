import numpy as np
import pytest
import scipy.special

from keras_usmae.labelling.labels import DOUBTFUL, NO_ECHO, SURE
from keras_usmae.labelling.learning import EchoTable, hold_out, make_windows, teach
from keras_usmae.picker.scale import as_scale
from keras_usmae.picker.traces import Traces
from keras_usmae.signals import standardize

GATE = [(0.0, 2048.0), (1000.0, 1500.0)]


def table(*rows):
    """Labels from rows of trace, gate, mark and onset."""
    return EchoTable(*(np.array(column) for column in zip(*rows, strict=True)))


def windows_of(signals, labels, count=40, scale="1"):
    def read(traces):
        return Traces(signals[traces])

    return make_windows(read, labels, GATE, count, 2048, 16, as_scale(scale), signals.shape[1], seed=0)


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
    assert (targets == -1).sum(axis=1).min() > 60  # of the rest, the picker's own word counts


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


def test_a_fifth_is_held_out_in_stretches_and_stays_so():
    trace = np.arange(0, 3200, 3)
    held = hold_out(trace)
    assert 0.1 < held.mean() < 0.3
    for stretch in np.unique(trace // 16):
        assert len(set(held[trace // 16 == stretch])) == 1
    few = trace[::7]
    np.testing.assert_array_equal(hold_out(few), held[::7])
    assert hold_out(np.array([3, 400])).sum() == 1


@pytest.mark.long
def test_held_to_its_own_word_a_picker_stays_as_it_is(drawn, without_xla):
    from keras_usmae.models import EchoDetector

    detector, windows = EchoDetector.from_preset("nano"), standardize(drawn["signal"])
    before = np.asarray(detector.predict(windows, verbose=0))
    teach(detector, windows, np.full((64, 128), -1, np.float32), {"batch_size": 16, "learning_rate": 1e-3})
    stayed = np.abs(scipy.special.expit(detector.predict(windows, verbose=0)) - scipy.special.expit(before))
    teach(detector, windows, np.zeros((64, 128), np.float32), {"batch_size": 16, "learning_rate": 1e-3})
    moved = np.abs(scipy.special.expit(detector.predict(windows, verbose=0)) - scipy.special.expit(before))
    assert 4 * stayed.mean() < moved.mean()


@pytest.mark.slow
def test_a_picker_learns_an_offset_and_keeps_what_it_knows(drawn):
    """Labels that are all 12 samples late: the picks follow, and no echo is lost."""
    from keras_usmae.picker import EchoPicker

    picker, signals = EchoPicker.from_preset("nano", engine="keras"), drawn["signal"]
    plain = np.flatnonzero((drawn["onset"] > 300) & (drawn["onset"] < 1600) & (drawn["snr_db"] > 15))
    before = picker.pick(signals[plain], 100e6, scale=1).strongest().of_each_trace("onset")
    labels = table(*((int(trace), 0, SURE, drawn["onset"][trace] + 12.0) for trace in plain[::2]))
    windows, targets = make_windows(
        lambda traces: Traces(signals[traces]), labels, GATE, 24 * 32, 2048, 16, as_scale(1), 2048, 0
    )
    teach(picker.engine.detector, windows, targets, {"batch_size": 32, "learning_rate": 2e-3})
    after = (
        EchoPicker(picker.engine.detector).pick(signals[plain[1::2]], 100e6, scale=1).strongest().of_each_trace("onset")
    )
    assert np.isnan(after).sum() <= np.isnan(before[1::2]).sum() + 1
    assert np.nanmedian(after - before[1::2]) > 5
