import dataclasses

import keras
import numpy as np
import pytest

from keras_usmae.configs import PickerTraining
from keras_usmae.evaluation.picker_calibration import score_picker
from keras_usmae.models import CNNEncoder
from keras_usmae.picker import EchoPicker
from keras_usmae.training import WarmupStableDecay, build_detector, train_picker
from keras_usmae.training.picker_training import compile_detector


def test_the_rate_rises_stays_and_falls():
    schedule = WarmupStableDecay(1.0, warmup_steps=4, decay_steps=4, total_steps=20)
    rates = [float(schedule(step)) for step in (0, 3, 10, 16, 18, 20)]
    np.testing.assert_allclose(rates, [0.25, 1, 1, 1, 0.5, 0])
    again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(schedule))
    assert again.get_config() == schedule.get_config()


def test_a_rate_without_rise_or_fall_is_constant():
    schedule = WarmupStableDecay(0.5, warmup_steps=0, decay_steps=0, total_steps=8)
    assert {float(schedule(step)) for step in range(8)} == {0.5}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"signals": 1000}, "signals=1000"),
        ({"batch_size": 63}, "batch_size=63"),
        ({"warmup_signals": 10**9}, "warmup_signals"),
        ({"decay_share": 1.5}, "decay_share=1.5"),
        ({"seed": -1}, "seed=-1"),
        ({"architecture": "rnn"}, "architecture='rnn'"),
        ({"architecture": "cnn"}, "start='synthetic'"),
    ],
)
def test_impossible_trainings_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        PickerTraining(**change)


def test_a_start_of_other_sizes_or_without_a_model_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"train_picker\.py"):
        build_detector(PickerTraining(preset="nano", start=str(tmp_path)))
    build_detector(PickerTraining(preset="nano", start="none")).save(tmp_path / "detector.keras")
    with pytest.raises(ValueError, match="'tiny'"):
        build_detector(PickerTraining(preset="tiny", start=str(tmp_path)))
    assert build_detector(PickerTraining(preset="nano", start=str(tmp_path))).num_bins == 128


def test_a_cnn_starts_fresh_or_from_one_of_its_own(tmp_path):
    config = PickerTraining(preset="nano", architecture="cnn", start="none")
    detector = build_detector(config)
    assert isinstance(detector.encoder, CNNEncoder)
    detector.save(tmp_path / "detector.keras")
    again = build_detector(dataclasses.replace(config, start=str(tmp_path)))
    np.testing.assert_array_equal(again.get_weights()[0], detector.get_weights()[0])
    with pytest.raises(ValueError, match="transformer of the preset 'nano'"):
        build_detector(PickerTraining(preset="nano", start=str(tmp_path)))


def test_runs_of_earlier_versions_name_no_architecture():
    assert "architecture" not in PickerTraining().values()
    assert PickerTraining(architecture="cnn", start="none").values()["architecture"] == "cnn"


def test_the_shipped_picker_is_a_start_and_a_compiled_one_learns():
    config = PickerTraining(preset="nano", start="picker", signals=4096, warmup_signals=0, learning_rate=1e-3)
    detector = build_detector(config)
    compile_detector(detector, dataclasses.replace(config, decay_share=0.0))
    signals = np.random.default_rng(0).standard_normal((16, 2048)).astype("float32")
    target = np.zeros((16, 128), "float32")
    target[:, 40] = 1
    losses = [float(detector.train_on_batch(signals, target)) for _ in range(12)]
    assert losses[-1] < losses[0]


@pytest.mark.long
def test_a_training_ends_with_a_picker_that_knows_which_picks_count(tmp_path):
    config = PickerTraining(preset="nano_mcu", start="picker", signals=4096, warmup_signals=0, learning_rate=1e-4)
    shipped = dict(build_detector(config).settings)
    detector = train_picker(config, tmp_path / "run", verbose=0)
    picker = EchoPicker.from_run(tmp_path / "run")
    changed = {name for name, value in shipped.items() if detector.settings[name] != value}
    assert {"min_confidence", "interval_scale"} & changed  # chosen anew, not those of the weights that it began with
    assert picker.settings["min_confidence"] == detector.settings["min_confidence"]
    scores = score_picker(detector, detector.settings, num_signals=2048)
    assert scores["false_records"] < 0.01
    assert scores["found_lone"] > 0.97
    # Ended, it is whole: to resume it trains nothing, and chooses the same.
    again = train_picker(config, tmp_path / "run", resume=True, verbose=0)
    assert again.settings == detector.settings
