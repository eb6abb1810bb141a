"""What the sidecar states against what the file says of itself: agreed, taken over, or refused with both values."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from keras_usmae.signals.readers.facts import amplitude_unit, round_float

if TYPE_CHECKING:
    from keras_usmae.signals.readers.facts import Fact
    from keras_usmae.signals.readers.sidecar import Sidecar

# Rates that differ by less are one rate written with fewer digits: 20.8333 MHz.
_SAME_RATE = 1e-4


class MissingKeyError(ValueError):
    """A file that is sound, and that a key of its sidecar would make readable.

    Args:
        message: str.
        key: str. The key.
    """

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        self.key = key


@dataclasses.dataclass(frozen=True)
class Provenance:
    """Where the description of a recording came from.

    Args:
        origins: dict of str, by `"sampling_rate"`, `"start_time"`, `"unit"`, `"full_scale"` and `"axis"`: where it
            stands, such as `"the sidecar"` or `"column 'Time [us]'"`.
        left_out: tuple of str. What of the file is no trace, such as `"column 'Time [us]': the times of the samples"`.
        doubts: tuple of str. What a user should look at.
    """

    origins: dict = dataclasses.field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Description:
    """Rate, start time, unit and full scale of the traces of a file, and where each came from.

    Args:
        sampling_rate: float. In Hz.
        start_time: float. In s.
        full_scale: pair of float, or `None`.
        origins: dict of str by key.
        doubts: tuple of str.
    """

    sampling_rate: float
    start_time: float
    unit: str
    full_scale: tuple[float, float] | None
    origins: dict
    doubts: tuple[str, ...]


def settle(path: str | Path, sidecar: "Sidecar", facts: "list[Fact]") -> Description:
    """Compares a sidecar with the facts of its file, and takes from the file what the sidecar leaves out.

    Args:
        facts: list of `Fact`, those nearest to the traces first.

    Raises:
        ValueError: where they contradict each other.
        MissingKeyError: where neither states the rate.
    """
    origins, doubts = {}, []
    rate, factors = _settle_rate(path, sidecar, facts, origins, doubts)
    start = _settle_start(sidecar, facts, origins, doubts, rate, factors)
    unit = _settle_text(path, sidecar, facts, origins)
    scale = _first(facts, "full_scale")
    full_scale = sidecar.full_scale
    if full_scale is not None:
        origins["full_scale"] = "the sidecar"
        if scale is not None and scale.value != full_scale:
            raise ValueError(
                f"{str(path)!r}: {scale.where} states the full scale {list(scale.value)}, but its sidecar "
                f"{list(full_scale)}. Correct 'full_scale', or leave it out to take the file's."
            )
    elif scale is not None:
        full_scale, origins["full_scale"] = scale.value, scale.where
    return Description(rate, start, unit, full_scale, origins, tuple(doubts))


def _settle_rate(path, sidecar, facts, origins, doubts):
    stated = [fact for fact in facts if fact.key == "sampling_rate"]
    own = next((fact for fact in stated if fact.is_clear), None)
    if own is not None:
        for other in stated:
            if other.is_clear and not _is_same(other.value, own.value, own.uncertainty):
                doubts.append(
                    f"{other.where} states {other.value:g} Hz, but {own.where} {own.value:g} Hz, which is used"
                )
        if own.uncertainty > 1e-6:
            doubts.append(f"the times of {own.where} have few digits: the rate is known to {own.uncertainty:.1%}")
    wanted = sidecar.sampling_rate
    if wanted is not None:
        for fact in stated if own is None else [own]:
            _refuse_other_rate(path, wanted, fact)
        origins["sampling_rate"] = "the sidecar" if own is None else f"the sidecar, and {own.where} agrees"
        return float(wanted), _factors(stated, wanted)
    if own is not None:
        origins["sampling_rate"] = own.where
        return own.value, _factors(stated, own.value)
    if stated:
        raise MissingKeyError(
            f"{str(path)!r}: {stated[0].where} gives a rate of {stated[0].value:g} if it is in SI units, which are not "
            "stated. Write the sidecar's 'sampling_rate' in Hz, or 'time_unit'.",
            "sampling_rate",
        )
    raise MissingKeyError(
        f"{str(path)!r} does not say its sampling rate. Its sidecar lacks 'sampling_rate', in Hz.", "sampling_rate"
    )


def _factors(stated, rate):
    """By what facts in an unknown unit are to be multiplied to be the rate: what that shows holds for their starts."""
    return {fact.where: factor for fact in stated if not fact.is_clear and (factor := _factor(rate, fact))}


def _factor(rate, fact):
    # Where the unit is not stated, MHz, kHz, µs and ns are as good as Hz and s.
    factors = (1.0,) if fact.is_clear else (1.0, 1e3, 1e6, 1e9, 1e12)
    return next((factor for factor in factors if _is_same(fact.value * factor, rate, fact.uncertainty)), None)


def _refuse_other_rate(path, wanted, fact):
    if _factor(wanted, fact) is None:
        way_out = "" if fact.is_clear else " If it holds no times, leave it out by naming the traces in 'signals'."
        raise ValueError(
            f"{str(path)!r}: {fact.where} states {fact.value:.10g} Hz, but its sidecar {wanted:.10g} Hz. Correct "
            f"'sampling_rate', or leave it out to take the file's.{way_out}"
        )


def _settle_start(sidecar, facts, origins, doubts, rate, factors):
    stated = [fact for fact in facts if fact.key == "start_time"]
    own = min(stated, key=lambda fact: fact.is_weak, default=None)
    if own is not None and not own.is_clear and own.where in factors:
        own = dataclasses.replace(own, value=round_float(own.value / factors[own.where]), is_clear=True)
    if sidecar.start_time is not None:
        origins["start_time"] = "the sidecar"
        # Which event is zero is the user's to say: an oscilloscope counts from its trigger.
        if own is not None and own.is_clear and abs(own.value - sidecar.start_time) > 1e-12:
            doubts.append(f"start_time is the sidecar's {sidecar.start_time:g} s; {own.where} states {own.value:g} s")
        return sidecar.start_time
    delay = _first(facts, "delay")
    if delay is not None and delay.value and (own is None or not own.value):
        doubts.append(
            f"{delay.where} states {delay.value:g}: if that is when the record begins, write 'start_time', in s"
        )
    if own is None:
        origins["start_time"] = "not stated, taken for 0"
        return 0.0
    for other in stated:
        if own.is_clear and other.is_clear and not other.is_weak and abs(other.value - own.value) * rate > 1:
            doubts.append(
                f"{other.where} states a start of {other.value:g} s, but {own.where} {own.value:g} s, which is used"
            )
    if not own.is_clear:
        origins["start_time"] = "not stated, taken for 0"
        doubts.append(f"{own.where} states a start of {own.value:g} without a unit; write 'start_time', in s")
        return 0.0
    origins["start_time"] = own.where
    return own.value


def _settle_text(path, sidecar, facts, origins):
    own = _first(facts, "unit")
    if sidecar.unit:
        origins["unit"] = "the sidecar"
        if own is not None and (amplitude_unit(sidecar.unit) or sidecar.unit) != own.value:
            raise ValueError(
                f"{str(path)!r}: {own.where} states the unit {own.value!r}, but its sidecar {sidecar.unit!r}. Correct "
                "'unit', or leave it out to take the file's."
            )
        return sidecar.unit
    if own is not None:
        origins["unit"] = own.where
        return own.value
    return ""


def _first(facts, key):
    return next((fact for fact in facts if fact.key == key), None)


def _is_same(one, other, uncertainty):
    return abs(one / other - 1) <= max(_SAME_RATE, 2 * uncertainty)
