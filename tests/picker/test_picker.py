"""The shipped `nano` picker on signals whose echoes are known."""

import os
import subprocess
import sys
import tracemalloc

import keras
import numpy as np
import pytest

from keras_usmae.models import MAEEncoder, ToFClassifier
from keras_usmae.picker import EchoPicker, Picks
from keras_usmae.picker.traces import CLIPPED, DEAD, NO_ECHO, NOT_FINITE
from keras_usmae.signals import SignalConfig, synthesize, tone_burst

RATE = 100e6
BURST = tone_burst(2.25e6, 400, RATE, phase=1.0, envelope="damped")
# Samples from the start of the burst to where its envelope rises through 10 % of its peak.
RISE = 2.6


@pytest.fixture(scope="module")
def picker():
    return EchoPicker.from_preset("nano")


def records(starts, num_samples, snr_db=26.0, seed=0, gains=(1.0,)):
    """Records with a burst at each start, `(num_records,)` or `(num_records, num_bursts)`, in the same noise."""
    starts = np.reshape(starts, (len(starts), -1))
    room = len(BURST)
    signals = np.zeros((len(starts), num_samples + 2 * room), "float32")
    for row, begins in zip(signals, starts, strict=True):
        for start, gain in zip(begins, np.resize(gains, len(begins)), strict=True):
            row[room + start : 2 * room + start] += gain * BURST
    noise = np.random.default_rng(seed).standard_normal(num_samples) * np.sqrt(np.mean(BURST**2))
    return signals[:, room:-room] + (noise * 10 ** (-snr_db / 20)).astype("float32")


def assert_one_pick_each(picks, onsets, within=16.0):
    np.testing.assert_array_equal(picks.trace, np.arange(len(onsets)))
    np.testing.assert_allclose(picks.onset, onsets, atol=within)


@pytest.mark.parametrize("num_samples", [800, 2048, 2300, 4096, 7000])
def test_an_echo_is_found_once_wherever_it_lies(picker, num_samples):
    """Whatever windows it falls into, and at the record's end, where 100 samples of it are left."""
    starts = np.arange(50, num_samples - 100, 50)
    picks = picker.pick(records(starts, num_samples), RATE, scale=1)
    assert_one_pick_each(picks, starts + RISE)
    assert not any(picks.reason)


@pytest.mark.parametrize("num_samples", [800, 2048, 5000])
def test_a_trace_alone_has_the_picks_that_it_has_among_others(picker, num_samples):
    signals = records(np.arange(50, 650, 50), num_samples)
    together = picker.pick(signals, RATE, scale=1)
    for index, signal in enumerate(signals):
        alone, among = picker.pick(signal, RATE, scale=1), together.of_trace(index)
        for name in ("onset", "interval", "confidence", "amplitude", "snr_db"):
            np.testing.assert_allclose(getattr(alone, name), getattr(among, name), rtol=1e-6)


@pytest.mark.parametrize("num_samples", [800, 2300])
@pytest.mark.parametrize("preset", ["tiny", "tiny_patch64"])
def test_an_echo_is_found_from_the_first_sample_of_a_record_on(preset, num_samples):
    """`nano` is not sure enough of one that begins within the first bin; its card says so."""
    starts = np.arange(0, num_samples - 100, 50)
    picks = EchoPicker.from_preset(preset).pick(records(starts, num_samples), RATE, scale=1)
    assert_one_pick_each(picks, starts + RISE)


