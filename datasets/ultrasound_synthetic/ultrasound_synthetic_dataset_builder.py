"""Synthetic ultrasound A-scans with known onset, frequency, envelope, phase, echoes and noise."""

import dataclasses
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds

from keras_usmae.signals import ENVELOPES, NOISE_COLORS, SignalConfig, synthesize

# Examples that are synthesized at once: enough to be fast, 16 MiB of signals in memory.
_BLOCK_SIZE = 2048
# Room for the echoes of the config that has most, so that all configs have the same features.
_ECHO_SLOTS = 5


@dataclasses.dataclass(eq=False, kw_only=True)
class SyntheticConfig(tfds.core.BuilderConfig):
    """One distribution of signals, and how many are drawn from it.

    Args:
        signals: `SignalConfig` that the signals are drawn from.
        num_train: int. Number of training examples: signals 0 to `num_train - 1` of the set.
        num_validation: int. Number of validation examples, the signals after them.
        seed: int. Seed of the set.
    """

    signals: SignalConfig
    num_train: int
    num_validation: int
    seed: int


def _config(preset, num_signals, description):
    num_validation = num_signals // 10
    return SyntheticConfig(
        name=preset,
        description=f"{description} {num_signals - num_validation} training and {num_validation} validation signals.",
        signals=SignalConfig.from_preset(preset),
        num_train=num_signals - num_validation,
        num_validation=num_validation,
        seed=2025,
    )


class Builder(tfds.core.GeneratorBasedBuilder):
    """Synthesizes the signals of `SignalConfig.from_preset(config name)`."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "First release."}
    BUILDER_CONFIGS: ClassVar = [
        _config("paper", 48_000, "One burst in white noise, as in the paper."),
        _config("diverse", 96_000, "The widest mix of transducers, echoes, noise and recorders."),
        _config("quickstart", 12_000, "Bursts as damped immersion transducers give them, to pre-train within minutes."),
    ]

    def _info(self):
        signals = self.builder_config.signals
        features = {
            # Stored as bytes, which are faster to write and to read than a list of floats.
            "signal": tfds.features.Tensor(shape=(signals.signal_length,), dtype=np.float32, encoding="bytes"),
            "onset": np.float32,
            "center_frequency": np.float32,
            "burst_length": np.float32,
            "phase": np.float32,
            "amplitude": np.float32,
            "envelope": tfds.features.ClassLabel(names=ENVELOPES),
            "envelope_shape": np.float32,
            "num_echoes": np.int32,
            "echo_onsets": tfds.features.Tensor(shape=(_ECHO_SLOTS,), dtype=np.float32),
            "echo_amplitudes": tfds.features.Tensor(shape=(_ECHO_SLOTS,), dtype=np.float32),
            "ringdown_amplitude": np.float32,
            "snr_db": np.float32,
            "noise_color": tfds.features.ClassLabel(names=NOISE_COLORS),
            "dc_offset": np.float32,
            "adc_bits": np.int32,
            "clipped": np.bool_,
        }
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("signal", "onset"),
            homepage="https://arxiv.org/abs/2508.20622",
            # Signals are independent draws already; shuffling on disk would only cost time.
            disable_shuffling=True,
            metadata=tfds.core.MetadataDict(
                sampling_rate=signals.sampling_rate,
                seed=self.builder_config.seed,
                signal_config=dataclasses.asdict(signals),
            ),
        )

    def _split_generators(self, dl_manager):
        config = self.builder_config
        return {
            "train": self._generate_examples(0, config.num_train),
            "validation": self._generate_examples(config.num_train, config.num_validation),
        }

    def _generate_examples(self, start, num_signals):
        config = self.builder_config
        features = self.info.features
        for first in range(start, start + num_signals, _BLOCK_SIZE):
            size = min(_BLOCK_SIZE, start + num_signals - first)
            block = synthesize(config.signals, size, config.seed, start=first)
            for key in ("echo_onsets", "echo_amplitudes"):
                spare = _ECHO_SLOTS - block[key].shape[1]
                block[key] = np.pad(block[key], ((0, 0), (0, spare)), constant_values=np.nan)
            columns = [block[key].astype(feature.np_dtype, copy=False) for key, feature in features.items()]
            for offset, row in enumerate(zip(*columns, strict=True)):
                yield first + offset, dict(zip(features, row, strict=True))
