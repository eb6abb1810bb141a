"""What is likely to be another thing than a recording of A-scans, though it can be one: told, and not refused."""

from pathlib import Path

import numpy as np

# Samples: of the shortest A-scans of a stack; of one trace that is looked at for stacks alone.
_SHORTEST_SCAN, _LONG_TRACE = 256, 16_384
# Traces that are looked at for stacks; samples of all of them, for stacks and signs.
_PROBED, _PROBED_SAMPLES = 8, 2**18
# Hz. No sound card samples faster, and no ultrasonic board slower.
_AUDIO_RATE = 192_000


def doubts_of(path: Path, signals: np.ndarray, sampling_rate: float) -> list[str]:
    """Doubts about the traces of a file."""
    count, length = signals.shape
    doubts = []
    if _is_rectified(signals):
        doubts.append("all samples are of one sign: rectified (video) signals, or envelopes? ToF wants the RF signal")
    if count > 4 * length and length < 256:
        doubts.append(f"{count:,} traces of {length} samples: is 'axis' right?")
    if period := _period_of(signals):
        what = "a trace" if count == 1 else "each trace"
        doubts.append(
            f"{what} of {length:,} samples repeats itself every {period:,}: A-scans in one row are cut apart by "
            f"stacked = true and samples = {period}"
        )
    if path.suffix.lower() == ".wav" and sampling_rate <= _AUDIO_RATE:
        doubts.append(
            f"{sampling_rate:g} Hz is a rate of sound cards, which some programs write whatever the true one: if so, "
            "save the samples as .npy and state their 'sampling_rate'"
        )
    return doubts


def _is_rectified(signals):
    """Whether samples stay on one side of zero and begin there: unsigned counts lie about the middle of theirs."""
    count = max(len(signals) // 64, 1)
    some = signals[::count, :: max(signals.size // count // _PROBED_SAMPLES, 1)].astype(np.float64)
    some = some[np.isfinite(some).all(axis=1)]
    if not some.size or (some.min() < 0 < some.max()):
        return False
    magnitude = np.abs(some)
    return bool(
        np.median(magnitude) - magnitude.min() < 0.35 * np.ptp(magnitude) and magnitude.min() < 0.1 * magnitude.max()
    )


def _period_of(signals):
    """Samples after which traces resemble themselves, where that divides them; `None` where they do not."""
    count, length = signals.shape
    lengths = [length // pieces for pieces in range(2, 4097) if length % pieces == 0]
    divisors = [divisor for divisor in lengths if _SHORTEST_SCAN <= divisor <= _PROBED_SAMPLES // 2]
    if not divisors:
        return None
    if count <= 4 and length > _LONG_TRACE:
        correlation = _correlation(signals[:1, :_PROBED_SAMPLES])
        # Of what is as good, the shortest: two periods are one, too.
        likeness = {period: correlation[period] for period in divisors}
        best = max(likeness.values())
        return min(period for period in divisors if likeness[period] > 0.9 * best) if best > 0.3 else None
    # Echoes of a plate come back as well, but weaker from each to the next: of a stack, all pieces are alike.
    divisors = [divisor for divisor in divisors if length >= 3 * divisor]
    if not divisors:
        return None
    probed = max(min(_PROBED, _PROBED_SAMPLES // length), 1)
    some = signals[:: max(count // probed, 1), :_PROBED_SAMPLES][:probed]
    correlation = _correlation(some)
    last = len(correlation) + 1
    alike = [period for period in divisors if correlation[period : last - period : period].min(initial=1.0) > 0.5]
    return min((period for period in alike if _are_alike(some, period)), default=None)


def _are_alike(signals, period):
    """Whether no piece of traces has less than half the power of another."""
    count = signals.shape[1] // period
    samples = np.nan_to_num(signals[:, : count * period].astype(np.float64), posinf=0, neginf=0)
    power = np.square(samples - samples.mean()).reshape(len(samples), count, period).mean(axis=(0, 2))
    return power.min() > 0.5 * power.max()


def _correlation(signals):
    """Likeness of the magnitude of traces to itself by lag, as a share of what it is without lag."""
    length = signals.shape[1]
    power = np.abs(np.nan_to_num(signals.astype(np.float64), posinf=0, neginf=0))
    power -= power.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(power, 2 * length)
    correlation = np.fft.irfft((np.abs(spectrum) ** 2).sum(axis=0))[:length]
    lags = np.arange(length)
    return correlation / (1 - lags / length) / correlation[0] if correlation[0] > 0 else np.zeros(length)
