"""What the fields of a `SignalConfig` may be."""

import dataclasses
import math
from typing import TYPE_CHECKING

from keras_usmae.fields import is_integer, is_number
from keras_usmae.signals.synthesis.bursts import ENVELOPES
from keras_usmae.signals.synthesis.noise import NOISE_COLORS

if TYPE_CHECKING:
    from keras_usmae.signals.synthesis.config import SignalConfig

Range = tuple[float, float]


def validate(config: "SignalConfig") -> None:
    """Checks every field of a `SignalConfig`.

    Raises:
        ValueError: where one is impossible; the message names it, its value and what may be.
    """
    _check_integer(config, "signal_length", at_least=1)
    _check_integer(config, "max_echoes", at_least=0)
    if not (is_number(config.sampling_rate) and config.sampling_rate > 0):
        raise ValueError(f"`sampling_rate` must be a positive number in Hz, but is {config.sampling_rate!r}.")
    _check_integer(config, "max_precursors", at_least=0)
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name.endswith("_probability") and not (is_number(value) and 0 <= value <= 1):
            raise ValueError(f"`{field.name}` must lie in [0, 1], but is {value!r}.")
    if config.precursor_probability and not config.max_precursors:
        raise ValueError("`max_precursors` is 0, but must be 1 or more where `precursor_probability` is above 0.")
    nyquist = config.sampling_rate / 2
    _check_range(config, "center_frequency", "Hz", above=0, below=nyquist)
    _check_range(config, "noise_band", "Hz", above=0, below=nyquist)
    if config.noise_band[0] == config.noise_band[1]:
        raise ValueError(f"`noise_band` must have a width, but is {config.noise_band} Hz.")
    # Shorter than 4 samples, a burst may fall between two samples and have no power to set the noise by.
    _check_range(config, "burst_length", "samples", at_least=4, up_to=config.signal_length)
    if config.onset_range is not None:
        _check_range(config, "onset_range", "samples", at_least=0, below=config.signal_length)
    _check_range(config, "phase", "rad")
    _check_range(config, "amplitude_db", "dB")
    _check_range(config, "snr_db", "dB")
    _check_range(config, "echo_delay", "samples", above=0)
    _check_range(config, "echo_attenuation_db", "dB")
    _check_range(config, "plate_spacing", "samples", above=0)
    _check_range(config, "plate_second_db", "dB")
    _check_range(config, "plate_step_db", "dB")
    _check_range(config, "precursor_lead", "samples", above=0)
    _check_range(config, "precursor_attenuation_db", "dB")
    _check_range(config, "tail_db", "dB")
    _check_range(config, "grain_snr_db", "dB")
    _check_range(config, "grain_decay", "samples", above=0)
    _check_range(config, "tone_frequency", "Hz", above=0, below=nyquist)
    _check_range(config, "tone_snr_db", "dB")
    _check_range(config, "ringdown_amplitude_db", "dB")
    _check_range(config, "ringdown_decay", "samples", above=0)
    _check_range(config, "dc_offset", "units of full scale")
    _check_choices(config, "envelopes", ENVELOPES)
    _check_choices(config, "noise_colors", NOISE_COLORS)
    if config.adc_bits != ():
        _check_choices(config, "adc_bits", tuple(range(2, 25)))


def _check_integer(config, name, at_least):
    value = getattr(config, name)
    if not is_integer(value) or value < at_least:
        raise ValueError(f"`{name}` must be an integer of {at_least} or more, but is {value!r}.")


def _check_range(config, name, unit, above=-math.inf, at_least=-math.inf, below=math.inf, up_to=math.inf):
    value = getattr(config, name)
    if not (isinstance(value, tuple) and len(value) == 2 and all(map(is_number, value))):
        raise ValueError(f"`{name}` must be a pair (low, high) of finite numbers in {unit}, but is {value!r}.")
    low, high = value
    if low > high:
        raise ValueError(f"`{name}` must have low <= high, but is {value!r} {unit}.")
    if low <= above or low < at_least or high >= below or high > up_to:
        lower = f"above {above:g}" if above > -math.inf else f"from {at_least:g}"
        upper = f" to below {below:g}" if below < math.inf else f" to {up_to:g}" if up_to < math.inf else ""
        raise ValueError(f"`{name}` must lie {lower}{upper} {unit}, but is {value!r}.")


def _check_choices(config, name, allowed):
    value = getattr(config, name)
    if not (isinstance(value, tuple) and value):
        raise ValueError(f"`{name}` must be a tuple with one or more of {list(allowed)}, but is {value!r}.")
    for choice in value:
        if choice not in allowed:
            raise ValueError(f"`{name}` holds {choice!r}, which is not one of {list(allowed)}.")
