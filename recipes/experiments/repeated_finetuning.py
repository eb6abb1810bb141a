"""Fine-tuning a hundred times: one compiled classifier, trained from other weights, labels and seeds."""

import dataclasses

import keras

from keras_usmae.configs.finetune import LEARNING_RATES
from keras_usmae.models import ToFCrossentropy
from keras_usmae.training import EpochBatches, augmented, build_optimizer, jit_compile
from keras_usmae.training.finetuning import NOISE, STEPS_AT_ONCE


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
