"""Synthetic ultrasound A-scans with known onset, frequency, envelope, phase, echoes and noise."""

import dataclasses
import functools
import hashlib
import json
import pathlib
import re
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.core.dataset_builder import FileReaderBuilder

from keras_usmae.data.shards import ExampleEncoder, Shard, shard_sizes, write_shards
from keras_usmae.signals import (
    ENVELOPES,
    NOISE_COLORS,
    SignalConfig,
    TransducerConfig,
    draw_parameters,
    read_transducer,
    synthesize,
    transducer_names,
)
from keras_usmae.signals.synthesis.onsets import VISIBILITIES

# Room for the echoes of the config that has most, so that all configs have the same features.
_ECHO_SLOTS = SignalConfig.from_preset("field").echo_slots


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class SyntheticConfig(tfds.core.BuilderConfig):
    """One distribution of signals, and how many are drawn from it.

    Args:
        signals: `SignalConfig` or `TransducerConfig` that the signals are drawn from.
        num_train: int. Number of training examples: signals 0 to `num_train - 1` of the set.
        num_validation: int. Number of validation examples, the signals after them.
        seed: int. Seed of the set.
        unseen: dict of `SignalConfig` by split. Transducers held out: center frequency or burst length, and so
            bandwidth, share no value with those of the training. Defaults to none.
        num_unseen: int. Number of examples in each of these splits, signals from 0 on. Defaults to `0`.
    """

    signals: SignalConfig | TransducerConfig
    num_train: int
    num_validation: int
    seed: int
    unseen: dict[str, SignalConfig] = dataclasses.field(default_factory=dict)
    num_unseen: int = 0

    def __post_init__(self):
        for split, held_out in self.unseen.items():
            if not set(self.signals.ranges_apart(held_out)) & {"center_frequency", "burst_length"}:
                raise ValueError(
                    f"The transducers of {split!r} are not held out: the ranges of both their `center_frequency` and "
                    "their `burst_length` overlap with those of the training."
                )


def _config(name, num_signals, description, signals=None):
    num_validation = num_signals // 10
    return SyntheticConfig(
        name=name,
        description=f"{description} {num_signals - num_validation} training and {num_validation} validation signals.",
        signals=signals or SignalConfig.from_preset(name),
        num_train=num_signals - num_validation,
        num_validation=num_validation,
        seed=2025,
    )


