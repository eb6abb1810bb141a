"""Learning from measured labels: a picker takes their word, and stays as it is elsewhere."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import scipy.special

from keras_usmae.configs import TeachConfig
from keras_usmae.models import EchoCrossentropy, EchoDetector
from keras_usmae.training.optimization import jit_compile
from keras_usmae.training.picker_training import WarmupStableDecay
from keras_usmae.training.teaching_windows import OWN, LabelledTraces, draw_windows


def teach(
    detector: EchoDetector,
    parts: Sequence[LabelledTraces],
    config: TeachConfig,
    on_step: Callable[[int], Any] = lambda step: None,
) -> None:
    """Fine-tunes a detector on measured labels, without forgetting what else it knows.

    Each step sees other pieces of the labelled traces, with noise and of either polarity. Close to a label its word
    counts, and everywhere else what the detector said before. Parts count by their labels.

    Args:
        detector: `EchoDetector`, changed in place.
        parts: sequence of `LabelledTraces`.
        config: `TeachConfig`.
        on_step: function of the number of a step, called with 0 before the first and then after each. Defaults to
            nothing.

    Raises:
        ValueError: where there is no label.

    Example:

    ```python
    detector = EchoDetector.from_preset("nano")
    table = EchoTable.of_sure(np.arange(len(onsets)), onsets)
    teach(detector, [LabelledTraces(signals.__getitem__, signals.shape[1], table, as_scale(1))], TeachConfig(steps=10))
    picks = EchoPicker(detector).pick(signals, sampling_rate=100e6)
    ```

    Reference:
        - [Li and Hoiem, 2016](https://arxiv.org/abs/1606.09282)
    """
    windows, targets = _draw(detector, [part for part in parts if len(part.table)], config)
    on_step(0)
    fit_detector(detector, windows, targets, config, on_step)


def _draw(detector, parts, config):
    """Windows of all parts, in the order of the steps."""
    if not parts:
        raise ValueError("There is no label to learn from.")
    counts = np.array([len(part.table) for part in parts])
    total = config.steps * config.batch_size
    shares = np.diff(np.round(np.cumsum([0, *counts]) / counts.sum() * total).astype(int))
    sizes = detector.encoder.signal_length, detector.bin_width
    # Each part has a seed of its own: else all would have the same noise.
    drawn = [
        draw_windows(part, share, *sizes, config.seed + (number << 32))
        for number, (part, share) in enumerate(zip(parts, shares, strict=True))
        if share
    ]
    if len(drawn) == 1:
        return drawn[0]
    order = np.random.default_rng(config.seed).permutation(total)
    return tuple(np.concatenate(arrays)[order] for arrays in zip(*drawn, strict=True))


def fit_detector(
    detector: EchoDetector,
    windows: np.ndarray,
    targets: np.ndarray,
    config: TeachConfig,
    on_step: Callable[[int], Any] = lambda step: None,
) -> None:
    """Fine-tunes a detector on windows; where the targets are `OWN`, on what it says itself.

    Args:
        detector: `EchoDetector`, changed in place.
        windows: float32 array of shape `(n, length)`.
        targets: float32 array of shape `(n, num_bins)`, see `draw_windows`.
        config: `TeachConfig`; its steps are as many as the windows allow.
        on_step: function of the number of a step, called after each. Defaults to nothing.
    """
    own = scipy.special.expit(np.asarray(detector.predict(windows, batch_size=config.batch_size, verbose=0)))
    targets = np.where(targets == OWN, own, targets)
    del own
    steps = len(windows) // config.batch_size
    schedule = WarmupStableDecay(config.learning_rate, steps // 10, steps // 2, steps)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=0.05, beta_2=0.999, clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "table"])
    detector.compile(optimizer, loss=EchoCrossentropy(), jit_compile=jit_compile())
    told = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: on_step(batch + 1))
    count = steps * config.batch_size
    detector.fit(
        windows[:count],
        targets[:count],
        batch_size=config.batch_size,
        callbacks=[told],
        shuffle=False,
        verbose=0,
    )
