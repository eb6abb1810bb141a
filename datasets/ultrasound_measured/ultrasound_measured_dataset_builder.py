"""Windows of measured immersion A-scans with time-of-flight labels."""

import dataclasses
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds

from . import corpus, custom, originals
from .echoes import INTERFACES, LABEL_DEFINITIONS
from .splits import SPLITS


@dataclasses.dataclass(eq=False, kw_only=True)
class MeasuredConfig(tfds.core.BuilderConfig):
    """How many windows are cut, and whether noise is added to them.

    Args:
        num_windows: dict of int, windows by split.
        with_noise: bool. Whether noise is added to reach a drawn SNR.
        seed: int. Seed of the windows and of the noise.
    """

    num_windows: dict[str, int]
    with_noise: bool
    seed: int = 2025


@dataclasses.dataclass(eq=False, kw_only=True)
class CustomConfig(tfds.core.BuilderConfig):
    """Recordings of the user's own, as a `prepare.toml` beside them states it."""


_NUM_WINDOWS = {"train": 6400, "validation": 1600, "test": 1600}


class Builder(tfds.core.GeneratorBasedBuilder):
    """Labels four measured scans, resamples them to 100 MHz and cuts windows of 2048 samples; or reads other data.

    Args:
        raw_dir: path or `None`. Folder of the originals; for `custom`, a folder or file of recordings, or a .toml file
            that names them. Defaults to `None`, that is what the environment variable `DATA_DIR` names, or a download
            where it is not set.
        **kwargs: arguments of `tfds.core.GeneratorBasedBuilder`.
    """

    VERSION = tfds.core.Version("1.1.0")
    RELEASE_NOTES: ClassVar = {
        "1.1.0": "Features `flaw` and `material`; everything else is bit-identical to 1.0.0.",
        "1.0.0": "First release.",
    }
    BUILDER_CONFIGS: ClassVar = [
        MeasuredConfig(
            name="paper",
            description="9,600 windows, with noise added to an SNR drawn from 18 to 38 dB, unless it is noisier.",
            num_windows=_NUM_WINDOWS,
            with_noise=True,
        ),
        MeasuredConfig(
            name="clean",
            description="The windows of `paper` as they were recorded, without added noise.",
            num_windows=_NUM_WINDOWS,
            with_noise=False,
        ),
        CustomConfig(name="custom", description="Recordings of your own: see the section on your own data."),
    ]
    HAS_ORIGINALS = True

    def __init__(self, *, raw_dir=None, **kwargs):
        self._raw_dir = raw_dir
        super().__init__(**kwargs)
        if self._is_custom and raw_dir is not None and self.is_prepared():
            custom.check_prepared(self.info, custom.find_preparation(raw_dir))

    @property
    def _is_custom(self):
        return isinstance(self.builder_config, CustomConfig)

    def _info(self):
        return self._custom_info() if self._is_custom else self._scans_info()

    def _custom_info(self):
        # Mistakes in the settings are told here, before any long work.
        metadata = custom.stored_metadata(self.data_dir) or custom.stated_metadata(self._raw_dir)
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(custom.features(metadata["signal_length"])),
            supervised_keys=("signal", "onset"),
            disable_shuffling=True,
            metadata=tfds.core.MetadataDict(metadata),
        )

    def _scans_info(self):
        features = {
            # Stored as bytes, which are faster to write and to read than a list of floats.
            "signal": tfds.features.Tensor(shape=(corpus.SIGNAL_LENGTH,), dtype=np.float32, encoding="bytes"),
            "onset": np.float32,
            "onset_reference": np.float32,
            "onset_sigma": np.float32,
            "burst_length": np.float32,
            "snr_db": np.float32,
            "noise_added": np.bool_,
            "source": tfds.features.ClassLabel(names=corpus.SOURCES),
            "interface": tfds.features.ClassLabel(names=INTERFACES),
            "label_definition": tfds.features.ClassLabel(names=LABEL_DEFINITIONS),
            "position": tfds.features.Tensor(shape=(2,), dtype=np.int32),
            "window_start": np.int32,
            "record_start": np.float32,
            "source_sampling_rate": np.float32,
            "resampling_factor": np.int32,
            "speed_of_sound": np.float32,
            "clipped": np.bool_,
            "hole_echo": np.bool_,
            # -1 where neither class is sure, which TFDS takes for "no label".
            "flaw": tfds.features.ClassLabel(names=corpus.FLAW_CLASSES),
            "material": tfds.features.ClassLabel(names=corpus.MATERIALS),
        }
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("signal", "onset"),
            homepage="https://github.com/mh-skjelvareid/synaptus",
            # Windows are independent draws already; shuffling on disk would only cost time.
            disable_shuffling=True,
            metadata=tfds.core.MetadataDict(
                sampling_rate=corpus.SAMPLING_RATE,
                seed=self.builder_config.seed,
                originals={original.filename: original.sha256 for original in originals.ORIGINALS.values()},
            ),
        )

    def _split_generators(self, dl_manager):
        if self._is_custom:
            planned, metadata = custom.plan(custom.find_preparation(self._raw_dir))
            self.info.metadata.update(metadata)
            wanted = [split for split, count in metadata["windows"].items() if count]
            return {split: custom.examples(planned, metadata["recordings"], split) for split in wanted}
        paths = originals.find_local(self._raw_dir)
        if paths is None:
            originals.check_download(dl_manager.download_dir)
            paths = dl_manager.download({name: original.url for name, original in originals.ORIGINALS.items()})
        scans = {name: originals.read_scan(name, path) for name, path in paths.items()}
        everything = corpus.build_corpus(scans)
        return {split: self._generate_examples(everything, split) for split in SPLITS}

    def _generate_examples(self, everything, split):
        config, features = self.builder_config, self.info.features
        examples = corpus.make_examples(everything, split, config.num_windows[split], config.with_noise, config.seed)
        columns = [examples[key].astype(feature.np_dtype, copy=False) for key, feature in features.items()]
        for index, row in enumerate(zip(*columns, strict=True)):
            yield index, dict(zip(features, row, strict=True))
