"""What a classifier would cost on a microcontroller, and budgets for it, before it is trained."""

import dataclasses
import hashlib
import json
import re

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}


@dataclasses.dataclass(frozen=True)
class Footprint:
    """What an int8 classifier needs: flash for its file and RAM for the arena (bytes), and the multiply-accumulates."""

    flash: int | None
    arena: int | None
    macs: int


@dataclasses.dataclass(frozen=True)
class Budget:
    """The most that a classifier may need; `None` where there is no bound.

    Args:
        flash: int, bytes of the int8 file. Defaults to `None`.
        arena: int, bytes of the tensor arena. Defaults to `None`.
        macs: int, multiply-accumulates of an inference. Defaults to `None`.
    """

    flash: int | None = None
    arena: int | None = None
    macs: int | None = None

    @property
    def needs_conversion(self) -> bool:
        """Whether only a converted file can tell that a model fits."""
        return self.flash is not None or self.arena is not None

    def exceeded_by(self, footprint: Footprint) -> dict[str, float]:
        """How much of each budget a footprint takes, for those that it exceeds: a dict from name to a ratio above 1."""
        ratios = {}
        for name, bound in dataclasses.asdict(self).items():
            need = getattr(footprint, name)
            if bound is not None and need is not None and need > bound:
                ratios[name] = need / bound
        return ratios

    def __str__(self):
        told = {name: bound for name, bound in dataclasses.asdict(self).items() if bound is not None}
        return ", ".join(f"{name} {format_amount(bound, name)}" for name, bound in told.items()) or "none"


def parse_amount(text: str) -> int:
    """Reads an amount with a unit.

    Args:
        text: str, such as `"128kB"`, `"64 KiB"` or `"5M"`. `k`, `M` and `G` are powers of 1000, also in `kB`: what fits
            into 128,000 bytes fits whichever is meant; `Ki`, `Mi` and `Gi` are powers of 1024.

    Raises:
        ValueError: if it is not a positive number with such a unit.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kKmMgG]?i?)[bB]?\s*", text)
    amount = found and float(found.group(1)) * _UNITS.get(found.group(2).lower(), 0)
    if not amount or amount < 1:
        raise ValueError(f"Expected an amount such as 128kB, 64KiB or 5M. Received: {text!r}")
    return int(amount)


def format_amount(amount: float | None, name: str) -> str:
    """Writes bytes as kB, and multiply-accumulates as M."""
    if amount is None:
        return "?"
    return f"{amount / 1e6:.3g} M" if name == "macs" else f"{amount / 1e3:.1f} kB"


def count_classifier_macs(encoder: dict, head: str, bin_width: int) -> int:
    """Multiply-accumulates of the matrix products of one inference, as `keras_usmae.export.count_macs` finds them.

    Args:
        encoder: dict, constructor arguments of `MAEEncoder`.
        head: str, `"per_patch"` or `"pooled"`.
        bin_width: int, samples in a ToF class.
    """
    tokens = encoder["signal_length"] // encoder["patch_size"]
    dim, inner = encoder["hidden_dim"], encoder["num_heads"] * encoder["head_dim"]
    classes = encoder["signal_length"] // bin_width
    embedding = tokens * encoder["patch_size"] * (dim + 1)  # and one for the loudness of the patch
    attention = 4 * tokens * dim * inner + 2 * tokens * tokens * inner
    mlp = 2 * tokens * dim * encoder["mlp_dim"]
    if head == "per_patch":
        groups = min(tokens, classes)
        logits = (tokens // groups) * dim * classes
    else:
        logits = dim * classes
    return embedding + encoder["num_layers"] * (attention + mlp) + logits


def bound_footprint(encoder: dict, head: str, bin_width: int) -> Footprint:
    """The least that a classifier can need, from its sizes alone.

    Flash holds a byte for each weight of a matrix and of the positions, and four for each bias. The arena holds at
    least what attention reads and writes at once.

    Args:
        encoder: dict, constructor arguments of `MAEEncoder`.
        head: str, `"per_patch"` or `"pooled"`.
        bin_width: int, samples in a ToF class.

    Returns:
        `Footprint`; its multiply-accumulates are exact.
    """
    tokens = encoder["signal_length"] // encoder["patch_size"]
    dim, inner, mlp = encoder["hidden_dim"], encoder["num_heads"] * encoder["head_dim"], encoder["mlp_dim"]
    classes = encoder["signal_length"] // bin_width
    block = 4 * dim * inner + 2 * dim * mlp + 4 * (3 * inner + dim + mlp + dim)
    groups = min(tokens, classes)
    wide = (tokens // groups * dim, classes // groups) if head == "per_patch" else (dim, classes)
    flash = encoder["patch_size"] * dim + tokens * dim + encoder["num_layers"] * block + wide[0] * wide[1] + 4 * wide[1]
    scores = encoder["num_heads"] * tokens * tokens
    # Softmax: scores in and out beside the values and the residual stream; activation: in and out beside the stream.
    arena = max(2 * scores + tokens * inner + tokens * dim, 2 * tokens * mlp + tokens * dim)
    return Footprint(flash, arena, count_classifier_macs(encoder, head, bin_width))


def digest(content: dict) -> str:
    """Short name for plain values, the same in each process."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