def _hold_out(config):
    """Adds splits of transducers that are outside of the ranges of the training, each in one respect."""
    ranges = {
        "unseen_low": {"center_frequency": (0.4e6, 0.9e6)},
        "unseen_high": {"center_frequency": (6.6e6, 9e6)},
        "unseen_narrowband": {"burst_length": (600.0, 800.0)},
    }
    unseen = {split: dataclasses.replace(config.signals, **changed) for split, changed in ranges.items()}
    return dataclasses.replace(config, unseen=unseen, num_unseen=config.num_validation // 2)


def _transducer_config(name, signals):
    return _config(name, 48_000, f"{signals.description or 'A described transducer'}.", signals)


def _described_features(signals):
    """Features of a described transducer: every parameter that its signals are drawn with."""
    kinds = {"f": np.float32, "i": np.int32}
    drawn = draw_parameters(signals, 1, seed=0)
    visibility = {"visibility": tfds.features.ClassLabel(names=VISIBILITIES)}
    if drawn["echo_onsets"].shape[1]:
        visibility["echo_visibility"] = tfds.features.Tensor(shape=drawn["echo_onsets"].shape[1:], dtype=np.int32)
    return (
        {
            name: tfds.features.Tensor(shape=column.shape[1:], dtype=kinds[column.dtype.kind])
            for name, column in drawn.items()
            if 0 not in column.shape[1:]
        }
        | {"burst_length": np.float32, "noise_rms": np.float32, "clipped": np.bool_}
        | visibility
    )


class Builder(FileReaderBuilder):
    """Synthesizes the signals of a named `SignalConfig` or of a transducer file."""

    VERSION = tfds.core.Version("2.0.0")
    RELEASE_NOTES: ClassVar = {
        "2.0.0": "`onset` is the 10 % rise of the recorded envelope, as in `ultrasound_measured`; what it was is "
        "`burst_start`. Each echo has its own onset, start and visibility. The config `field`.",
        "1.1.0": "Splits of unseen transducers in `diverse`; the parameters of the ring-down, and the noise's RMS.",
        "1.0.0": "First release.",
    }
    BUILDER_CONFIGS: ClassVar = [
        _config("paper", 48_000, "One burst in white noise, as in the paper."),
        _hold_out(_config("diverse", 96_000, "The widest mix of transducers, echoes, noise and recorders.")),
        _config("quickstart", 12_000, "Bursts as damped immersion transducers give them, to pre-train within minutes."),
        _config(
            "field", 48_000, "What a picker meets: weaker echoes ahead, thin plates, cut bursts, and no echo at all."
        ),
        *(_transducer_config(name, read_transducer(name)) for name in transducer_names()),
    ]

    @classmethod
    def config_from_file(cls, path):
        """The config of a transducer file. Its name holds a digest of the content: a changed file is another set.

        Args:
            path: path of a .toml file, see `keras_usmae.signals.read_transducer`.

        Returns:
            A `SyntheticConfig`.

        Raises:
            FileNotFoundError: where there is no such file.
            ValueError: where it is not what it should be; the message names the line and the key.
        """
        signals = read_transducer(path)
        content = json.dumps(dataclasses.asdict(signals), sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:8]
        stem = re.sub(r"[^0-9A-Za-z_-]", "_", pathlib.Path(path).stem)
        return _transducer_config(f"{stem}_{digest}", signals)

    def _info(self):
        signals = self.builder_config.signals
        # Stored as bytes, which are faster to write and to read than a list of floats.
        signal = tfds.features.Tensor(shape=(signals.signal_length,), dtype=np.float32, encoding="bytes")
        described = isinstance(signals, TransducerConfig)
        features = (
            _described_features(signals)
            if described
            else {
                "onset": np.float32,
                "burst_start": np.float32,
                "visibility": tfds.features.ClassLabel(names=VISIBILITIES),
                "center_frequency": np.float32,
                "burst_length": np.float32,
                "phase": np.float32,
                "amplitude": np.float32,
                "envelope": tfds.features.ClassLabel(names=ENVELOPES),
                "envelope_shape": np.float32,
                "num_echoes": np.int32,
                "echo_onsets": tfds.features.Tensor(shape=(_ECHO_SLOTS,), dtype=np.float32),
                "echo_starts": tfds.features.Tensor(shape=(_ECHO_SLOTS,), dtype=np.float32),
                "echo_visibility": tfds.features.Tensor(shape=(_ECHO_SLOTS,), dtype=np.int32),
                "echo_amplitudes": tfds.features.Tensor(shape=(_ECHO_SLOTS,), dtype=np.float32),
                "ringdown_amplitude": np.float32,
                "ringdown_decay": np.float32,
                "ringdown_phase": np.float32,
                "snr_db": np.float32,
                "noise_rms": np.float32,
                "noise_color": tfds.features.ClassLabel(names=NOISE_COLORS),
                "dc_offset": np.float32,
                "adc_bits": np.int32,
                "clipped": np.bool_,
            }
        )
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict({"signal": signal, **features}),
            supervised_keys=("signal", "onset"),
            homepage="https://arxiv.org/abs/2508.20622",
            # Signals are independent draws already; shuffling on disk would only cost time.
            disable_shuffling=True,
            metadata=tfds.core.MetadataDict(
                sampling_rate=signals.sampling_rate,
                seed=self.builder_config.seed,
                signal_config=dataclasses.asdict(signals),
                unseen={split: dataclasses.asdict(held_out) for split, held_out in self.builder_config.unseen.items()},
            ),
        )

    def _splits(self):
        """Of each split, the `SignalConfig` and the place of its signals in the set: the first one, and how many."""
        config = self.builder_config
        return {
            "train": (config.signals, 0, config.num_train),
            "validation": (config.signals, config.num_train, config.num_validation),
            **{split: (held_out, 0, config.num_unseen) for split, held_out in config.unseen.items()},
        }

    def _shards(self, split, signals, start, num_signals):
        sizes = shard_sizes(num_signals, signals.signal_length)
        starts = start + np.cumsum([0, *sizes[:-1]])
        paths = self._get_filename_template(split_name=split).sharded_filepaths(len(sizes))
        encoder, file_format = ExampleEncoder(self.info.features), self.info.file_format.value
        draw = functools.partial(synthesize, signals, seed=self.builder_config.seed)
        places = zip(paths, starts.tolist(), sizes, strict=True)
        return [Shard(str(path), file_format, encoder, draw, first, size) for path, first, size in places]

    def _download_and_prepare(self, dl_manager, download_config=None):
        """Writes all splits shard by shard, by Apache Beam where `download_config` has a runner or options of it.

        The writers of TFDS would hold a gigabyte in memory, and the whole of a set that is not to be shuffled.
        """
        shards = {split: self._shards(split, *place) for split, place in self._splits().items()}
        together = [shard for parts in shards.values() for shard in parts]
        num_bytes = write_shards(together, download_config.beam_runner, download_config.beam_options)
        splits = [
            tfds.core.SplitInfo(
                name=split,
                shard_lengths=[shard.num_signals for shard in parts],
                num_bytes=sum(num_bytes[shard.path] for shard in parts),
                filename_template=self._get_filename_template(split_name=split),
            )
            for split, parts in shards.items()
        ]
        self.info.set_splits(tfds.core.SplitDict(splits))
