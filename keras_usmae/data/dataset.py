"""The door to data: one function that opens a dataset, by name, for trainings, scores, experiments and searches."""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from keras_usmae.data.builders import StoredSplit, load_arrays, load_builder
from keras_usmae.data.preparing import prepare
from keras_usmae.signals import check_signals, onset_to_class, standardize


def load_dataset(name: str, data_dir: str | Path | None = None, raw_dir: str | Path | None = None) -> "SignalDataset":
    """Opens a dataset. Its files are prepared when arrays are first asked for, which may take long.

    Args:
        name: str. `"dataset/config"`, such as `"ultrasound_synthetic/paper"`; see `load_builder`.
        data_dir: path or `None`. Where prepared datasets are. Defaults to `None`, that is `TFDS_DATA_DIR` or
            `~/tensorflow_datasets`.
        raw_dir: path or `None`. Folder of the originals; a dataset that has none takes no notice of it. Defaults to
            `None`, that is the folder that `DATA_DIR` names, or a download.

    Raises:
        ValueError: where the dataset or config is unknown.

    Example:

    ```python
    from keras_usmae.data import load_dataset

    dataset = load_dataset("ultrasound_synthetic/quickstart")
    signals, onset = dataset.labelled("validation")
    signals.shape  # (600, 2048)
    ```
    """
    has_originals = name.startswith("ultrasound_measured")
    return SignalDataset(name, load_builder(name, data_dir=data_dir, raw_dir=raw_dir if has_originals else None))


class SignalDataset:
    """A dataset of signals: what it is, and its splits as arrays. `load_dataset` makes it.

    Args:
        name: str, the name that it was asked for by.
        builder: TFDS builder, see `load_builder`.
    """

    def __init__(self, name: str, builder: Any) -> None:
        self.name, self._builder = name, builder

    @functools.cached_property
    def builder(self) -> Any:
        """The builder, prepared."""
        return prepare(self._builder)

    @property
    def config(self) -> Any:
        """TFDS configuration: `name`, and of a synthetic dataset `signals`, `num_train`, `num_validation`, `seed`."""
        return self._builder.builder_config

    @property
    def signal_length(self) -> int:
        """Samples in a signal."""
        return self._builder.info.features["signal"].shape[0]

    @property
    def sampling_rate(self) -> float:
        """Sampling rate of the signals in Hz."""
        return float(self.builder.info.metadata["sampling_rate"])

    @property
    def sources(self) -> list[str]:
        """Names of the sources of a measured dataset."""
        return self._builder.info.features["source"].names

    @property
    def features(self) -> tuple[str, ...]:
        """Names of all features."""
        return tuple(self._builder.info.features)

    @property
    def labelled_splits(self) -> dict[str, str]:
        """From `"train"`, `"validation"` and `"test"` to TFDS's names.

        A dataset without a test split lends half of its validation split.

        Raises:
            ValueError: where the dataset has no labels.
        """
        builder = self.builder
        if not builder.info.metadata.get("labelled", True):
            raise ValueError(
                f"{builder.info.full_name} in {str(builder.data_dir)!r} has no labels, which fine-tuning and scores "
                "need. Name them as 'onset' in the sidecar of the recordings and prepare it anew. Without labels, "
                "recipes/predict.py FILE_OR_FOLDER finds the time of flight of each trace, and recipes/pretrain.py "
                "trains."
            )
        if "test" in builder.info.splits:
            return {"train": "train", "validation": "validation", "test": "test"}
        return {"train": "train", "validation": "validation[:50%]", "test": "validation[50%:]"}

    def unlabelled(self, split: str, length: int | None = None) -> np.ndarray:
        """Standardised signals of a whole split, as `pretrain` takes them.

        Args:
            split: str, TFDS's, such as `"train"` or `"train[:1000]"`.
            length: int or `None`, samples that they must have. Defaults to `None`, their own.

        Returns:
            float32 array of shape `(n, signal_length)`.
        """
        signals = load_arrays(self.builder, split, features=("signal",))["signal"]
        return standardize(check_signals(signals, length or self.signal_length))

    def stored(self, split: str) -> StoredSplit:
        """Signals on disk, for what does not fit in memory: see `StoredSplit`."""
        return StoredSplit(self.builder, split, features=("signal",))

    def arrays(self, split: str, features: tuple[str, ...] | None = None, length: int | None = None) -> dict:
        """Features of a labelled split as they are stored, signals checked.

        Args:
            split: str, one of `labelled_splits`, or TFDS's.
            features: tuple of str, or `None` for all. Defaults to `None`.
            length: int or `None`, samples that signals must have. Defaults to `None`, their own.

        Returns:
            A dict of arrays.
        """
        part = self.labelled_splits.get(split, split)
        arrays = load_arrays(self.builder, part, features=tuple(features or self.features))
        check_signals(arrays["signal"], length or self.signal_length)
        return arrays

    def labelled(self, split: str, bin_width: int | None = None, length: int | None = None, raw: bool = False) -> tuple:
        """Signals of a split, and their onsets.

        Args:
            split: str, one of `labelled_splits`, or TFDS's.
            bin_width: int or `None`, samples in a ToF class, of which each onset must have one. Defaults to `None`,
                unchecked.
            length: int or `None`, samples that signals must have. Defaults to `None`, their own.
            raw: bool, whether signals stay as they are stored. Defaults to `False`, standardised.

        Returns:
            A tuple: float32 signals `(n, signal_length)`, and float32 onsets `(n,)` in samples.

        Raises:
            ValueError: where the dataset has no labels, or one lies outside of its signal.
        """
        arrays = self.arrays(split, ("signal", "onset"), length)
        signals, onset = arrays["signal"], arrays["onset"].astype("float32")
        if bin_width:
            onset_to_class(onset, bin_width, self.signal_length // bin_width)
        return (signals if raw else standardize(signals)), onset

    def draw(self, num_signals: int, labels: int, seed: int) -> tuple:
        """Order in which labels are drawn from the training split.

        Args:
            num_signals: int, signals in the split.
            labels: int, how many are wanted; `0` for all.
            seed: int.

        Returns:
            A tuple of int arrays: a permutation of all, and the first `labels` of it.

        Raises:
            ValueError: where there are fewer.
        """
        if labels > num_signals:
            raise ValueError(f"labels={labels}: the training split of {self.name} has only {num_signals} signals.")
        order = np.random.default_rng(seed).permutation(num_signals)
        return order, order[: labels or None]
