import os
import subprocess
import sys

import numpy as np
import pytest

from keras_usmae.data import StoredSplit, load_arrays, load_builder, prepare
from keras_usmae.signals import standardize
from keras_usmae.training import EpochBatches, shuffled, streamed_signals


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A synthetic dataset of 20 signals, prepared."""
    import dataclasses

    cls = type(load_builder("ultrasound_synthetic", data_dir="unused"))
    config = dataclasses.replace(cls.builder_configs["paper"], name="small", num_train=20, num_validation=5)
    folder = tmp_path_factory.mktemp("small")
    return prepare(cls(config=config, data_dir=folder, file_format="array_record")), folder


def test_arrays_have_the_features_asked_for(small):
    builder, _ = small
    arrays = load_arrays(builder, "train", features=("onset", "signal", "envelope", "echo_onsets"))
    assert list(arrays) == ["onset", "signal", "envelope", "echo_onsets"]
    assert arrays["signal"].shape == (20, 2048)
    assert arrays["signal"].dtype == np.float32
    assert arrays["onset"].shape == (20,)
    assert arrays["envelope"].dtype == np.int64
    assert arrays["echo_onsets"].shape == (20, 8)


def test_parts_of_a_split(small):
    builder, _ = small
    whole = load_arrays(builder, "train")["onset"]
    np.testing.assert_array_equal(load_arrays(builder, "train[5:15]")["onset"], whole[5:15])


def test_examples_are_read_in_any_order(small):
    builder, _ = small
    stored = StoredSplit(builder, "train[5:]", features=("signal", "onset"))
    whole = load_arrays(builder, "train[5:]")
    assert len(stored) == 15
    order = np.random.default_rng(0).permutation(15)
    for key, value in stored.read(order).items():
        np.testing.assert_array_equal(value, whole[key][order])
        assert value.dtype == whole[key].dtype


def test_streamed_signals_are_the_batches_of_the_whole_in_memory(small):
    stored = StoredSplit(small[0], "train", features=("signal",))
    whole = standardize(load_arrays(small[0], "train")["signal"])
    streamed = EpochBatches(streamed_signals(stored, 2048, seed=4), batch_size=6)
    known = EpochBatches(shuffled((whole,), seed=4), batch_size=6)
    assert len(streamed) == len(known) == 4
    for epoch in (0, 1, 0):
        streamed.set_epoch(epoch)
        known.set_epoch(epoch)
        for index in range(len(known)):
            np.testing.assert_array_equal(streamed[index][0], known[index][0])


def test_streamed_signals_of_another_length_are_an_error(small):
    stored = StoredSplit(small[0], "train", features=("signal",))
    with pytest.raises(ValueError, match="2048"):
        EpochBatches(streamed_signals(stored, 1024, seed=0), batch_size=6)[0]


def test_the_default_config_is_the_papers(tmp_path):
    assert load_builder("ultrasound_synthetic", data_dir=tmp_path).builder_config.name == "paper"
    assert not list(tmp_path.iterdir())  # nothing is written before `prepare`


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nonsense", r"no dataset 'nonsense' in .*Choose one of \['ultrasound_measured', 'ultrasound_synthetic'\]"),
        ("ultrasound_measured/nonsense", r"no config 'nonsense'. Choose one of \['clean', 'custom', 'paper'\]"),
        ("ultrasound_synthetic/clean", r"no config 'clean'. Choose one of .*'diverse', .*'paper', 'quickstart'\]"),
    ],
)
def test_unknown_names_list_the_known_ones(tmp_path, name, message):
    with pytest.raises(ValueError, match=message):
        load_builder(name, data_dir=tmp_path)


def test_a_folder_without_builders_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder of dataset builders at .*Leave `folder` out"):
        load_builder("ultrasound_synthetic", folder=tmp_path)


def test_builders_of_a_second_folder_are_an_error(tmp_path):
    load_builder("ultrasound_synthetic", data_dir=tmp_path)
    (tmp_path / "ultrasound_synthetic").mkdir()
    (tmp_path / "__init__.py").touch()
    (tmp_path / "ultrasound_synthetic" / "ultrasound_synthetic_dataset_builder.py").touch()
    with pytest.raises(ValueError, match=r"were loaded from .* before"):
        load_builder("ultrasound_synthetic", folder=tmp_path)


def test_a_dataset_without_originals_takes_no_folder_of_them(tmp_path):
    with pytest.raises(ValueError, match="has no originals, so it takes no `raw_dir`"):
        load_builder("ultrasound_synthetic", raw_dir=tmp_path)


def test_an_unknown_file_format_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="`file_format` must be 'array_record' or 'tfrecord', but is 'parquet'"):
        load_builder("ultrasound_synthetic", data_dir=tmp_path, file_format="parquet")


def test_another_file_format_than_the_prepared_one_is_an_error(small):
    builder, folder = small
    prepared = folder / "ultrasound_synthetic" / "small" / "2.0.0"
    # The same files under the name of a config that `load_builder` knows.
    config = folder / "ultrasound_synthetic" / "quickstart"
    config.mkdir()
    (config / "2.0.0").symlink_to(prepared)
    info = (prepared / "dataset_info.json").read_text()
    assert '"fileFormat": "array_record"' in info
    assert builder.is_prepared()
    with pytest.raises(ValueError, match=r"file format 'array_record', not 'tfrecord'. Choose another `data_dir`"):
        load_builder("ultrasound_synthetic/quickstart", data_dir=folder, file_format="tfrecord")


def test_arrays_need_a_prepared_dataset_and_known_features(small, tmp_path):
    with pytest.raises(ValueError, match=r"not prepared in .*Call `prepare\(builder\)` first"):
        load_arrays(load_builder("ultrasound_synthetic", data_dir=tmp_path), "train")
    with pytest.raises(ValueError, match=r"no features \['tof'\]. Choose some of \['adc_bits', "):
        load_arrays(small[0], "train", features=("signal", "tof"))


def test_arrays_need_array_records(small, tmp_path):
    builder = small[0]
    tfrecords = prepare(type(builder)(config=builder.builder_config, data_dir=tmp_path, file_format="tfrecord"))
    with pytest.raises(ValueError, match=r"stored as 'tfrecord'.*file_format='array_record'"):
        load_arrays(tfrecords, "train")


def test_reading_needs_no_tensorflow(small):
    _, folder = small
    script = f"""
import sys
from keras_usmae.data import load_arrays, load_builder, prepare
builder = load_builder("ultrasound_synthetic", data_dir={str(folder)!r})
import dataclasses
config = dataclasses.replace(builder.builder_config, name="small", num_train=20, num_validation=5)
builder = prepare(type(builder)(config=config, data_dir={str(folder)!r}, file_format="array_record"))
assert load_arrays(builder, "train")["signal"].shape == (20, 2048)
assert "tensorflow" not in sys.modules, "TensorFlow was imported"
assert "datasets" not in sys.modules, "the folder of builders took the name of another package"
"""
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    result = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