@pytest.mark.parametrize(("num_samples", "scale"), [(1024, 2), (3000, "3/2"), (9000, "1/2")])
def test_onsets_are_samples_of_the_recording(picker, num_samples, scale):
    starts = np.arange(100, num_samples - 500, num_samples // 20)
    picks = picker.pick(records(starts, num_samples), RATE, scale=scale)
    assert_one_pick_each(picks, starts + RISE, within=24)


def test_times_are_onsets_in_seconds_after_the_transmit_pulse(picker):
    picks = picker.pick(records([300, 900], 2048), RATE, start_time=81e-6, scale=1)
    np.testing.assert_allclose(picks.tof, 81e-6 + picks.onset / RATE, rtol=1e-12)
    assert (picks.interval[:, 0] < picks.tof).all()
    assert (picks.tof < picks.interval[:, 1]).all()
    assert picks.sampling_rate == RATE


def test_several_echoes_come_in_order_with_their_amplitudes(picker):
    signals = 500 * records([[300, 900, 1500]], 2048, gains=(0.5, 1.0, 0.25), snr_db=30)
    picks = picker.pick(signals, RATE, scale=1)
    np.testing.assert_allclose(picks.onset, np.array([300, 900, 1500]) + RISE, atol=16)
    np.testing.assert_array_equal(picks.echo, [0, 1, 2])
    np.testing.assert_allclose(picks.amplitude, [250, 500, 125], rtol=0.15)
    np.testing.assert_allclose(np.diff(picks.snr_db), [6, -12], atol=1.5)
    assert picks.strongest().onset == picks.onset[1]


def test_snr_is_that_of_the_peak_over_the_noise_in_the_band_of_the_bursts(picker):
    levels = np.array([35, 20])
    snr_db = [picker.pick(records([700], 2048, snr_db=level), RATE, scale=1).snr_db[0] for level in levels]
    peak_over_rms = -10 * np.log10(np.mean(BURST**2))
    all_over_band = 10 * np.log10(0.5 / 0.12)  # the band with half of its flanks
    np.testing.assert_allclose(snr_db, levels + peak_over_rms + all_over_band, atol=2)


@pytest.mark.parametrize("num_samples", [100, 700, 1500, 2048, 5000])
def test_nothing_is_invented_in_noise(picker, num_samples):
    signals = np.random.default_rng(3).standard_normal((100, num_samples))
    picks = picker.pick(signals, RATE, scale=1)
    assert len(picks) <= 1
    assert (picks.reason == NO_ECHO).sum() >= 99


def test_unusable_traces_get_a_reason_and_the_others_what_they_get_without_them(picker):
    signals = records(np.arange(100, 1700, 200), 3000)
    expected = picker.pick(signals, RATE, scale=1)
    broken = signals.copy()
    broken[1] = 7
    broken[3, 2999] = np.nan
    broken[4, 0] = -np.inf
    broken[6] = np.sign(broken[6] - np.median(broken[6]))
    picks = picker.pick(broken, RATE, scale=1)
    assert list(picks.reason) == ["", DEAD, "", NOT_FINITE, NOT_FINITE, "", CLIPPED, ""]
    kept = expected.select(np.isin(expected.trace, [0, 2, 5, 7]))
    for name in ("trace", "onset", "tof", "interval", "confidence", "amplitude", "snr_db"):
        np.testing.assert_array_equal(getattr(picks, name), getattr(kept, name), err_msg=name)


def test_only_unusable_traces(picker):
    picks = picker.pick(np.full((2, 500), np.nan), 50e6)
    assert len(picks) == 0
    assert list(picks.reason) == [NOT_FINITE, NOT_FINITE]


def test_no_trace_gives_no_pick(picker):
    picks = picker.pick(np.zeros((0, 2048)), RATE)
    assert len(picks) == picks.num_traces == len(picks.reason) == 0


def test_one_trace_may_come_without_its_axis(picker):
    signal = records([500], 2048)[0]
    assert picker.pick(signal, RATE, scale=1).num_traces == 1
    np.testing.assert_array_equal(
        picker.pick(signal, RATE, scale=1).onset, picker.pick(signal[None], RATE, scale=1).onset
    )


@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_the_size_of_batches_does_not_matter(picker, batch_size):
    signals = records(np.arange(100, 4500, 900), 5000)
    expected, picks = (picker.pick(signals, RATE, scale=1, batch_size=size) for size in (256, batch_size))
    np.testing.assert_array_equal(picks.trace, expected.trace)
    for name in ("onset", "interval", "confidence", "amplitude"):
        np.testing.assert_allclose(getattr(picks, name), getattr(expected, name), rtol=1e-4, err_msg=name)


def test_blocks_of_a_recording_give_the_picks_of_the_whole(picker):
    signals = records(np.arange(100, 1700, 100), 2048)
    whole = picker.pick(signals, RATE, scale=1)
    parts = Picks.concatenate(picker.pick(part, RATE, scale=1) for part in np.array_split(signals, 3))
    np.testing.assert_array_equal(parts.trace, whole.trace)
    np.testing.assert_allclose(parts.onset, whole.onset, atol=1e-2)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e12])
