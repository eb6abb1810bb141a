"""The tables of a transducer file."""

import dataclasses

from keras_usmae.fields import (
    FieldError,
    choice,
    field,
    integer_interval,
    integers,
    interval,
    is_number,
    number,
    text,
)
from keras_usmae.signals.synthesis.noise import NOISE_COLORS
from keras_usmae.signals.synthesis.transducer.pulses import CODES

Range = tuple[float, float]

PULSE_SHAPES = ("gaussian", "damped")
EXCITATIONS = ("spike", "burst", "chirp", "code")
WINDOWS = ("rectangular", "hann", "tukey", "gaussian")
POLARITIES = ("positive", "negative", "random")


def _samples(value, path):
    """Converter to a tuple of numbers that are not all zero."""
    if not (isinstance(value, list | tuple) and len(value) > 1 and all(map(is_number, value)) and any(value)):
        raise FieldError(path, "must be two or more finite numbers that are not all zero.")
    return tuple(float(sample) for sample in value)


@dataclasses.dataclass(frozen=True)
class Probe:
    """`[transducer]`: the response of transmitter and receiver together to a spike (pulse-echo, two-way).

    Either `center_frequency` and `fractional_bandwidth` with `shape` and `phase`, or `impulse_response`.

    Args:
        center_frequency: range, Hz. Middle of the band.
        fractional_bandwidth: range. Width of the band between its -6 dB points over `center_frequency`.
        shape: str. Envelope of the response: `"gaussian"`, symmetric, cut at +-3 standard deviations and lowered to
            start and end at zero; or `"damped"`, of a resonator, `t^3 exp(-t / tau)`, which rises faster than it
            decays. Defaults to `"damped"`.
        phase: range, rad. Phase of the carrier, a sine, where the response starts. Defaults to `0`.
        impulse_response: measured response, from its onset on. In a file: name of a .npy, .npz, .mat, .h5, .csv or .wav
            file that holds one trace, in the folder of the transducer file or below it, with its sidecar beside it.
            In Python: samples at the sampling rate of the configuration.
        impulse_response_onset: float, s. In a file only: where the response starts, on the clock of its sidecar. What
            comes before is cut off.
        resample: bool. In a file only: allows a sampling rate of the response other than that of the signals.
    """

    center_frequency: Range | None = field(interval("Hz", above=0), None)
    fractional_bandwidth: Range | None = field(interval("units of center_frequency", at_least=0.01, at_most=1.5), None)
    shape: str = field(choice(*PULSE_SHAPES), "damped")
    phase: Range = field(interval("rad"), (0.0, 0.0))
    impulse_response: tuple[float, ...] | None = field(_samples, None)


@dataclasses.dataclass(frozen=True)
class Excitation:
    """`[excitation]`: what drives the transmitter.

    Args:
        kind: str. `"spike"`: much shorter than a period; `"burst"`: some cycles; `"chirp"`: a linear sweep; `"code"`:
            a carrier whose sign follows a code. Defaults to `"spike"`.
        cycles: range. Cycles of a burst, or of each chip of a code; half a cycle is the half-wave of a pulser.
        frequency: range, Hz. Of a burst or code. Defaults to the drawn center frequency.
        window: str. Envelope of a burst or chirp: `"rectangular"`, `"hann"`, `"tukey"` (half of it flat) or
            `"gaussian"` (cut at +-3 standard deviations). Defaults to `"rectangular"`.
        start_frequency: range, Hz. Of a chirp. `stop_frequency`: range, Hz. Of a chirp.
        duration: range, s. Of a chirp.
        code: str. `"barker3"`, `"barker4"`, `"barker5"`, `"barker7"`, `"barker11"` or `"barker13"`.
    """

    kind: str = field(choice(*EXCITATIONS), "spike")
    cycles: Range | None = field(interval("cycles", at_least=0.25, at_most=1000), None)
    frequency: Range | None = field(interval("Hz", above=0), None)
    window: str | None = field(choice(*WINDOWS), None)
    start_frequency: Range | None = field(interval("Hz", above=0), None)
    stop_frequency: Range | None = field(interval("Hz", above=0), None)
    duration: Range | None = field(interval("s", above=0), None)
    code: str | None = field(choice(*CODES), None)


@dataclasses.dataclass(frozen=True)
class Medium:
    """`[[medium]]`: what the wave runs through.

    Its attenuation grows with a power of frequency, and brings the dispersion that causality demands (Kramers-Kronig),
    as in the wave equation with fractional Laplacians that k-Wave solves.

    Args:
        name: str. Echoes and grain noise refer to it.
        speed_of_sound: range, m/s. Phase velocity at `reference_frequency`.
        attenuation: range, dB/m at `reference_frequency`, per metre of path (there and back is two). Defaults to `0`.
        attenuation_exponent: float, above 0 and below 3: 1 for tissue and polymers, 2 for fluids. Defaults to `1`.
        reference_frequency: float, Hz. Defaults to `1e6`.
        dispersion: range, s/m/Hz. Slope of the group delay per metre of path over frequency, besides that of the
            attenuation: a guided wave, say. Defaults to `0`.
    """

    name: str = field(text)
    speed_of_sound: Range = field(interval("m/s", above=0))
    attenuation: Range = field(interval("dB/m", at_least=0), (0.0, 0.0))
    attenuation_exponent: float = field(number("1", above=0, below=3), 1.0)
    reference_frequency: float = field(number("Hz", above=0), 1e6)
    dispersion: Range = field(interval("s/m/Hz"), (0.0, 0.0))


