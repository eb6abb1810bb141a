"""Gates: the parts of a record in which an engineer looks for an echo, and which of the echoes there he wants."""

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_usmae.picker.units import SECONDS, split_unit

if TYPE_CHECKING:
    from keras_usmae.picker.picks import Picks

_EXAMPLE = "Write it as 20us:40us or back=20us:40us, in ns, us, ms, s or mm; 20us: is open to the record's end."


@dataclasses.dataclass(frozen=True)
class Gate:
    """A named part of a record.

    Args:
        name: str. What the table calls it.
        start: float. In s after the transmit pulse; `-inf` for the record's start.
        stop: float. In s; `inf` for the record's end.
    """

    name: str
    start: float
    stop: float

    def __str__(self):
        limits = f"{_microseconds(self.start)}:{_microseconds(self.stop)}"
        return limits if self.name.startswith("gate") else f"{self.name}={limits}"


def parse_gates(texts: Sequence[str], speed_of_sound: float | None = None) -> tuple[Gate, ...]:
    """Reads gates as they are written on the command line.

    Args:
        texts: sequence of str, such as `"20us:40us"`, `"front=20us:40us"`, `"back=5mm:9mm"` or `"20us:"`. A unit that
            only the end has is that of the start as well.
        speed_of_sound: float in m/s or `None`. Needed for gates in mm, of pulse-echo: half of the path.

    Returns:
        A tuple of `Gate`. Gates without a name are called `gate`, or `gate 1`, `gate 2`, ... where there are several.

    Raises:
        ValueError: for a text that is no gate, a gate that ends before it starts, two of one name, or mm without a
            speed of sound.

    Example:

    ```python
    from keras_usmae.picker.gates import parse_gates

    parse_gates(["front=20us:40us", "back=40:60us"])[1].start  # 4e-05
    ```
    """
    gates = [_parse_gate(text, speed_of_sound) for text in texts]
    bare = "gate" if len(gates) == 1 else "gate {}"
    gates = [
        gate if gate.name else dataclasses.replace(gate, name=bare.format(number))
        for number, gate in enumerate(gates, 1)
    ]
    names = [gate.name for gate in gates]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"Two gates are called {repeated[0]!r}. Give each a name of its own.")
    return tuple(gates)


def check_gates(gates: Sequence[Gate], start: float, stop: float, source: str) -> None:
    """Makes sure that gates lie inside of a record.

    Args:
        gates: sequence of `Gate`.
        start: float. Time of the record's first sample in s.
        stop: float. Time of its last sample in s.
        source: str. The file, for the message.

    Raises:
        ValueError: names the gate that reaches out of the record, and the record's ends.
    """
    slack = 1e-3 * (stop - start)  # who writes 20us:40us means the end of a record of 39.99 µs
    for gate in gates:
        outside = gate.start >= stop or gate.stop <= start
        if outside or (math.isfinite(gate.start) and gate.start < start - slack) or stop + slack < gate.stop < math.inf:
            where = "lies outside of" if outside else "reaches out of"
            open_end = dataclasses.replace(gate, start=max(gate.start, start), stop=math.inf)
            way_out = "Move it" if outside else f"Leave its end open, --gate {open_end}, move it"
            raise ValueError(
                f"The gate {gate} {where} the record of {source!r}, which runs from {_microseconds(start)} to "
                f"{_microseconds(stop)}. {way_out}, or correct --sampling-rate or --start-time if the record should "
                "be another."
            )


def parse_echo(echo: str) -> str | int:
    """Checks which echo of a gate is asked for.

    Args:
        echo: str. `"first"`, `"strongest"`, `"all"`, or a number from 1.

    Returns:
        `"first"`, `"strongest"`, `"all"`, or an int.

    Raises:
        ValueError: for anything else.
    """
    if echo in ("first", "strongest", "all"):
        return echo
    if str(echo).isdecimal() and int(echo) > 0:
        return int(echo)
    raise ValueError(f"The echo {echo!r} is unknown. Choose first, strongest, all, or a number from 1.")


