"""Loading of the project's TFDS builders and of the arrays they prepare, without TensorFlow."""

import importlib
import importlib.util
import pathlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_usmae.data.preparing import prepare
from keras_usmae.extras import import_extra
from keras_usmae.shipped import import_package, shipped_folder

__all__ = ["StoredSplit", "load_arrays", "load_builder", "prepare"]

# `datasets` as a top-level name would shadow a well-known package, so the folder is imported under this one.
_PACKAGE = "usmae_datasets"
# Records that are read and decoded at once.
_CHUNK_SIZE = 1024


def load_builder(
    name: str,
    data_dir: str | Path | None = None,
    raw_dir: str | Path | None = None,
    file_format: str = "array_record",
    folder: str | Path | None = None,
) -> Any:
    """Loads one of the project's TFDS builders by name.

    Args:
        name: str. `"dataset"` or `"dataset/config"`, such as `"ultrasound_synthetic/paper"`. Without a config, the
            dataset's default. `"ultrasound_synthetic/probes/mine.toml"` is the set of that transducer file.
        data_dir: path or `None`. Where prepared datasets are. Defaults to `None`, that is `TFDS_DATA_DIR` or
            `~/tensorflow_datasets`.
        raw_dir: path or `None`. Folder of the originals, for a dataset that has some. Defaults to `None`, that is the
            folder that the environment variable `DATA_DIR` names, or a download where it is not set.
        file_format: str. `"array_record"` to read it by `as_data_source` (and `load_arrays`), without TensorFlow, or
            `"tfrecord"` to read it by `as_dataset` and `tfds.load`. Defaults to `"array_record"`.
        folder: path or `None`. Folder of the builders. Defaults to `None`, that is those of this package.

    Returns:
        A `tfds.core.DatasetBuilder`. Nothing is written yet: see `prepare`.

    Raises:
        FileNotFoundError: where there is no folder of builders.
        ValueError: where the dataset or config is unknown, `raw_dir` is given to a dataset without originals, or the
            dataset was prepared in another file format.
        ImportError: if the extra `data` is not installed.

    Example:

    ```python
    from keras_usmae.data import load_arrays, load_builder, prepare

    builder = prepare(load_builder("ultrasound_synthetic/quickstart"))
    arrays = load_arrays(builder, "validation")
    arrays["signal"].shape  # (1200, 2048)
    ```
    """
    import_extra("tensorflow_datasets", "data")
    builders = _builders_folder(folder)
    dataset, _, config = name.partition("/")
    known = sorted(path.parent.name for path in builders.glob("*/*_dataset_builder.py"))
    if dataset not in known:
        raise ValueError(f"There is no dataset {dataset!r} in {str(folder)!r}. Choose one of {known}.")
    cls = _import_builder(folder, dataset)
    if config.endswith(".toml") and hasattr(cls, "config_from_file"):
        config = cls.config_from_file(config)
    elif config and config not in cls.builder_configs:
        raise ValueError(f"{dataset!r} has no config {config!r}. Choose one of {sorted(cls.builder_configs)}.")
    if file_format not in ("array_record", "tfrecord"):
        raise ValueError(f"`file_format` must be 'array_record' or 'tfrecord', but is {file_format!r}.")
    arguments = {"data_dir": data_dir, "config": config or None}
    if raw_dir is not None:
        if not getattr(cls, "HAS_ORIGINALS", False):
            raise ValueError(f"{dataset!r} has no originals, so it takes no `raw_dir`, but got {str(raw_dir)!r}.")
        arguments["raw_dir"] = raw_dir
    builder = cls(**arguments)
    if not builder.is_prepared():
        builder.info.set_file_format(file_format, override=True)
    elif builder.info.file_format.value != file_format:
        raise ValueError(
            f"{builder.info.full_name} is prepared in {str(builder.data_dir)!r} in the file format "
            f"{builder.info.file_format.value!r}, not {file_format!r}. Choose another `data_dir`, or delete it."
        )
    return builder


