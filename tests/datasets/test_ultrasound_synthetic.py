import dataclasses

import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_usmae.data import load_arrays, load_builder, prepare
from keras_usmae.signals import SignalConfig, read_transducer, synthesize, transducer_names

NAME = "ultrasound_synthetic"


def builder_class():
    return type(load_builder(NAME, data_dir="unused"))


def small_config(preset):
    template = builder_class().builder_configs[preset]
    changed = {"name": f"small_{preset}", "num_train": 20, "num_validation": 5, "unseen": {}, "num_unseen": 0}
    return dataclasses.replace(template, **changed)


class UltrasoundSyntheticTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = builder_class()
    EXAMPLE_DIR = str(DATASET_CLASS.code_path.parent)  # it must exist; no example files are read
    SPLITS = {"train": 20, "validation": 5}  # noqa: RUF012
    BUILDER_CONFIG_NAMES_TO_TEST = [small_config(preset) for preset in ("paper", "diverse", "quickstart")]  # noqa: RUF012


@pytest.mark.parametrize(("preset", "total"), [("paper", 48_000), ("diverse", 96_000), ("quickstart", 12_000)])
def test_configs_and_splits(preset, total):
    config = builder_class().builder_configs[preset]
    assert config.signals == SignalConfig.from_preset(preset)
    assert (config.num_train, config.num_validation) == (total * 9 // 10, total // 10)
    assert str(config.num_train) in config.description


@pytest.mark.parametrize("preset", ["paper", "diverse"])
def test_examples_are_those_of_the_seed(tmp_path, preset):
    config = small_config(preset)
    builder = prepare(builder_class()(config=config, data_dir=tmp_path, file_format="array_record"))
    for split, start, size in (("train", 0, 20), ("validation", 20, 5)):
        expected = synthesize(config.signals, size, config.seed, start=start)
        arrays = load_arrays(builder, split, features=tuple(builder.info.features))
        for key, value in arrays.items():
            if key.startswith("echo_"):
                width = config.signals.echo_slots
                assert (np.isnan(value[:, width:]) | (value[:, width:] == 0)).all()
                value = value[:, :width]
            np.testing.assert_array_equal(value, expected[key].astype(value.dtype), err_msg=key)


def test_unseen_transducers_share_no_center_frequency_or_bandwidth_with_the_training(tmp_path):
    diverse = builder_class().builder_configs["diverse"]
    config = dataclasses.replace(diverse, name="small", num_train=300, num_validation=5, num_unseen=300)
    builder = prepare(builder_class()(config=config, data_dir=tmp_path, file_format="array_record"))
    assert set(builder.info.splits) == {"train", "validation", "unseen_low", "unseen_high", "unseen_narrowband"}
    features = ("center_frequency", "burst_length", "signal")
    train = load_arrays(builder, "train", features)
    for split, changed in (
        ("unseen_low", "center_frequency"),
        ("unseen_high", "center_frequency"),
        ("unseen_narrowband", "burst_length"),
    ):
        unseen = load_arrays(builder, split, features)
        low, high = getattr(config.unseen[split], changed)
        assert low <= unseen[changed].min() <= unseen[changed].max() <= high
        assert unseen[changed].min() > train[changed].max() or unseen[changed].max() < train[changed].min()
        expected = synthesize(config.unseen[split], 300, config.seed)["signal"]
        np.testing.assert_array_equal(unseen["signal"], expected)
    with pytest.raises(ValueError, match="'test' are not held out"):
        dataclasses.replace(config, unseen={"test": dataclasses.replace(config.signals, center_frequency=(5e6, 9e6))})


def test_diverse_mixes_transducers_bandwidths_noises_and_gains():
    """Every range is filled to within 5 % of both ends, every choice drawn, and the parameters do not move together."""
    config = SignalConfig.from_preset("diverse")
    drawn = synthesize(config, 1024, seed=5)
    gain = 20 * np.log10(drawn["amplitude"])
    columns = {name: drawn[name] for name in ("center_frequency", "burst_length", "snr_db", "dc_offset")}
    for name, column in (columns | {"amplitude_db": gain}).items():
        low, high = getattr(config, name)
        margin = 0.05 * (high - low)
        assert low <= column.min() < low + margin, name
        assert high - margin < column.max() <= high, name
    for name, count in (("envelope", len(config.envelopes)), ("noise_color", 3), ("adc_bits", 4), ("num_echoes", 6)):
        assert len(np.unique(drawn[name])) == count, name
    assert 0.2 < np.mean(drawn["ringdown_amplitude"] > 0) < 0.4
    assert 0.1 < drawn["clipped"].mean() < 0.9
    correlation = np.corrcoef([*columns.values(), gain]) - np.eye(5)
    assert np.abs(correlation).max() < 0.12  # 1 / sqrt(1024) is 0.03


def test_echoes_of_every_config_fit(tmp_path):
    for config in map(builder_class().builder_configs.get, ("paper", "diverse", "quickstart", "field")):
        shape = builder_class()(config=config.name, data_dir=tmp_path).info.features["echo_onsets"].shape
        assert shape[0] >= config.signals.echo_slots


def test_tfrecord_and_array_record_hold_the_same_examples(tmp_path):
    config = small_config("quickstart")
    records = prepare(builder_class()(config=config, data_dir=tmp_path / "a", file_format="array_record"))
    arrays = load_arrays(records, "train", features=("signal", "onset", "envelope", "clipped"))
    tfrecords = prepare(builder_class()(config=config, data_dir=tmp_path / "b", file_format="tfrecord"))
    examples = list(tfrecords.as_dataset(split="train").as_numpy_iterator())
    for key, value in arrays.items():
        np.testing.assert_array_equal(value, np.array([example[key] for example in examples]))


def test_tfds_load_reads_what_was_prepared(tmp_path):
    config = small_config("paper")
    prepare(builder_class()(config=config, data_dir=tmp_path, file_format="tfrecord"))
    examples = tfds.load(f"{NAME}/small_paper", split="validation", data_dir=tmp_path)
    assert len(examples) == 5
    signal, onset = next(iter(tfds.load(f"{NAME}/small_paper", split="train", data_dir=tmp_path, as_supervised=True)))
    expected = synthesize(config.signals, 1, config.seed)
    np.testing.assert_array_equal(signal.numpy(), expected["signal"][0])
    assert float(onset) == np.float32(expected["onset"][0])


# Described transducers


@pytest.mark.parametrize("name", transducer_names())
def test_shipped_transducers_are_configs_whose_examples_carry_all_that_was_drawn(tmp_path, name):
    template = builder_class().builder_configs[name]
    assert template.signals == read_transducer(name)
    config = dataclasses.replace(template, name="small", num_train=20, num_validation=5)
    builder = prepare(builder_class()(config=config, data_dir=tmp_path, file_format="array_record"))
    expected = synthesize(config.signals, 5, config.seed, start=20)
    arrays = load_arrays(builder, "validation", features=tuple(builder.info.features))
    assert set(arrays) == {key for key, value in expected.items() if value.size}
    for key, value in arrays.items():
        np.testing.assert_array_equal(value, expected[key].astype(value.dtype), err_msg=key)


def test_a_transducer_file_is_a_config_and_a_changed_file_is_another_one(tmp_path, repository):
    content = (repository / "keras_usmae" / "transducers" / "air_coupled_40khz.toml").read_text()
    file = tmp_path / "my sensor.toml"
    file.write_text(content)
    first = load_builder(f"{NAME}/{file}", data_dir=tmp_path)
    assert first.builder_config.name.startswith("my_sensor_")
    assert first.builder_config.signals == read_transducer(file)
    assert first.info.features["signal"].shape == (4096,)
    file.write_text(content.replace("sampling_rate = 250e3", "sampling_rate = 240e3"))
    second = load_builder(f"{NAME}/{file}", data_dir=tmp_path)
    assert second.builder_config.name != first.builder_config.name
    assert second.info.metadata["sampling_rate"] == 240e3
    file.write_text(content.replace("sampling_rate", "sample_rate", 1))
    with pytest.raises(
        ValueError, match=r"my sensor.toml', line 4: 'sample_rate' is unknown. Did you mean 'sampling_rate'"
    ):
        load_builder(f"{NAME}/{file}", data_dir=tmp_path)
    with pytest.raises(FileNotFoundError, match=r"nowhere\.toml"):
        load_builder(f"{NAME}/nowhere.toml", data_dir=tmp_path)
