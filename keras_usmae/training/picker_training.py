"""Training of a detector of echoes on labelled synthetic signals: every onset is known, and no label is asked for."""

import functools
from pathlib import Path

import keras

from keras_usmae.configs import PickerTraining
from keras_usmae.configs.picker import EPOCH_SIGNALS
from keras_usmae.evaluation.picker_calibration import calibrate_picker
from keras_usmae.models import CNNEncoder, EchoCrossentropy, EchoDetector, MAEEncoder, load_trained
from keras_usmae.picker.picker import DETECTOR_FILE
from keras_usmae.registration import register
from keras_usmae.signals import SignalConfig, TransducerConfig, read_transducer
from keras_usmae.training.batches import EpochBatches
from keras_usmae.training.checkpoint import LAST_FILE
from keras_usmae.training.echo_batches import fresh_echoes
from keras_usmae.training.fitting import train
from keras_usmae.training.optimization import jit_compile
from keras_usmae.training.run_folder import open_run_folder, save_model

# What decides the shapes of an encoder's weights, and what they mean.
_SIZES = (
    *("signal_length", "patch_size", "hidden_dim", "num_layers", "num_heads", "head_dim", "mlp_dim"),
    *("activation", "normalization", "stem_dim", "kernel_size"),
)
# Of the validation, whose seed no training has.
VALIDATION_SIGNALS, VALIDATION_SEED = 2048, 77_777
CALIBRATION_SIGNALS = 65_536  # at most: a short trial shall not wait for them


@register
class WarmupStableDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that rises linearly, stays, and falls linearly to zero.

    Args:
        peak: float.
        warmup_steps: int.
        decay_steps: int, steps of the fall.
        total_steps: int, after which the rate is zero.

    Reference:
        - [Hu et al., 2024](https://arxiv.org/abs/2404.06395)
    """

    def __init__(self, peak: float, warmup_steps: int, decay_steps: int, total_steps: int) -> None:
        self.peak, self.warmup_steps = peak, warmup_steps
        self.decay_steps, self.total_steps = decay_steps, total_steps

    def __call__(self, step):
        step = keras.ops.cast(step, "float32")
        rise = (step + 1) / max(self.warmup_steps, 1)
        fall = (self.total_steps - step) / max(self.decay_steps, 1)
        return self.peak * keras.ops.clip(keras.ops.minimum(rise, fall), 0.0, 1.0)

    def get_config(self):
        names = ("peak", "warmup_steps", "decay_steps", "total_steps")
        return {name: getattr(self, name) for name in names}


def build_detector(config: PickerTraining) -> EchoDetector:
    """Builds the detector that a training starts from.

    Args:
        config: `PickerTraining`.

    Raises:
        ValueError: where the start has other sizes than the training asks for.
        FileNotFoundError: where there is nothing to start from.
    """
    if config.start == "picker":
        return EchoDetector.from_preset(config.preset)
    if config.start in ("synthetic", "none"):
        return EchoDetector(_fresh_encoder(config, None if config.start == "none" else config.start), config.bin_width)
    folder = Path(config.start)
    for name in (DETECTOR_FILE, "encoder.keras"):
        if (folder / name).is_file():
            model = load_trained(folder / name, EchoDetector, MAEEncoder, CNNEncoder)
            break
    else:
        raise FileNotFoundError(
            f"There is neither {DETECTOR_FILE} nor encoder.keras in {str(folder)!r}. Give a run folder of "
            "train_picker.py or pretrain.py, or one of synthetic, picker and none."
        )
    detector = model if isinstance(model, EchoDetector) else EchoDetector(model, config.bin_width)
    sizes = _sizes(_fresh_encoder(config))
    found = _sizes(detector.encoder)
    if found != sizes or detector.bin_width != config.bin_width:
        raise ValueError(
            f"The model in {str(folder)!r} has other sizes than the {config.architecture} of the preset "
            f"{config.preset!r} with bins of {config.bin_width} samples: {found}, bins of {detector.bin_width}. Give "
            "its own preset."
        )
    return detector


def _fresh_encoder(config, weights=None):
    encoder = MAEEncoder.from_preset(config.preset, weights=weights)
    return CNNEncoder.from_encoder(encoder) if config.architecture == "cnn" else encoder


def _sizes(encoder):
    return {name: getattr(encoder, name) for name in _SIZES if hasattr(encoder, name)}


def compile_detector(detector: EchoDetector, config: PickerTraining) -> None:
    """Compiles a detector as `train_picker` trains it."""
    total = config.signals // config.batch_size
    schedule = WarmupStableDecay(
        config.learning_rate,
        warmup_steps=config.warmup_signals // config.batch_size,
        decay_steps=round(total * config.decay_share),
        total_steps=total,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay, beta_2=0.999, clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "table"])
    detector.compile(optimizer, loss=EchoCrossentropy(), jit_compile=jit_compile())


def train_picker(config: PickerTraining, folder: str | Path, resume: bool = False, verbose: int = 2):
    """Trains a detector of echoes and saves it as `detector.keras` in a run folder, where `EchoPicker` finds it.

    The last epoch counts: signals are never repeated, so that there is nothing to fit too closely. Which picks count,
    and how wide their intervals are, is then chosen on other synthetic records, see `calibrate_picker`.

    Args:
        config: `PickerTraining`.
        folder: path of the run folder.
        resume: bool, whether to go on with an interrupted run of the same configuration. Defaults to `False`.
        verbose: int, Keras's. Defaults to `2`.

    Returns:
        The trained `EchoDetector`.

    Raises:
        ValueError: where the folder holds another run.
    """
    keras.utils.set_random_seed(config.seed)
    worlds: list[SignalConfig | TransducerConfig] = [
        SignalConfig.from_preset(config.world),
        *map(read_transducer, config.transducers),
    ]
    detector = build_detector(config)
    compile_detector(detector, config)
    draw = functools.partial(fresh_echoes, worlds, bin_width=config.bin_width, sigma=config.label_sigma)
    share = EPOCH_SIGNALS // len(worlds) * len(worlds)
    validation = draw(VALIDATION_SIGNALS // len(worlds) * len(worlds), VALIDATION_SEED)(0)
    batches = EpochBatches(draw(share, config.seed), config.batch_size)
    folder = open_run_folder(folder, config.values(), resume)
    train(detector, batches, validation, folder, config.signals // EPOCH_SIGNALS, verbose=verbose)
    detector.load_weights(folder / LAST_FILE)
    records = min(config.signals, CALIBRATION_SIGNALS)
    if verbose:
        print(f"Choosing which picks count, on {records:,} records without an echo and a quarter as many with some.")
    detector.settings |= calibrate_picker(detector, records, config.label_sigma)
    save_model(folder / DETECTOR_FILE, detector)
    return detector