@dataclasses.dataclass(frozen=True)
class Echo:
    """`[[echo]]`: a reflector, and its reverberations. The first one's echo is labelled: its onset is the label.

    Args:
        delay: range, s. Time there and back, from the transmit pulse for the first reflector and from the one that it
            comes `after` for the others. Or, in its place,
        distance: range, m. One way, in `medium`: the delay is `2 * distance / speed_of_sound`.
        medium: str or `None`. The medium on this way. Defaults to `None`: neither attenuation nor dispersion.
        name: str or `None`. For `after` of later ones.
        after: str or `None`. Name of the reflector that the way leads on from: a flaw and the back wall both come after
            the front wall. Defaults to `None`, the reflector before.
        reflectivity_db: range, dB re full scale at a gain of 0 dB. Level of the echo without attenuation.
        polarity: str. `"positive"`, `"negative"` or `"random"`. Defaults to `"positive"`.
        probability: float. Share of the A-scans that have it; 1 for the first. Defaults to `1`.
        reverberations: range of int. Echoes that follow at equal spacing. Defaults to `0`.
        reverberation_spacing: range, s. Defaults to the delay of the echo itself: the multiples of a plate.
        reverberation_loss_db: range, dB. Loss from each to the next, besides attenuation. Defaults to `6`.
    """

    reflectivity_db: Range = field(interval("dB"))
    delay: Range | None = field(interval("s", above=0), None)
    distance: Range | None = field(interval("m", above=0), None)
    medium: str | None = field(text, None)
    name: str | None = field(text, None)
    after: str | None = field(text, None)
    polarity: str = field(choice(*POLARITIES), "positive")
    probability: float = field(number("1", at_least=0, at_most=1), 1.0)
    reverberations: tuple[int, int] = field(integer_interval(0, 50), (0, 0))
    reverberation_spacing: Range | None = field(interval("s", above=0), None)
    reverberation_loss_db: Range = field(interval("dB", at_least=0), (6.0, 6.0))


@dataclasses.dataclass(frozen=True)
class Ringdown:
    """`[ringdown]`: the main bang, a decaying oscillation at the center frequency from the transmit pulse on.

    Args:
        amplitude_db: range, dB re full scale, whatever the gain. Level at the transmit pulse; above 0 it clips.
        decay: range, s. Time constant of its envelope.
        probability: float. Share of the A-scans that have it. Defaults to `1`.
    """

    amplitude_db: Range = field(interval("dB"))
    decay: Range = field(interval("s", above=0))
    probability: float = field(number("1", at_least=0, at_most=1), 1.0)


@dataclasses.dataclass(frozen=True)
class Noise:
    """`[noise]`: electronic noise.

    Args:
        snr_db: range, dB. 20 log10(RMS of the noise-free first echo over its own length / RMS of the noise).
        color: str. `"white"`, `"pink"` or `"band"` (behind a second-order band-pass). Defaults to `"white"`.
        band: range, Hz. Pass band of `"band"`.
    """

    snr_db: Range = field(interval("dB"))
    color: str = field(choice(*NOISE_COLORS), "white")
    band: Range | None = field(interval("Hz", above=0), None)


@dataclasses.dataclass(frozen=True)
class Grain:
    """`[grain]`: structural noise, backscatter of many small reflectors with the spectrum of the pulse.

    It begins where the wave enters the medium, and decays with the medium's attenuation at the center frequency.

    Args:
        medium: str. The medium that scatters.
        snr_db: range, dB. As for `Noise`, with the RMS of the grain noise where it begins.
        probability: float. Share of the A-scans that have it. Defaults to `1`.
    """

    medium: str = field(text)
    snr_db: Range = field(interval("dB"))
    probability: float = field(number("1", at_least=0, at_most=1), 1.0)


@dataclasses.dataclass(frozen=True)
class Interference:
    """`[[interference]]`: a sine of another source, with a phase that is drawn.

    Args:
        frequency: range, Hz.
        snr_db: range, dB. As for `Noise`, with the RMS of the sine at its strongest.
        duration: range, s, or `None`. It swells and fades within so long, around a drawn time. Defaults to `None`:
            throughout.
        probability: float. Share of the A-scans that have it. Defaults to `1`.
    """

    frequency: Range = field(interval("Hz", above=0))
    snr_db: Range = field(interval("dB"))
    duration: Range | None = field(interval("s", above=0), None)
    probability: float = field(number("1", at_least=0, at_most=1), 1.0)


@dataclasses.dataclass(frozen=True)
class Recorder:
    """`[recorder]`: amplifier and analogue-to-digital converter.

    Args:
        gain_db: range, dB. Applied to echoes, noise and interference. Defaults to `0`.
        adc_bits: int or list of int to choose from, 2 to 24. Defaults to `None`, an ideal recorder that neither rounds
            nor clips.
        dc_offset: range, units of full scale. Defaults to `0`.
        trigger_jitter: float, s. Standard deviation of the time between the transmit pulse and the recorder's clock,
            cut at 4 of them. The label moves with the echo. Defaults to `0`.
        clock_jitter: float, s. Standard deviation of each sample's own time. Defaults to `0`.
    """

    gain_db: Range = field(interval("dB"), (0.0, 0.0))
    adc_bits: tuple[int, ...] | None = field(integers(2, 24), None)
    dc_offset: Range = field(interval("units of full scale", at_least=-1, at_most=1), (0.0, 0.0))
    trigger_jitter: float = field(number("s", at_least=0), 0.0)
    clock_jitter: float = field(number("s", at_least=0), 0.0)
