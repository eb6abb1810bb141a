"""Sets of signals in blocks, each with random generators of its own, and arithmetic that every synthesis shares."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from keras_usmae.signals.synthesis.config import SignalConfig
    from keras_usmae.signals.synthesis.transducer.config import TransducerConfig

BLOCK_SIZE = 256


def by_blocks(
    function: Callable, config: "SignalConfig | TransducerConfig", num_signals: int, seed: int, start: int
) -> dict:
    """Examples `start` to `start + num_signals - 1` of a set that is made block by block.

    Args:
        function: function of `(config, seed, block)` that gives a dict of arrays with a first axis of `BLOCK_SIZE`.
        num_signals: int. Number of examples.
        start: int. Index of the first example.

    Returns:
        A dict of arrays with a first axis of `num_signals`.

    Raises:
        ValueError: where `num_signals`, `seed` or `start` is not an integer of 0 or more.
    """
    for name, value in (("num_signals", num_signals), ("seed", seed), ("start", start)):
        if not isinstance(value, int | np.integer) or value < 0:
            raise ValueError(f"`{name}` must be an integer of 0 or more, but is {value!r}.")
    stop, done = start + num_signals, 0
    out: dict[str, np.ndarray] = {}
    for block in range(start // BLOCK_SIZE, max(stop - 1, start) // BLOCK_SIZE + 1):
        rows = slice(max(start - block * BLOCK_SIZE, 0), min(stop - block * BLOCK_SIZE, BLOCK_SIZE))
        piece = {key: value[rows] for key, value in function(config, seed, block).items()}
        if not out:
            out = {key: np.empty((num_signals, *value.shape[1:]), value.dtype) for key, value in piece.items()}
        for key, value in piece.items():
            out[key][done : done + len(value)] = value
        done += len(piece["onset"])
    return out


def generator(seed: int, block: int, stream: int) -> np.random.Generator:
    """The random generator of one stream of numbers of a block."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(block, stream))))


def digitize(signal: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """Rounds and clips signals in place to ADCs of full scale -1 to 1.

    Args:
        signal: float32 array of shape `(n, signal_length)`.
        bits: int array of shape `(n,)`.

    Returns:
        A bool array of shape `(n,)`, which signals reached an end of the scale.
    """
    half_scale = np.exp2(bits - 1).astype(np.float32)[:, None]
    signal *= half_scale
    np.rint(signal, out=signal)
    np.clip(signal, -half_scale, half_scale - 1, out=signal)
    clipped = (signal.max(axis=1, keepdims=True) == half_scale - 1) | (signal.min(axis=1, keepdims=True) == -half_scale)
    signal /= half_scale
    return clipped[:, 0]


def rms(array: np.ndarray, length: float | np.ndarray) -> np.ndarray:
    """Root of the sum of squares along the last axis over a length in samples."""
    return np.sqrt(np.einsum("ij,ij->i", array, array) / length)


def from_db(level: np.ndarray) -> np.ndarray:
    """Amplitude ratio of a level in dB."""
    return 10 ** (level / 20)
