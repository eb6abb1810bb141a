import dataclasses

import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_usmae.signals import SignalConfig, synthesize
from keras_usmae.training.builders import load_arrays, load_builder, prepare

NAME = "ultrasound_synthetic"


def builder_class():
    return type(load_builder(NAME, data_dir="unused"))


def small_config(preset):
    template = builder_class().builder_configs[preset]
    return dataclasses.replace(template, name=f"small_{preset}", num_train=20, num_validation=5)


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
            if key in ("echo_onsets", "echo_amplitudes"):
                width = config.signals.max_echoes
                assert np.isnan(value[:, width:]).all()
                value = value[:, :width]
            np.testing.assert_array_equal(value, expected[key].astype(value.dtype), err_msg=key)


def test_echoes_of_every_config_fit(tmp_path):
    for config in builder_class().builder_configs.values():
        shape = builder_class()(config=config.name, data_dir=tmp_path).info.features["echo_onsets"].shape
        assert shape[0] >= config.signals.max_echoes


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
