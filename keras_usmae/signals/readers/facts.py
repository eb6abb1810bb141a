"""What a file says of itself, in the words of instruments: rate, start time, unit, full scale, and where it stands."""

import dataclasses
import math
import re

# What a number of a file without a unit may be in SI units. Outside of it, ms, µs or MHz are as likely.
PLAUSIBLE_RATES = (1e6, 2e10)
_LATEST_START = 0.01
_LONGEST_NAME = 120

_TIMES = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6}
_TIMES |= {"usec": 1e-6, "microseconds": 1e-6, "ns": 1e-9, "nsec": 1e-9, "nanoseconds": 1e-9, "ps": 1e-12}
_TIMES |= {"sekunden": 1.0, "msec": 1e-3, "milliseconds": 1e-3, "sekunde": 1.0, "sec.": 1.0}
_PREFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}
_RATES = {
    f"{prefix}{unit}": factor
    for prefix, factor in _PREFIXES.items()
    for unit in ("hz", "s/s", "sa/s", "sps", "samples/s", "samples/second", "spls/s", "pts/s")
}
_AMPLITUDES = {"v": "V", "volt": "V", "volts": "V", "mv": "mV", "millivolts": "mV", "uv": "uV", "µv": "uV", "μv": "uV"}
_AMPLITUDES |= {"kv": "kV", "a": "A", "ampere": "A", "amps": "A", "ma": "mA", "counts": "counts", "count": "counts"}
_AMPLITUDES |= {"pa": "Pa", "kpa": "kPa", "mpa": "MPa", "full scale": "full scale", "adc": "counts", "lsb": "counts"}
_AMPLITUDES |= {"nm": "nm", "m/s": "m/s", "mm/s": "mm/s", "percent": "%", "%": "%", "a.u.": "a.u.", "au": "a.u."}
_AMPLITUDES |= {"codes": "counts", "digits": "counts", "fs": "full scale", "normalized": "full scale"}
VOLTS = {"V": 1.0, "mV": 1e-3, "uV": 1e-6, "kV": 1e3}

_LENGTHS = {"mm", "cm", "m", "um", "µm", "μm", "in", "inch", "inches", "millimeter", "millimeters"}
_RATE_NAMES = {"fs", "fsample", "fsamp", "fsampling", "fsamplerate", "samplingfreq", "samplefreq", "sampfreq"}
_RATE_NAMES |= {f"{stem}{tail}" for stem in ("sampling", "sample", "samp", "digitization", "digitizing", "digitisation",
    "digitising", "digitizer", "acquisition", "adc") for tail in ("rate", "frequency", "clock")}  # fmt: skip
_RATE_NAMES |= {
    "decimsamplerate",
    "samplespersecond",
    "abtastrate",
    "abtastfrequenz",
    "clock",
    "fech",
    "frequencedechantillonnage",
}
_INTERVAL_NAMES = {"dt", "deltat", "timestep", "tinterval", "tinc", "tincrement", "timeincrement", "timeinterval"}
_INTERVAL_NAMES |= {"tstep", "tsample", "samplinginterval", "sampleinterval", "samplingperiod", "sampleperiod"}
_INTERVAL_NAMES |= {"sampletime", "samplingtime", "xincrement", "xincr", "xinc", "xdelta", "xstep", "increment"}
_INTERVAL_NAMES |= {
    "horizontalinterval",
    "horizinterval",
    "hresolution",
    "wfincrement",
    "abtastintervall",
    "timeperpoint",
}
_INTERVAL_NAMES |= {"timeresolution", "horizontalincrement"}
_START_NAMES = {"starttime", "tstart", "timestart", "start", "t0", "xorigin", "xzero", "xstart", "tzero", "timezero"}
_START_NAMES |= {"wfstartoffset", "startoffset", "horizoffset", "horizontaloffset", "hoffset", "timeorigin", "xoffset"}
_START_NAMES |= {"tdelay", "firstsampletime", "tbegin", "begintime", "torigin", "startzeit", "xorg", "initialtime"}
# Keysight's `Start` numbers a sample where `XOrg` is the time of the first, and Rigol's is that time.
_WEAK_START_NAMES = {"start"}
# May be the time of the first sample, of the trigger or of the transmit pulse.
_DELAY_NAMES = {"delay", "delaytime", "timedelay", "acquisitiondelay", "recordingdelay", "sampledelay"}
# Amplitude of one count.
_GAIN_NAMES = {"yinc", "yincrement", "yincr", "ymult", "ymultiplier", "verticalgain", "voltsperbit", "voltsperlsb"}
_GAIN_NAMES |= {"scalefactor", "lsbvolts", "nlsb"}
_UNIT_NAMES = {"unit", "units", "unitstring", "yunit", "yunits", "amplitudeunit", "amplitudeunits", "verticalunits"}
_UNIT_NAMES |= {"yunitlabel", "verticalunit", "vunit", "signalunit", "signalunits", "niunitdescription"}
_SCALE_NAMES = {"fullscale", "adcrange", "amplituderange", "inputrange", "fullscalerange"}
_TIME_NAMES = {"time", "times", "t", "zeit", "temps", "tiempo", "tempo", "timebase", "timeaxis", "taxis", "tvec"}
_TIME_NAMES |= {"timevector", "tvector", "tt", "second", "seconds", "tarray", "timearray", "sampletimes"}
_TIME_UNIT_NAMES = {"horizontalunits", "horizontalunit", "xunit", "xunits", "timeunit", "timeunits", "hunit"}