def test_unit_and_offset_of_the_recording_do_not_matter(picker, unit):
    signals = records(np.arange(100, 1700, 200), 2048).astype("float64")
    expected = picker.pick(signals, RATE, scale=1)
    picks = picker.pick(unit * (signals + 3), RATE, scale=1)
    np.testing.assert_array_equal(picks.trace, expected.trace)
    np.testing.assert_allclose(picks.onset, expected.onset, atol=0.01)
    np.testing.assert_allclose(picks.amplitude, unit * expected.amplitude, rtol=1e-3)


def test_integers_of_a_recorder_are_picked(picker):
    signals = records(np.arange(100, 1700, 200), 2048)
    picks = picker.pick((signals * 2000).astype("int16"), RATE, scale=1)
    np.testing.assert_allclose(picks.onset, picker.pick(signals, RATE, scale=1).onset, atol=1)


def test_the_scale_is_chosen_from_the_recording(picker):
    starts = np.arange(100, 3500, 200)
    coarse = records(starts, 4096)[:, ::8]
    picks = picker.pick(coarse, RATE / 8)
    assert 6 <= picks.scale.ratio <= 12
    assert_one_pick_each(picks.first(), (starts + RISE) / 8, within=3)
    assert picks.scale == picker.choose_scale(coarse, RATE / 8)


def faint_records():
    starts = np.arange(100, 1700, 200)
    signals = np.concatenate([records(starts, 2048, snr_db=level) for level in (12, 6, 3, 0, -3)])
    return np.concatenate([signals, np.random.default_rng(0).standard_normal((50, 2048)).astype("float32")])


def test_a_least_confidence_that_is_given_is_all_that_decides(picker):
    signals = faint_records()
    many, some = (picker.pick(signals, RATE, scale=1, min_confidence=least) for least in (0.02, 0.7))
    assert (some.confidence >= 0.7 - 1e-6).all()
    assert len(some) == (many.confidence >= 0.7 - 1e-6).sum() < len(many)
    assert len(picker.pick(signals, RATE, scale=1, min_confidence=1.0)) < len(some)


def test_of_itself_the_detector_takes_what_is_sure_or_clear_or_loud(picker):
    signals = np.concatenate([faint_records(), synthesize(SignalConfig.from_preset("field"), 300, seed=4)["signal"]])
    picks, many = picker.pick(signals, RATE, scale=1), picker.pick(signals, RATE, scale=1, min_confidence=0.3)
    rule = picker.settings
    sure = picks.confidence >= rule["sure_confidence"] - 1e-6
    clear = (picks.confidence >= rule["clear_confidence"]) & (picks.snr_db >= rule["clear_snr_db"])
    loudest = np.zeros(picks.num_traces)
    np.maximum.at(loudest, picks.trace[sure | clear], picks.amplitude[sure | clear])
    loud = picks.amplitude >= loudest[picks.trace] * 10 ** (-10 / 20) - 1e-6
    others = ~sure & ~clear
    assert others.sum() > 10
    assert loud[others].all()
    assert (picks.confidence[others] >= rule["loud_confidence"]).all()
    assert (loudest[picks.trace] > 0).all()  # no trace has a loud pick alone
    dropped = many.confidence < rule["sure_confidence"]
    assert len(many) - dropped.sum() < len(picks) < len(many)


