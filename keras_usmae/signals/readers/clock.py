"""Times of samples, as columns and vectors hold them: rate, start, and whether they are uniform at all."""

import numpy as np

from keras_usmae.signals.readers.facts import Fact, is_plausible_rate, time_factor

# Shares of a step: more is no rounding of uniform times, unless all times are multiples of one quantum.
_LARGEST_DEVIATION = 0.3
_SHORTEST_RAMP = 8


def is_ramp(values: np.ndarray) -> bool:
    """Whether values rise or fall by one step from each to the next, as times and numbers of samples do, and no echo.

    Returns:
        A bool; false for fewer than 8 values.
    """
    values = np.asarray(values, dtype=np.float64)
    if len(values) < _SHORTEST_RAMP or not np.isfinite(values[[0, -1]]).all() or values[0] == values[-1]:
        return False
    return bool(_deviation(values) <= _LARGEST_DEVIATION)


def is_count(values: np.ndarray) -> bool:
    """Whether two values or more are whole numbers, each one more than the one before: a sequence, and no times."""
    values = np.asarray(values, dtype=np.float64)
    return len(values) > 1 and values[0] in (0, 1) and bool(np.all(np.diff(values) == 1))


def facts_of_times(times: np.ndarray, unit: str, where: str) -> list[Fact]:
    """Rate and start of a vector of times.

    Args:
        times: array of shape `(n,)`, in any unit.
        unit: str. Its unit, `""` where it is not stated: seconds, if those make a rate that is plausible.
        where: str. Where it stands, for messages.

    Raises:
        ValueError: where the times are not uniform, or cannot be those of samples.
    """
    times = np.asarray(times, dtype=np.float64)
    if len(times) < 2 or not np.isfinite(times).all() or times[-1] <= times[0]:
        raise ValueError(
            f"{where} does not rise from finite time to finite time. Are these times? Name the traces in 'signals'."
        )
    step = (times[-1] - times[0]) / (len(times) - 1)
    deviation = _deviation(times)
    if deviation > _LARGEST_DEVIATION and not _is_rounded(times, step):
        steps = np.diff(times)
        raise ValueError(
            f"{where} is not uniform: its steps are {steps.min():.6g} to {steps.max():.6g}. Samples that were left "
            "out, "
            "or segments in one file, cannot be read as one record: export them apart."
        )
    factor = time_factor(unit)
    uncertainty = 1e-9 + 2 * deviation / (len(times) - 1)
    rate = _simplest(step * (factor or 1.0), uncertainty)
    clear = factor is not None or is_plausible_rate(rate)
    start = float(f"{times[0] * (factor or 1.0):.12g}")
    return [Fact("sampling_rate", rate, where, clear, uncertainty), Fact("start_time", start, where, clear)]


def _deviation(values):
    """Largest distance from the line between the ends, in steps."""
    step = (values[-1] - values[0]) / (len(values) - 1)
    with np.errstate(all="ignore"):
        off = np.abs((values - values[0]) / step - np.arange(len(values)))
    return off.max() if np.isfinite(off).all() else np.inf


def _is_rounded(times, step):
    """Whether uneven steps come from too few digits: all are multiples of one quantum, and none is left out."""
    steps = np.diff(times)
    positive = steps[steps > 0]
    if (steps < 0).any() or not positive.size:
        return False
    quantum = positive.min()
    whole = steps / quantum
    if not (np.abs(whole - np.rint(whole)) < 0.02).all() or steps.max() > step + 1.1 * quantum:
        return False
    # Where nearly all steps are the quantum itself, the few that are two of them are samples left out.
    return bool(step > 1.2 * quantum or step < 0.9 * quantum)


def _simplest(step, tolerance):
    """The rate that has the fewest digits, itself or its step, within a relative tolerance."""
    for digits in range(1, 16):
        for value, rate in ((1 / step, None), (step, 1)):
            rounded = float(f"{value:.{digits - 1}e}")
            if abs(rounded / value - 1) <= tolerance:
                return rounded if rate is None else float(f"{1 / rounded:.12g}")
    return 1 / step