def choose_echoes(picks: "Picks", gate: Gate, echo: str | int) -> "Picks":
    """Chooses the echoes that are asked for in one gate.

    Args:
        echo: `"first"` (weak clutter ahead of it left out, see `Picks.first`), `"strongest"`, `"all"`, or an int, as
            `parse_echo` returns it.

    Returns:
        `Picks`, whose `echo` is the rank in the gate, 0 for the earliest.
    """
    inside = _inside(picks, gate)
    if echo == "all":
        return inside
    if echo == "first":
        return inside.first()
    return inside.strongest() if echo == "strongest" else inside.nth(int(echo) - 1)


def choose_pair(picks: "Picks", gates: Sequence[Gate], echo: str | int) -> tuple:
    """Chooses the two echoes whose spacing is a thickness.

    Args:
        gates: sequence of one or two `Gate`. With two, an echo of each; with one, two of that gate: the two strongest,
            or the echo that is asked for and the one after it.
        echo: `"first"`, `"strongest"` or an int.

    Returns:
        A tuple `(front, back)` of `Picks` with at most one a trace each.
    """
    if len(gates) == 2:
        return tuple(choose_echoes(picks, gate, echo) for gate in gates)
    inside = _inside(picks, gates[0])
    chosen = choose_echoes(picks, gates[0], echo)
    rank = np.full(picks.num_traces, -1)
    rank[chosen.trace] = chosen.echo
    if echo != "strongest":
        return chosen, inside.select(inside.echo == rank[inside.trace] + 1)
    others = inside.select(inside.echo != rank[inside.trace]).strongest()
    second = np.full(picks.num_traces, -1)
    second[others.trace] = others.echo
    alone = np.minimum(rank, second) < 0
    front = np.where(alone, rank, np.minimum(rank, second))
    back = np.where(alone, -1, np.maximum(rank, second))
    return tuple(inside.select(inside.echo == ends[inside.trace]) for ends in (front, back))


def _inside(picks, gate):
    """Picks in a gate, ranked anew."""
    inside = picks.within(gate.start, gate.stop)
    first = np.searchsorted(inside.trace, inside.trace, side="left")
    return dataclasses.replace(inside, echo=np.arange(len(inside)) - first)


def _parse_gate(text, speed_of_sound):
    name, _, limits = text.rpartition("=")
    start, colon, stop = limits.partition(":")
    if not colon or ":" in stop or not (start.strip() or stop.strip()):
        raise ValueError(f"The gate {text!r} is not understood. {_EXAMPLE}")
    _, unit = split_unit(stop) or (None, "")
    gate = Gate(
        name.strip(),
        _time(text, start, unit, speed_of_sound) if start.strip() else -math.inf,
        _time(text, stop, "", speed_of_sound) if stop.strip() else math.inf,
    )
    if not gate.start < gate.stop:
        raise ValueError(f"The gate {text!r} ends before it starts. {_EXAMPLE}")
    return gate


def _time(text, limit, default_unit, speed_of_sound):
    split = split_unit(limit)
    if split is None:
        raise ValueError(f"The gate {text!r} is not understood: {limit.strip()!r} is no time. {_EXAMPLE}")
    number, unit = split[0], split[1] or default_unit
    if unit == "mm":
        if speed_of_sound is None:
            raise ValueError(f"The gate {text!r} is in mm, which needs --speed-of-sound (in m/s). Or give it in us.")
        return number * 2e-3 / speed_of_sound
    if unit not in SECONDS:
        wrong = "it has no unit" if unit == "" else f"{limit.strip()!r} is no time"
        raise ValueError(f"The gate {text!r} is not understood: {wrong}. {_EXAMPLE}")
    return number * SECONDS[unit]


def _microseconds(seconds):
    return f"{seconds * 1e6:.6g}us" if math.isfinite(seconds) else ""