_NUMBERS_KNOWN = (_RATE_NAMES, _INTERVAL_NAMES, _START_NAMES, _DELAY_NAMES, _GAIN_NAMES)

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*?)?\s*")


@dataclasses.dataclass(frozen=True)
class Fact:
    """One thing that a file says of its traces.

    Args:
        key: str. `"sampling_rate"` (Hz), `"start_time"` (s), `"unit"` or `"full_scale"`; or `"delay"` (s), which may be
            a start time, and `"gain"`, the amplitude of one count.
        value: float, str or pair of float. A rate or a start time as they stand where `is_clear` is false.
        where: str. Where it stands, such as `"attribute 'fs' of 'scan'"`.
        is_clear: bool. Whether its unit is stated, or it can only be in SI units. Defaults to `True`.
        uncertainty: float. Relative, of a rate out of rounded times. Defaults to `0.0`.
        is_weak: bool. Whether another fact of the same key comes before it, wherever that stands. Defaults to `False`.
    """

    key: str
    value: float | str | tuple
    where: str
    is_clear: bool = True
    uncertainty: float = 0.0
    is_weak: bool = False


def normal(name: str) -> str:
    """A name without case, blanks and signs."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def split_unit(name: str) -> tuple[str, str]:
    """A name as `CH1 [V]`, `Time (us)`, `Time / s` or `fs_MHz`, in two: the name itself, and its unit or `""`."""
    name = name.strip()
    if len(name) > _LONGEST_NAME:
        return name, ""
    if found := re.fullmatch(r"(.*?)\s*[\[({<]([^\[\](){}<>]{0,20})[\])}>]\s*", name):
        return found[1].strip(), found[2].strip()
    if found := re.fullmatch(r"(.+?)\s*(?:/|_|,|\bin\b|\s)\s*(\S{1,20}?)", name):
        unit = found[2]
        if is_time_unit(unit) or is_rate_unit(unit) or unit.lower() in _AMPLITUDES or unit in ("mm", "cm", "inch"):
            return found[1].strip(), unit
    if found := re.fullmatch(r"((?:CH|Chan|Channel )\d+)(m?V|A)", name):  # CH1V
        return found[1], found[2]
    return ("", name) if is_time_unit(name) or name.lower() in _AMPLITUDES else (name, "")


def is_time_unit(text: str) -> bool:
    """Whether a text is a unit of time."""
    return text.strip().lower() in _TIMES


def is_length_unit(text: str) -> bool:
    """Whether a text is a unit of length."""
    return text.strip().lower() in _LENGTHS


def is_rate_unit(text: str) -> bool:
    """Whether a text is a unit of a sampling rate."""
    return text.strip().lower() in _RATES


def time_factor(unit: str) -> float | None:
    """Seconds of a unit of time; `None` where it is none."""
    return _TIMES.get(unit.strip().lower())


def amplitude_unit(text: str) -> str:
    """The usual way to write a unit of amplitude, such as `V` for `Volt`; `""` where it is none that is known."""
    return _AMPLITUDES.get(text.strip().strip("()[]").lower(), "")


def is_time_name(name: str) -> bool:
    """Whether an array or column of this name holds the times of samples."""
    stem, unit = split_unit(name)
    if is_time_unit(unit) and normal(stem) in _TIME_NAMES | {"", "x", "xaxis"}:
        return True
    return normal(stem) in _TIME_NAMES or bool(re.fullmatch(r"time\d*|t\d*(us|ns|ms|s)|time(us|ns|ms|s)", normal(stem)))


def is_known_name(name: str) -> bool:
    """Whether a name is one that `fact_of` understands."""
    known = (*_NUMBERS_KNOWN, _UNIT_NAMES, _SCALE_NAMES, _TIME_UNIT_NAMES)
    stem, _ = _stem_and_unit(name)
    return any(stem in names or normal(name) in names for names in known)


def _stem_and_unit(name):
    """A name in its normal form, and its unit, which may follow without a sign: `samplingFrequencyMHz`."""
    stem, unit = split_unit(name)
    stem = normal(stem or name)
    found = None if unit else re.fullmatch(r"(.+?)(?:in)?([kmg]?hz|[mun]s)", stem)
    if found is not None and any(found[1] in names for names in _NUMBERS_KNOWN):
        return found[1], found[2]
    return stem, unit


def is_time_unit_name(name: str) -> bool:
    """Whether a setting of this name holds the unit of the times."""
    return normal(name) in _TIME_UNIT_NAMES


def is_plausible_rate(rate: object) -> bool:
    """Whether a rate in Hz is one of ultrasonic recordings."""
    return isinstance(rate, int | float) and PLAUSIBLE_RATES[0] <= rate <= PLAUSIBLE_RATES[1]


def parse_number(text: str) -> tuple[float, str] | None:
    """A text such as `25 MSa/s` as a pair of a float and a unit, or `None`."""
    found = _NUMBER.fullmatch(text[:100])
    if found is None or not math.isfinite(float(found[1])):
        return None
    return float(found[1]), found[2] or ""


def fact_of(name: str, value: object, where: str, unit: str = "", time_unit: str | None = None) -> Fact | None:
    """Understands one named value.

    Args:
        name: str. Name of an attribute, a setting or a scalar array.
        value: float, str or sequence of float.
        where: str. Where it stands, for messages.
        unit: str. Unit that stands beside it. Defaults to `""`.
        time_unit: str or `None`. Unit of times that the sidecar states. Defaults to `None`.

    Returns:
        A `Fact`, or `None` where the name is not known or the value makes no sense.
    """
    stem, own_unit = _stem_and_unit(name)
    unit = unit or own_unit
    if stem in _UNIT_NAMES:
        text = amplitude_unit(value) if isinstance(value, str) else ""
        return Fact("unit", text, where) if text else None
    if stem in _SCALE_NAMES:
        return _full_scale(value, where)
    if isinstance(value, str):
        parsed = parse_number(value) or parse_number(value.partition(":")[2])
        if parsed is None:
            return None
        value, unit = parsed[0], parsed[1] or unit
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    if stem in _RATE_NAMES:
        return _rate(value, unit, where)
    if stem in _INTERVAL_NAMES:
        return _interval(value, unit or time_unit or "", where)
    if stem in _START_NAMES or stem in _DELAY_NAMES:
        factor = time_factor(unit or time_unit or "")
        clear = factor is not None or abs(value) <= _LATEST_START
        key, seconds = "start_time" if stem in _START_NAMES else "delay", round_float(value * (factor or 1.0))
        return Fact(key, seconds, where, is_clear=clear, is_weak=stem in _WEAK_START_NAMES)
    if stem in _GAIN_NAMES and value not in (0, 1):
        return Fact("gain", float(value), where)
    return None


def _rate(value, unit, where):
    if value <= 0:
        return None
    factor = _RATES.get(unit.lower())
    if time_factor(unit):  # clock=4.0ns
        return _interval(value, unit, where)
    clear = factor is not None or is_plausible_rate(value)
    return Fact("sampling_rate", round_float(value * (factor or 1.0)), where, is_clear=clear)


def _interval(value, unit, where):
    if value <= 0 or not math.isfinite(1 / value):
        return None
    if is_rate_unit(unit):
        return _rate(value, unit, where)
    factor = time_factor(unit)
    rate = round_float(1 / (value * (factor or 1.0)))
    clear = factor is not None or is_plausible_rate(rate)
    return Fact("sampling_rate", rate, where, is_clear=clear)


def _full_scale(value, where):
    try:
        numbers = [float(number) for number in ([-value, value] if isinstance(value, int | float) else value)]
    except (TypeError, ValueError):
        return None
    if len(numbers) != 2 or not all(map(math.isfinite, numbers)) or not numbers[0] < numbers[1]:
        return None
    return Fact("full_scale", tuple(numbers), where)


def round_float(value: float, tolerance: float = 1e-9) -> float:
    """The number of fewest digits within a relative tolerance: 1 / 4e-8 is 25 million, not 24,999,999.999999996."""
    for digits in range(1, 16):
        rounded = float(f"{value:.{digits - 1}e}")
        if abs(rounded - value) <= tolerance * abs(value):
            return rounded
    return value
