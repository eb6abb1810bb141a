"""What decides how a picker learns from measured labels."""

import dataclasses

from keras_usmae.configs.fields import check_settings, setting

MOST_WINDOWS = 65_536


@dataclasses.dataclass(frozen=True)
class TeachConfig:
    """Everything that decides what a picker learns from labels; each field says what it is in `setting`.

    Raises:
        ValueError: where a value is out of range.

    Example:

    ```python
    config = TeachConfig(steps=120)
    ```
    """

    # With 64 labels of measured windows, `nano` and two seeds: 60 steps take the mean error on the validation split
    # from 2.23 to 1.66 samples, 240 to 1.61, and 240 at three times the rate to 1.57.
    steps: int = setting(60, "Optimiser steps.", min=10)
    batch_size: int = setting(64, "Windows in an optimiser step, each another piece of a labelled trace.", min=1)
    learning_rate: float = setting(1e-3, "Peak of the learning rate.", min=0.0, max=1.0)
    seed: int = setting(0, "Seed of the windows.", min=0, max=2**31 - 1)

    def __post_init__(self):
        check_settings(self)
        if self.steps * self.batch_size > MOST_WINDOWS:
            raise ValueError(
                f"`steps` times `batch_size` must be at most {MOST_WINDOWS:,} windows, which are drawn ahead and take "
                f"half a gigabyte. Received: steps={self.steps}, batch_size={self.batch_size}"
            )
