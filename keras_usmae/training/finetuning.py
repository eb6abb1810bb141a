"""Fine-tuning: how a classifier is compiled and fed, and experiments that do it a hundred times."""

import dataclasses

import keras

from keras_usmae.models import ToFCrossentropy
from keras_usmae.models.tof_metrics import ToFAccuracy, ToFError
from keras_usmae.training.augmentation import augmented
from keras_usmae.training.batches import EpochBatches, shuffled
from keras_usmae.training.optimization import build_optimizer, jit_compile

# Best of 0.0003, 0.001 and 0.003 for the transformer and of 0.001, 0.003 and 0.01 for the CNN on the validation split
# of ultrasound_measured/paper (`nano` size, 500 labels, one seed): the largest tried in both cases, so larger ones may
# be better.
LEARNING_RATES = {"transformer": 3e-3, "cnn": 1e-2}
STEPS_AT_ONCE = 50
NOISE = (1e-3, 0.06)


def tof_batches(signals, onset, batch_size, seed, augment=False, augment_noise=NOISE[1]):
    """Batches to fine-tune with.

    Args:
        signals: float32 array of shape `(n, signal_length)`, standardised.
        onset: array of shape `(n,)`, onsets in samples.
        batch_size: int.
        seed: int, seed of order and augmentation.
        augment: bool, whether each epoch has other versions of the signals, moved by at most 600 of 2048 samples; see
            `keras_usmae.training.augment`. An epoch then has at least 50 batches, several versions of each signal
            where they are few. Defaults to `False`.
        augment_noise: float, largest RMS of the noise that augmentation adds, relative to that of the signal; `0` for
            none. Defaults to `0.06`.

    Returns:
        `EpochBatches`.

    Example:

    ```python
    batches = tof_batches(signals, onset, batch_size=64, seed=0, augment=True)
    classifier.fit(batches, epochs=60, callbacks=[batches.callback], shuffle=False)
    ```
    """
    load_epoch = shuffled((signals, onset), seed)
    if augment:
        load_epoch = augmented(
            (signals, onset),
            # Whole batches: a smaller last one would have to be compiled for once more.
            max(-(-len(onset) // batch_size), STEPS_AT_ONCE) * batch_size,
            seed,
            max_shift=round(600 / 2048 * signals.shape[1]),
            noise=(min(NOISE[0], augment_noise), augment_noise),
        )
    return EpochBatches(load_epoch, batch_size)


def compile_for_tof(
    classifier, learning_rate, total_steps, warmup_steps, weight_decay=0.05, layer_decay=1.0, label_sigma=12.0
):
    """Compiles a classifier as `recipes/finetune.py` trains it.

    Args:
        classifier: `ToFClassifier`.
        learning_rate: float, its peak.
        total_steps: int, optimiser steps of the whole training.
        warmup_steps: int, steps of the linear rise.
        weight_decay: float, AdamW's. Defaults to `0.05`.
        layer_decay: float, see `LayerDecayAdamW`. Defaults to `1.0`.
        label_sigma: float, samples, spread of the target distribution; see `ToFCrossentropy`. Defaults to `12.0`.

    Example:

    ```python
    compile_for_tof(classifier, 3e-3, total_steps=60 * len(batches), warmup_steps=3 * len(batches))
    ```
    """
    bin_width = classifier.bin_width
    classifier.compile(
        build_optimizer(
            learning_rate, total_steps, warmup_steps, weight_decay, 0.999, layer_decay, classifier.encoder.num_layers
        ),
        loss=ToFCrossentropy(bin_width, label_sigma),
        metrics=[ToFAccuracy(bin_width), ToFAccuracy(bin_width, 1, name="within_one_bin"), ToFError(bin_width)],
        jit_compile=jit_compile(),
    )


@dataclasses.dataclass(frozen=True)
class FinetuneSettings:
    """How a ToF classifier is fine-tuned.

    Args:
        steps: int, optimiser steps, a multiple of 50; the rate warms up over the first twentieth. Defaults to `600`.
        batch_size: int, signals in a step. Defaults to `64`.
        learning_rate: float, its peak. Defaults to `3e-3`.
        weight_decay: float, AdamW's. Defaults to `0.05`.
        bin_width: int, samples in a ToF class. Defaults to `16`.
        label_sigma: float, samples, spread of the target distribution; see `ToFCrossentropy`. Defaults to `12.0`.
        max_shift: int, samples, see `augment`. Defaults to `600`.
        noise: pair of floats, see `augment`. Defaults to `(1e-3, 0.06)`.
        flip: bool, see `augment`. Defaults to `True`.

    Example:

    ```python
    settings = FinetuneSettings(steps=1000)
    ```
    """

    steps: int = 600
    batch_size: int = 64
    learning_rate: float = LEARNING_RATES["transformer"]
    weight_decay: float = 0.05
    bin_width: int = 16
    label_sigma: float = 12.0
    max_shift: int = 600
    noise: tuple[float, float] = NOISE
    flip: bool = True

    def __post_init__(self):
        if self.steps < 1 or self.steps % STEPS_AT_ONCE:
            raise ValueError(f"`steps` must be a multiple of {STEPS_AT_ONCE}. Received: steps={self.steps}")


class RepeatedFinetuning:
    """Fine-tunes one compiled classifier from other weights, labels and seeds, again and again.

    Compiling a training step takes as long as a short training on few labels; here it happens once. What counts is the
    model after the last step: no validation split takes part.

    Args:
        classifier: `ToFClassifier`, or `SignalClassifier`, whose weights are overwritten.
        settings: `FinetuneSettings`.
        loss: optional `keras.losses.Loss` for another task. Defaults to `None`, `ToFCrossentropy` as the settings say.

    Example:

    ```python
    finetuning = RepeatedFinetuning(classifier, FinetuneSettings(steps=100))
    initial = classifier.get_weights()
    for seed in range(5):
        finetuning.run(initial, signals, onset, seed)
        scores = score_onsets(test_onset, classifier.predict_tof(test_signals)["onset"], 16, 100e6, 1480.0)
    ```
    """

    def __init__(self, classifier, settings, loss=None):
        self.classifier = classifier
        self.settings = settings
        classifier.compile(
            build_optimizer(
                settings.learning_rate, settings.steps, settings.steps // 20, settings.weight_decay, beta_2=0.999
            ),
            loss=loss or ToFCrossentropy(settings.bin_width, settings.label_sigma),
            jit_compile=jit_compile(),
        )
        classifier.optimizer.build(classifier.trainable_variables)

    def run(self, weights, signals, onset, seed):
        """Trains from `weights`.

        Args:
            weights: list of arrays, `get_weights()` of a classifier of the same architecture.
            signals: float32 array of shape `(n, signal_length)`, standardised.
            onset: array of shape `(n,)`, onsets in samples; or what another loss takes, with `max_shift=0`.
            seed: int, seed of order and augmentation.

        Returns:
            float, the loss averaged over the last steps.
        """
        settings = self.settings
        self.classifier.set_weights(weights)
        for variable in self.classifier.optimizer.variables:
            if variable is not self.classifier.optimizer.learning_rate:
                variable.assign(keras.ops.zeros(variable.shape, variable.dtype))
        options = {name: getattr(settings, name) for name in ("max_shift", "noise", "flip")}
        # Drawn a part at a time: all of a long training would not fit in memory.
        batches = EpochBatches(
            augmented((signals, onset), STEPS_AT_ONCE * settings.batch_size, seed, **options), settings.batch_size
        )
        history = self.classifier.fit(
            batches,
            epochs=settings.steps // STEPS_AT_ONCE,
            callbacks=[batches.callback],
            shuffle=False,
            verbose=0,
        )
        return float(history.history["loss"][-1])
