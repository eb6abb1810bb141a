"""The echoes that make measured signals hard: series of thin plates, weaker echoes ahead, the end of an earlier one."""

from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.signals.synthesis.blocks import BLOCK_SIZE, from_db

if TYPE_CHECKING:
    from keras_usmae.signals.synthesis.config import SignalConfig


def draw_field_echoes(
    rng: np.random.Generator, config: "SignalConfig", parameters: dict, starts: np.ndarray, gains: np.ndarray
) -> tuple:
    """Draws what a `SignalConfig` adds to the first burst and its later echoes.

    Args:
        parameters: dict of arrays of shape `(256,)` with `burst_start` and `burst_length`, in samples.
        starts: float64 array of shape `(256, max_echoes)`, of the later echoes in samples; NaN where there is none.
        gains: float64 array of the same shape. Amplitudes as multiples of that of the first burst.

    Returns:
        A tuple of starts and gains of shape `(256, echo_slots)`, in order of arrival, padded with NaN.
    """
    first, length = parameters["burst_start"], parameters["burst_length"]
    plates = rng.random(BLOCK_SIZE) < config.plate_probability
    if config.max_echoes and plates.any():
        series_starts, series_gains = _draw_plates(rng, config, first)
        starts = np.where(plates[:, None], series_starts, starts)
        gains = np.where(plates[:, None], series_gains, gains)
    columns = [(starts, gains)]
    if config.max_precursors:
        columns.append(_draw_precursors(rng, config, first))
    if config.tail_probability:
        columns.append(_draw_tails(rng, config, length))
    starts, gains = (np.concatenate(parts, axis=1) for parts in zip(*columns, strict=True))
    gone = np.isnan(starts) | (starts >= config.signal_length) | (starts + length[:, None] <= 0)
    starts = np.where(gone, np.nan, starts)
    order = np.argsort(starts, axis=1)  # NaN last
    starts, gains, gone = (np.take_along_axis(array, order, axis=1) for array in (starts, gains, gone))
    return starts, np.where(gone, np.nan, gains)


def _draw_plates(rng, config, first):
    shape = (BLOCK_SIZE, config.max_echoes)
    number = np.arange(1, config.max_echoes + 1)
    starts = first[:, None] + number * rng.uniform(*config.plate_spacing, (BLOCK_SIZE, 1))
    steps_db = rng.uniform(*config.plate_step_db, shape)
    steps_db[:, 0] = rng.uniform(*config.plate_second_db, BLOCK_SIZE)
    # The faces of a plate reflect with one sign or with alternate ones, by what lies behind it.
    sign = rng.choice((-1.0, 1.0), (BLOCK_SIZE, 1)) ** number
    count = rng.integers(1, config.max_echoes, size=(BLOCK_SIZE, 1), endpoint=True)
    return np.where(number <= count, starts, np.nan), sign * from_db(np.cumsum(steps_db, axis=1))


def _draw_precursors(rng, config, first):
    shape = (BLOCK_SIZE, config.max_precursors)
    count = rng.integers(1, config.max_precursors, size=(BLOCK_SIZE, 1), endpoint=True)
    count *= rng.random((BLOCK_SIZE, 1)) < config.precursor_probability
    starts = first[:, None] - rng.uniform(*config.precursor_lead, shape)
    gains = rng.choice((-1.0, 1.0), shape) / from_db(rng.uniform(*config.precursor_attenuation_db, shape))
    return np.where(np.arange(config.max_precursors) < count, starts, np.nan), gains


def _draw_tails(rng, config, length):
    shape = (BLOCK_SIZE, 1)
    starts = -length[:, None] * rng.uniform(0, 1, shape)
    gains = rng.choice((-1.0, 1.0), shape) * from_db(rng.uniform(*config.tail_db, shape))
    return np.where(rng.random(shape) < config.tail_probability, starts, np.nan), gains
