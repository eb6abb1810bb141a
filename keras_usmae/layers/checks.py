"""Checks that say in the same words on every backend what is wrong, where each backend has words of its own."""

import math

# Weights of a layer or model; `base`, the largest preset, has 6 million. What asks for more is a slip or an attack.
MAX_WEIGHTS = 2**29
MAX_LAYERS = 128
MAX_SEED = 2**31 - 1


def check_batch(shape, signal_length):
    """Raises a ValueError where the shape of a batch of signals, as far as it is known, is another or holds no signal.

    Args:
        shape: tuple of int or `None`, expected to be `(batch, signal_length)`.
        signal_length: int, samples that a signal must have.
    """
    shape = tuple(shape)
    if len(shape) != 2:
        hint = "; write `signals[None]` for a single signal." if len(shape) == 1 else "."
        raise ValueError(f"Expected signals of shape (batch, {signal_length}). Received: shape {shape}{hint}")
    if shape[1] != signal_length:
        raise ValueError(
            f"This model takes signals of {signal_length} samples. Received: shape {shape}; crop or pad the signals, "
            "or build a model with that `signal_length`."
        )
    if shape[0] == 0:
        raise ValueError(f"There are no signals in this batch. Received: shape {shape}; leave empty batches out.")


def check_noise(shape, batch_size, num_patches):
    """Raises a ValueError where the numbers by which patches are masked have another shape, as far as it is known.

    Args:
        shape: tuple of int or `None`, expected to be `(batch_size, num_patches)`.
        batch_size: int, `None`, or a Tensor that stands for an unknown number.
        num_patches: int.
    """
    shape = tuple(shape)
    known = isinstance(batch_size, int)
    other_batch = known and len(shape) == 2 and isinstance(shape[0], int) and shape[0] != batch_size
    if len(shape) != 2 or shape[1] != num_patches or other_batch:
        expected = f"({batch_size if known else 'batch'}, {num_patches})"
        raise ValueError(f"`noise` must have shape {expected}, a number for each patch. Received: shape {shape}")


def check_seed(seed):
    """Raises a ValueError unless a seed is `None` or an int from 0 to 2**31 - 1, which every backend takes."""
    if seed is None:
        return
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
        raise ValueError(f"`seed` must be an integer from 0 to {MAX_SEED}, or None. Received: seed={seed!r}")


def check_positive(**numbers):
    """Raises a ValueError where one of these numbers, by the names of arguments, is not finite and above zero."""
    for name, value in numbers.items():
        if not _is_number(value) or not 0 < value < math.inf:
            raise ValueError(f"`{name}` must be a positive, finite number. Received: {name}={value!r}")


def check_dropout(dropout):
    """Raises a ValueError unless a share of activations to drop is a number in [0, 1)."""
    if not _is_number(dropout) or not 0 <= dropout < 1:
        raise ValueError(f"`dropout` must be a number from 0 to below 1. Received: dropout={dropout!r}")


def check_sizes(num_layers=0, **sizes):
    """Checks sizes of layers: integers above zero, and few enough weights that a machine can hold them.

    Args:
        num_layers: int, layers of that kind; may be 0. Defaults to `0`.
        **sizes: int, by the name of the argument. The product of the two largest is taken for the weights of a layer.

    Raises:
        ValueError: if one is no such integer, or together they ask for more than 128 layers or 2**29 weights.
    """
    for name, value, least in (("num_layers", num_layers, 0), *((name, value, 1) for name, value in sizes.items())):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            kind = "a positive integer" if least else "an integer, 0 or more"
            raise ValueError(f"`{name}` must be {kind}. Received: {name}={value!r}")
    if num_layers > MAX_LAYERS:
        raise ValueError(f"`num_layers` must be at most {MAX_LAYERS}. Received: num_layers={num_layers}")
    largest = sorted(sizes.items(), key=lambda item: item[1])[-2:]
    weights = max(1, num_layers) * math.prod(value for _, value in largest)
    if weights > MAX_WEIGHTS:
        given = ", ".join(f"{name}={value}" for name, value in largest)
        raise ValueError(
            f"These sizes ask for some {weights:.1e} weights, more than the {MAX_WEIGHTS:.1e} that are built. "
            f"Received: {given}, num_layers={num_layers}"
        )


def check_transformer(hidden_dim, num_heads, head_dim, num_layers, mlp_dim):
    """Checks the sizes of a stack of transformer blocks by `check_sizes`, before any weight is made."""
    check_sizes(num_heads=num_heads, head_dim=head_dim)
    check_sizes(num_layers, hidden_dim=hidden_dim, attention_width=num_heads * head_dim, mlp_dim=mlp_dim)


def _is_number(value):
    """Whether a value is a plain number, NumPy's float64 among them."""
    return isinstance(value, int | float) and not isinstance(value, bool)