def test_memory_does_not_grow_with_a_record(picker):
    record = np.random.default_rng(0).standard_normal(3_000_000).astype("float32")

    def peak(num_samples):
        tracemalloc.start()
        picker.pick(record[:num_samples], RATE, scale=1, batch_size=16)
        largest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return largest

    picker.pick(record[:100_000], RATE, scale=1, batch_size=16)
    # What bins need, about a byte a sample. One copy of what was added would be 8 MB; what the threads hold at the same
    # moment differs from run to run by 0.6 MB.
    assert peak(3_000_000) - peak(1_000_000) < 4e6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sampling_rate": 0}, "`sampling_rate` must be"),
        ({"sampling_rate": float("nan")}, "`sampling_rate` must be"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"min_confidence": 1.5}, "min_confidence=1.5"),
        ({"scale": 100}, "scale=100"),
    ],
)
def test_arguments_out_of_range(picker, arguments, message):
    with pytest.raises(ValueError, match=message):
        picker.pick(np.random.default_rng(0).standard_normal((2, 2048)), **{"sampling_rate": RATE, **arguments})


def test_a_model_without_a_trained_head_is_refused():
    encoder = MAEEncoder.from_preset("nano")
    with pytest.raises(ValueError, match="Received: ToFClassifier"):
        EchoPicker(ToFClassifier(encoder))


def test_a_run_folder_holds_a_detector(picker, tmp_path):
    with pytest.raises(FileNotFoundError, match="no run folder"):
        EchoPicker.from_run(tmp_path / "nowhere")
    (tmp_path / "encoder.keras").touch()
    with pytest.raises(FileNotFoundError, match=r"holds encoder.keras, but no 'detector.keras'.*train_picker.py"):
        EchoPicker.from_run(tmp_path)
    EchoPicker.from_preset("nano", engine="keras").engine.detector.save(tmp_path / "detector.keras")
    again = EchoPicker.from_run(tmp_path)
    assert again.settings == picker.settings
    signals = records([300], 2048)
    np.testing.assert_allclose(again.pick(signals, RATE).onset, picker.pick(signals, RATE).onset, atol=1e-3)


def test_another_model_in_the_place_of_the_detector_is_refused(tmp_path):
    ToFClassifier(MAEEncoder.from_preset("nano")).save(tmp_path / "detector.keras")
    with pytest.raises(ValueError, match="holds a ToFClassifier, where EchoDetector is expected"):
        EchoPicker.from_run(tmp_path)


def test_the_network_is_compiled_once():
    picker = EchoPicker.from_preset("nano", engine="keras")
    signals = records([300], 2048)
    picker.pick(signals, RATE, scale=1)
    function = picker.engine.detector.predict_function
    picker.pick(np.repeat(signals, 3, axis=0), RATE, scale=1)
    assert picker.engine.detector.predict_function is function


PICK_THERE = """
import sys
import keras, numpy as np
from keras_usmae.picker import EchoPicker
picks = EchoPicker.from_preset("nano", engine="keras").pick(np.load(sys.argv[1] + "/signals.npy"), 100e6, scale=1)
names = ("trace", "onset", "tof", "interval", "confidence", "amplitude", "snr_db")
np.savez(sys.argv[1] + "/picks.npz", **{name: getattr(picks, name) for name in names})
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_every_backend_gives_the_same_picks(picker, tmp_path, backend):
    signals = records(np.arange(0, 4900, 100), 5000)
    np.save(tmp_path / "signals.npy", signals)
    environment = {**os.environ, "KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-c", PICK_THERE, str(tmp_path)], check=True, env=environment)
    here, there = picker.pick(signals, RATE, scale=1), np.load(tmp_path / "picks.npz")
    for name in there:
        np.testing.assert_allclose(getattr(here, name), there[name], rtol=1e-4, atol=1e-9, err_msg=name)


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="this backend is TensorFlow")
def test_tensorflow_is_not_needed():
    code = """
import sys
for name in ("tensorflow", "tensorflow_datasets", "typer", "matplotlib"):
    sys.modules[name] = None
import numpy as np
from keras_usmae.picker import EchoPicker
EchoPicker.from_preset("nano", engine="keras").pick(np.random.default_rng(0).standard_normal((1, 2048)), 100e6)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
