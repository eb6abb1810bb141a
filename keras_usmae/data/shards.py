"""Writing of synthetic sets to disk shard by shard, in this process or by the workers of an Apache Beam runner.

A shard depends on its specification only, and its records on nothing but their place in the set, so that the files are
the same byte by byte whoever writes them and in whatever order. No more than a block of signals is in memory.
"""

import dataclasses
import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_usmae.signals.synthesis.blocks import BLOCK_SIZE

# Bytes of signals in a shard, about.
_SHARD_BYTES = 64 << 20
# One record in a group, for random access. Noise hardly compresses, and the level that is the writer's default spends
# more time on it than the synthesis takes; the fastest level is as good for what an ADC has rounded.
_ARRAY_RECORD_OPTIONS = "group_size:1,zstd:1"
# Characters in `np.dtype.kind`, and the list of a `tf.train.Feature` that holds them.
_LISTS = {"O": "bytes_list", "f": "float_list", "i": "int64_list", "b": "int64_list"}


class ExampleEncoder:
    """Turns columns of examples into the records (`tf.train.Example`) that TFDS reads.

    TFDS encodes example by example and feature by feature, which takes several times as long as the synthesis. Here
    one message is filled again and again; the records mean the same.

    Args:
        features: a flat `tfds.features.FeaturesDict` of scalars and of tensors of fixed shape, of which those of
            `encoding="bytes"` are stored fastest.
    """

    def __init__(self, features: Any) -> None:
        serialized = features.get_serialized_info()
        self._features = {
            name: (_LISTS[np.dtype(serialized[name].np_dtype).kind], feature.np_dtype, feature.shape)
            for name, feature in features.items()
        }

    def encode(self, columns: dict) -> Iterator[bytes]:
        """Yields the record of each example.

        Args:
            columns: dict of arrays with the same first axis, one for each feature; others are left out. A float array
                may have fewer entries than the feature has, and is filled up with NaN (integers with 0).
        """
        # The copy of TensorFlow's messages that TFDS has: TensorFlow itself may be absent.
        from tensorflow_datasets.proto import tf_example_pb2

        example = tf_example_pb2.Example()
        names = sorted(self._features)
        lists = [getattr(example.features.feature[name], self._features[name][0]).value for name in names]
        for values in zip(*(self._values(name, columns[name]) for name in names), strict=True):
            for slot, value in zip(lists, values, strict=True):
                slot[:] = value
            yield example.SerializeToString(deterministic=True)

    def _values(self, name, column):
        """The list of values that each example stores of a feature."""
        kind, dtype, shape = self._features[name]
        column = column.astype(dtype, copy=False)
        if shape and column.shape[1:] != shape:
            fill = np.nan if column.dtype.kind == "f" else 0
            column = np.pad(column, ((0, 0), (0, shape[0] - column.shape[1])), constant_values=fill)
        if kind == "bytes_list":
            return ([row.tobytes()] for row in column)
        if dtype == np.bool_:
            column = column.astype(np.int64)
        return column.reshape(len(column), -1).tolist()


@dataclasses.dataclass(frozen=True)
class Shard:
    """All that is needed to write one file of a set.

    Args:
        path: str. File to write, on a file system that the worker sees.
        file_format: str. `"array_record"` or `"tfrecord"`.
        encoder: `ExampleEncoder` of the set's features.
        synthesize: function of `num_signals` and `start` to a dict of columns, such as
            `functools.partial(keras_usmae.signals.synthesize, config, seed=seed)`.
        start: int. Index of the first signal in the set.
    """

    path: str
    file_format: str
    encoder: ExampleEncoder
    synthesize: Callable[..., dict]
    start: int
    num_signals: int


def shard_sizes(num_signals: int, signal_length: int) -> list[int]:
    """Numbers of signals in the shards of a split: as many as make files of about 64 MiB, the same on any machine."""
    in_blocks = max(_SHARD_BYTES // (4 * signal_length * BLOCK_SIZE), 1) * BLOCK_SIZE
    return [min(in_blocks, num_signals - first) for first in range(0, num_signals, in_blocks)]


def write_shard(shard: Shard) -> int:
    """Writes one shard, whole or not at all.

    Returns:
        int, bytes in the file.
    """
    # Of a name of its own: a runner may have a second worker write what a slow one is writing still.
    partial = f"{shard.path}.{uuid.uuid4().hex}.partial"
    try:
        _write_records(partial, shard.file_format, _records(shard))
        num_bytes = os.path.getsize(partial)
        os.replace(partial, shard.path)
    except BaseException:
        if os.path.exists(partial):
            os.remove(partial)
        raise
    return num_bytes


def write_shards(shards: list[Shard], runner: str | None = None, options: Any = None) -> dict:
    """Writes shards one after another, or by the workers of an Apache Beam runner.

    Args:
        runner: str, `beam.runners.PipelineRunner` or `None`. See `beam.Pipeline`.
        options: `beam.options.pipeline_options.PipelineOptions` or `None`. Beam is used where one of these two is not
            `None`. Its workers need this package, and a file system that they share.

    Returns:
        A dict from the paths to the bytes in each file.
    """
    if runner is None and options is None:
        return {shard.path: write_shard(shard) for shard in shards}
    import apache_beam as beam

    with beam.Pipeline(runner=runner, options=options) as pipeline:
        # Reshuffled, or the runner would fuse the steps and leave all shards to the worker that made the list.
        _ = pipeline | beam.Create(shards) | beam.Reshuffle() | beam.Map(write_shard)
    return {shard.path: os.path.getsize(shard.path) for shard in shards}


def _records(shard):
    # Cut at whole blocks of the set, which is what is synthesized at once.
    stop = shard.start + shard.num_signals
    first = shard.start
    while first < stop:
        last = min(first // BLOCK_SIZE * BLOCK_SIZE + BLOCK_SIZE, stop)
        yield from shard.encoder.encode(shard.synthesize(num_signals=last - first, start=first))
        first = last


def _write_records(path, file_format, records):
    if file_format == "array_record":
        from array_record.python.array_record_module import ArrayRecordWriter

        writer = ArrayRecordWriter(path, _ARRAY_RECORD_OPTIONS)
        for record in records:
            writer.write(record)
        writer.close()
    else:
        from tensorflow_datasets.core import file_adapters

        adapter = file_adapters.ADAPTER_FOR_FORMAT[file_adapters.FileFormat.from_value(file_format)]
        adapter.write_examples(path, enumerate(records))
