import functools
import hashlib

import numpy as np
import pytest
import tensorflow_datasets as tfds
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_datasets.core.example_serializer import ExampleSerializer
from tensorflow_datasets.proto import tf_example_pb2

from keras_usmae.data.shards import ExampleEncoder, Shard, shard_sizes, write_shard, write_shards
from keras_usmae.signals import SignalConfig, synthesize

CONFIG = SignalConfig.from_preset("diverse")
FEATURES = tfds.features.FeaturesDict(
    {
        "signal": tfds.features.Tensor(shape=(CONFIG.signal_length,), dtype=np.float32, encoding="bytes"),
        "onset": np.float32,
        "noise_color": tfds.features.ClassLabel(num_classes=3),
        "echo_onsets": tfds.features.Tensor(shape=(7,), dtype=np.float32),
        "adc_bits": np.int32,
        "clipped": np.bool_,
    }
)


def shard(path, start=200, num_signals=400, file_format="array_record"):
    draw = functools.partial(synthesize, CONFIG, seed=3)
    return Shard(str(path), file_format, ExampleEncoder(FEATURES), draw, start, num_signals)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read(path):
    from array_record.python.array_record_module import ArrayRecordReader

    return ArrayRecordReader(str(path)).read_all()


def test_records_are_those_that_tfds_makes():
    columns = synthesize(CONFIG, 40, seed=1)
    columns["adc_bits"][:3] = -(2**31), 2**31 - 1, 300  # integers that take one byte and ten
    serializer = ExampleSerializer(FEATURES.get_serialized_info())
    for row, record in enumerate(ExampleEncoder(FEATURES).encode(columns)):
        example = {name: columns[name][row].astype(feature.np_dtype) for name, feature in FEATURES.items()}
        spare = FEATURES["echo_onsets"].shape[0] - len(example["echo_onsets"])
        example["echo_onsets"] = np.append(example["echo_onsets"], np.full(spare, np.nan, np.float32))
        expected = serializer.serialize_example(FEATURES.encode_example(example))
        parsed, known = tf_example_pb2.Example.FromString(record), tf_example_pb2.Example.FromString(expected)
        assert parsed.SerializeToString(deterministic=True) == known.SerializeToString(deterministic=True)
        decoded = FEATURES.deserialize_example_np(record)
        for name, value in example.items():
            np.testing.assert_array_equal(decoded[name], value)


@settings(max_examples=50, deadline=None)
@given(num_signals=st.integers(1, 10**6), signal_length=st.integers(1, 10**6))
def test_shards_hold_all_signals_and_about_64_mib(num_signals, signal_length):
    sizes = shard_sizes(num_signals, signal_length)
    assert sum(sizes) == num_signals
    assert all(size % 256 == 0 for size in sizes[:-1])
    assert min(sizes) > 0
    assert max(sizes) * signal_length * 4 <= max(64 * 2**20, 256 * signal_length * 4)


def test_a_shard_does_not_depend_on_how_the_set_is_cut(tmp_path):
    for name, start, size in (("whole", 200, 400), ("first", 200, 130), ("second", 330, 270)):
        write_shard(shard(tmp_path / name, start, size))
    assert read(tmp_path / "whole") == read(tmp_path / "first") + read(tmp_path / "second")


def test_a_shard_is_the_same_file_each_time(tmp_path):
    sizes = write_shards([shard(tmp_path / "first"), shard(tmp_path / "second")])
    assert sha256(tmp_path / "first") == sha256(tmp_path / "second")
    assert sizes == {str(path): path.stat().st_size for path in tmp_path.iterdir()}


def test_an_interrupted_shard_leaves_nothing(tmp_path):
    def interrupted(num_signals, start):
        if start >= 256:
            raise KeyboardInterrupt
        return synthesize(CONFIG, num_signals, seed=3, start=start)

    for file_format in ("array_record", "tfrecord"):
        broken = Shard(str(tmp_path / "a"), file_format, ExampleEncoder(FEATURES), interrupted, 0, 512)
        with pytest.raises(KeyboardInterrupt):
            write_shard(broken)
        assert not list(tmp_path.iterdir())


def test_a_missing_column_is_an_error(tmp_path):
    def without_onset(num_signals, start):
        columns = synthesize(CONFIG, num_signals, seed=3, start=start)
        del columns["onset"]
        return columns

    with pytest.raises(KeyError, match="onset"):
        write_shard(Shard(str(tmp_path / "a"), "array_record", ExampleEncoder(FEATURES), without_onset, 0, 10))
