"""AdamW with warm-up and cosine decay, and when to compile a step."""

import keras

from keras_usmae.registration import register
from keras_usmae.renamed import current_names
from keras_usmae.training.layer_decay import LayerDecayAdamW


@register
class PerUpdate(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that goes by optimiser steps where gradients of several training steps are accumulated for one.

    Keras asks a schedule by training steps, though it counts all else by optimiser steps.

    Args:
        schedule: `keras.optimizers.schedules.LearningRateSchedule` over optimiser steps.
        gradient_accumulation_steps: int, training steps in an optimiser step.
    """

    def __init__(
        self, schedule: keras.optimizers.schedules.LearningRateSchedule, gradient_accumulation_steps: int
    ) -> None:
        self.schedule = schedule
        self.gradient_accumulation_steps = gradient_accumulation_steps

    def __call__(self, step):
        """Rate at a training step, the same for all of an optimiser step."""
        return self.schedule(keras.ops.floor_divide(step, self.gradient_accumulation_steps))

    def get_config(self):
        return {
            "schedule": keras.saving.serialize_keras_object(self.schedule),
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }

    @classmethod
    def from_config(cls, config: dict) -> "PerUpdate":
        config = current_names(config)
        return cls(keras.saving.deserialize_keras_object(config["schedule"]), config["gradient_accumulation_steps"])


def build_optimizer(
    learning_rate: float,
    total_steps: int,
    warmup_steps: int,
    weight_decay: float = 0.05,
    beta_2: float = 0.95,
    layer_decay: float = 1.0,
    num_layers: int = 0,
    gradient_accumulation_steps: int = 1,
) -> keras.optimizers.AdamW:
    """AdamW as masked autoencoders are trained with.

    The rate rises linearly from 0 and falls along a cosine to 0 at the last step. Biases, normalisation, positions and
    the mask token are not decayed.

    Args:
        learning_rate: float, the peak.
        total_steps: int, optimiser steps of the whole training.
        warmup_steps: int, steps of the rise; fewer than `total_steps`.
        weight_decay: float. Defaults to `0.05`.
        beta_2: float, decay of the second moment. Defaults to `0.95`.
        layer_decay: float, factor of the rate from a layer to the one before it; see `LayerDecayAdamW`. Defaults to
            `1.0`, one rate for all.
        num_layers: int, blocks of the encoder, for `layer_decay`. Defaults to `0`.
        gradient_accumulation_steps: int, training steps whose gradients are averaged for one optimiser step: the
            `micro_batches` of `EpochBatches`, of which only one is in memory. Schedule, clipping and decay go by
            optimiser steps, as with whole batches. Defaults to `1`.

    Raises:
        ValueError: if the warm-up is as long as the training.

    Reference:
        - [He et al., 2021](https://arxiv.org/abs/2111.06377), table 8
    """
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(
            f"The warm-up must be shorter than the training. Received: warmup_steps={warmup_steps}, "
            f"total_steps={total_steps}; train for more epochs or warm up for fewer."
        )
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup_steps else learning_rate,
        decay_steps=total_steps - warmup_steps,
        warmup_target=learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )
    arguments = {"weight_decay": weight_decay, "beta_2": beta_2, "clipnorm": 1.0}
    if gradient_accumulation_steps > 1:
        schedule = PerUpdate(schedule, gradient_accumulation_steps)
        arguments["gradient_accumulation_steps"] = gradient_accumulation_steps
    if layer_decay == 1.0:
        optimizer = keras.optimizers.AdamW(schedule, **arguments)
    else:
        optimizer = LayerDecayAdamW(schedule, layer_decay=layer_decay, num_layers=num_layers, **arguments)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "table", "mask_token"])
    return optimizer


def jit_compile() -> bool:
    """Whether recipes compile a training step with XLA.

    Keras leaves it off for TensorFlow on the CPU, where it doubled the rate of the `nano` and `tiny` autoencoders
    (1,150 to 2,280 and 390 to 790 signals/s on two shared cores); torch takes more than a minute to compile and is left
    as it is. TensorFlow cannot compile a step that several devices share.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return not tf.distribute.has_strategy()
    return keras.backend.backend() != "torch"