class StoredSplit:
    """A split on disk, of which examples are read in any order: for what does not fit in memory.

    Args:
        builder: a prepared builder of file format `"array_record"`.
        split: str. A split of the dataset, or a part of one, such as `"train[:1000]"`.
        features: tuple of str. Features to read. Defaults to `("signal", "onset")`.

    Raises:
        ValueError: where the dataset is not prepared or has no such feature, or its file format is another one.

    Example:

    ```python
    from keras_usmae.data import StoredSplit, load_builder, prepare

    split = StoredSplit(prepare(load_builder("ultrasound_synthetic/quickstart")), "train")
    len(split)  # 10800
    split.read([3, 1, 2])["signal"].shape  # (3, 2048)
    ```
    """

    def __init__(self, builder: Any, split: str, features: tuple[str, ...] = ("signal", "onset")) -> None:
        import tensorflow_datasets as tfds

        name, known = builder.info.full_name, builder.info.features
        if unknown := sorted(set(features) - set(known)):
            raise ValueError(f"{name} has no features {unknown}. Choose some of {sorted(known)}.")
        if not builder.is_prepared():
            raise ValueError(f"{name} is not prepared in {str(builder.data_dir)!r}. Call `prepare(builder)` first.")
        if builder.info.file_format.value != "array_record":
            raise ValueError(
                f"{name} is stored as {builder.info.file_format.value!r}, which only `builder.as_dataset` reads. Load "
                "and prepare it with `file_format='array_record'`."
            )
        # Decoding what was asked for only is three times faster than decoding all.
        self._wanted = tfds.features.FeaturesDict({key: known[key] for key in features})
        self._records = builder.as_data_source(split, deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES)

    def __len__(self):
        return len(self._records)

    def empty(self, num_examples: int) -> dict[str, np.ndarray]:
        """Arrays for some examples, uninitialised: a dict with the feature's dtype and `(num_examples, ...)`."""
        return {
            key: np.empty((num_examples, *feature.shape), feature.np_dtype) for key, feature in self._wanted.items()
        }

    def read(self, indices: Sequence[int]) -> dict:
        """Reads examples.

        Args:
            indices: sequence of int, or int array of shape `(n,)`. Places in the split, in any order.

        Returns:
            A dict of arrays, one for each feature, with the feature's dtype and the shape `(n, ...)`.
        """
        arrays = self.empty(len(indices))
        records = self._records.__getitems__([int(index) for index in indices])
        for row, record in enumerate(records):
            for key, value in self._wanted.deserialize_example_np(record).items():
                arrays[key][row] = value
        return arrays


def load_arrays(builder: Any, split: str, features: tuple[str, ...] = ("signal", "onset")) -> dict:
    """Loads features of a whole split into memory.

    Args:
        builder: a prepared builder of file format `"array_record"`.
        split: str. A split of the dataset, or a part of one, such as `"train[:1000]"`.
        features: tuple of str. Features to load. Defaults to `("signal", "onset")`.

    Returns:
        A dict of arrays, one for each feature, with the feature's dtype and the shape `(num_examples, ...)`.

    Raises:
        ValueError: where the dataset is not prepared or has no such feature, or its file format is another one.

    Example: see `load_builder`.
    """
    stored = StoredSplit(builder, split, features)
    arrays = stored.empty(len(stored))
    for first in range(0, len(stored), _CHUNK_SIZE):
        last = min(first + _CHUNK_SIZE, len(stored))
        for key, value in stored.read(range(first, last)).items():
            arrays[key][first:last] = value
    return arrays


def _builders_folder(folder):
    folder = pathlib.Path(folder) if folder is not None else shipped_folder("datasets")
    if not (folder / "__init__.py").is_file():
        raise FileNotFoundError(
            f"There is no folder of dataset builders at {str(folder)!r}. Leave `folder` out for those of the package, "
            "or pass the folder `datasets` of a checkout."
        )
    return folder.resolve()


def import_builders(folder: str | Path | None = None) -> None:
    """Makes the builders importable as the package `usmae_datasets`, and imports none of them.

    Args:
        folder: path or `None`. As for `load_builder`.

    Raises:
        FileNotFoundError: where there is no folder of builders.
        ValueError: where those of another folder were imported before.
    """
    builders = _builders_folder(folder)
    package = sys.modules.get(_PACKAGE)
    if package is None:
        import_package(_PACKAGE, builders)
    elif package.__path__[0] != str(builders):
        raise ValueError(
            f"Builders were loaded from {package.__path__[0]!r} before, and TFDS keeps one builder of a name. Load "
            f"those of {str(builders)!r} in a new process."
        )


def _import_builder(folder, dataset):
    import_builders(folder)
    return importlib.import_module(f"{_PACKAGE}.{dataset}.{dataset}_dataset_builder").Builder
