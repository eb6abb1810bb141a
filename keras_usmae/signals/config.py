"""The distribution that synthetic signals are drawn from, and its named presets."""

import dataclasses
import math

from keras_usmae.signals.bursts import ENVELOPES
from keras_usmae.signals.noise import NOISE_COLORS

Range = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class SignalConfig:
    """Distribution of synthetic A-scans.

    A signal is a burst with a known onset, its later echoes and the ring-down of the transmit pulse, to which noise and
    a DC offset are added. The recorder comes last: it rounds the sum to the steps of an ADC of `adc_bits` and clips it
    at its full scale of -1 to 1.

    Every `(low, high)` range is drawn from uniformly and independently, once a signal (once an echo for those of the
    echoes); a range with `low == high` is a constant. The choices of a tuple are drawn with equal weight, so that one
    that is named twice comes twice as often. To change a preset, use `dataclasses.replace`.

    Args:
        signal_length: int. Samples in a signal. Defaults to `2048`.
        sampling_rate: float. Sampling rate in Hz. Defaults to `100e6`.
        center_frequency: range. Frequency of the burst in Hz. Defaults to `(1e6, 4e6)`.
        burst_length: range. Length of the burst in samples, from the onset to where its envelope ends.
            Defaults to `(200, 400)`.
        onset_range: range or `None`. Onset of the first burst in samples. `None` stands for
            `(0, signal_length - burst_length[1])`, so that every first burst fits in the record. Defaults to `None`.
        phase: range. Phase of the carrier at the onset in rad; zero is a sine that starts at zero.
            Defaults to `(0, 2 * pi)`.
        amplitude_db: range. Peak of the envelope of the first burst in dB re ADC full scale. Defaults to `(-20, 0)`.
        envelopes: tuple of str. Choices of envelope, from `keras_usmae.signals.ENVELOPES`. Defaults to all of them.
        snr_db: range. 20 log10(RMS of the noise-free first burst over its own length / RMS of the noise) in dB, before
            the ADC. Defaults to `(18, 38)`.
        noise_colors: tuple of str. Choices of noise, from `keras_usmae.signals.NOISE_COLORS`.
            Defaults to `("white",)`.
        noise_band: range. Pass band of the `"band"` noise in Hz. Defaults to `(1e6, 4e6)`.
        max_echoes: int. Later echoes: their number is drawn from 0 to `max_echoes`. Defaults to `0`.
        echo_delay: range. Delay of each echo after the one before it in samples. Defaults to `(100, 800)`.
        echo_attenuation_db: range. Attenuation of each echo in dB re the first burst; its polarity is drawn too.
            Defaults to `(0, 30)`.
        ringdown_probability: float. Share of signals with the ring-down of the transmit pulse, which starts at
            sample 0 and has the frequency of the burst. Defaults to `0.0`.
        ringdown_amplitude_db: range. Amplitude of the ring-down at sample 0 in dB re ADC full scale.
            Defaults to `(-20, 6)`.
        ringdown_decay: range. Time constant of the ring-down in samples. Defaults to `(20, 80)`.
        dc_offset: range. DC offset in units of ADC full scale. Defaults to `(0, 0)`.
        adc_bits: tuple of int. Choices of ADC resolution in bits. An empty tuple is an ideal recorder that neither
            rounds nor clips. Defaults to `()`.

    Raises:
        ValueError: where an argument is impossible; the message names it.

    Example:

    ```python
    import dataclasses
    from keras_usmae.signals import SignalConfig, synthesize

    config = SignalConfig.from_preset("paper")
    noisy = dataclasses.replace(config, snr_db=(6.0, 18.0))
    signals = synthesize(noisy, num_signals=8, seed=0)["signal"]  # (8, 2048), float32
    ```

    Reference:
        - The ranges of `paper`: Roßteutscher, Drese, Uphues, [Masked Autoencoders for Ultrasound
          Signals](https://arxiv.org/abs/2508.20622).
    """

    signal_length: int = 2048
    sampling_rate: float = 100e6
    center_frequency: Range = (1e6, 4e6)
    burst_length: Range = (200.0, 400.0)
    onset_range: Range | None = None
    phase: Range = (0.0, 2 * math.pi)
    amplitude_db: Range = (-20.0, 0.0)
    envelopes: tuple[str, ...] = ENVELOPES
    snr_db: Range = (18.0, 38.0)
    noise_colors: tuple[str, ...] = ("white",)
    noise_band: Range = (1e6, 4e6)
    max_echoes: int = 0
    echo_delay: Range = (100.0, 800.0)
    echo_attenuation_db: Range = (0.0, 30.0)
    ringdown_probability: float = 0.0
    ringdown_amplitude_db: Range = (-20.0, 6.0)
    ringdown_decay: Range = (20.0, 80.0)
    dc_offset: Range = (0.0, 0.0)
    adc_bits: tuple[int, ...] = ()

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, list):  # as read back from JSON
                object.__setattr__(self, field.name, tuple(value))
        _validate(self)

    @classmethod
    def from_preset(cls, name):
        """Makes a named configuration.

        Args:
            name: str. `"paper"`: one burst in white noise, as in the paper. `"diverse"`: the widest mix of transducers,
                echoes, noise and recorders. `"quickstart"`: bursts as damped immersion transducers give them, to
                pre-train within minutes for measured A-scans.

        Returns:
            A `SignalConfig`.

        Raises:
            ValueError: where there is no preset of this name.
        """
        if name not in PRESETS:
            raise ValueError(f"There is no preset {name!r} of SignalConfig. Choose one of {sorted(PRESETS)}.")
        return cls(**PRESETS[name])

    def ranges_apart(self, other):
        """Ranges that share no value with those of another configuration, such as of transducers held out.

        Args:
            other: a `SignalConfig`.

        Returns:
            A tuple of str, names of ranges.

        Example:

        ```python
        import dataclasses
        from keras_usmae.signals import SignalConfig

        seen = SignalConfig.from_preset("diverse")
        unseen = dataclasses.replace(seen, center_frequency=(6.6e6, 9e6))
        seen.ranges_apart(unseen)  # ("center_frequency",)
        ```
        """
        names = []
        for field in dataclasses.fields(self):
            one, two = getattr(self, field.name), getattr(other, field.name)
            if field.type is Range and (one[1] < two[0] or two[1] < one[0]):
                names.append(field.name)
        return tuple(names)

    @property
    def max_burst_samples(self):
        """int. Samples that hold the longest burst, wherever its onset lies between two samples."""
        return math.ceil(self.burst_length[1])

    @property
    def onset_interval(self):
        """range. Onset of the first burst in samples, with the default of `onset_range` filled in."""
        return self.onset_range or (0.0, float(self.signal_length - self.max_burst_samples))


# The ranges of `quickstart` and `diverse` are those of measured immersion A-scans: bursts of a few cycles, 150 to 345
# samples at 100 MHz above -20 dB; front echoes that drive 8-bit recorders far into clipping; reverberation behind them.
PRESETS = {
    "paper": {},
    "diverse": {
        "center_frequency": (1e6, 6e6),
        "burst_length": (150.0, 550.0),
        "amplitude_db": (-26.0, 14.0),
        "noise_colors": ("white", "pink", "band"),
        "max_echoes": 5,
        "echo_attenuation_db": (-6.0, 36.0),
        "ringdown_probability": 0.3,
        "dc_offset": (-0.1, 0.1),
        "adc_bits": (8, 10, 12, 14),
    },
    "quickstart": {
        "burst_length": (200.0, 500.0),
        "amplitude_db": (-20.0, 12.0),
        "envelopes": ("damped", "damped", "gaussian"),
        "noise_colors": ("white", "white", "band"),
        "max_echoes": 4,
        "ringdown_probability": 0.2,
        "dc_offset": (-0.02, 0.02),
        "adc_bits": (8, 10, 12),
    },
}


def _validate(config):
    _check_integer(config, "signal_length", at_least=1)
    _check_integer(config, "max_echoes", at_least=0)
    if not (_is_number(config.sampling_rate) and config.sampling_rate > 0):
        raise ValueError(f"`sampling_rate` must be a positive number in Hz, but is {config.sampling_rate!r}.")
    if not (_is_number(config.ringdown_probability) and 0 <= config.ringdown_probability <= 1):
        raise ValueError(f"`ringdown_probability` must lie in [0, 1], but is {config.ringdown_probability!r}.")
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
    _check_range(config, "ringdown_amplitude_db", "dB")
    _check_range(config, "ringdown_decay", "samples", above=0)
    _check_range(config, "dc_offset", "units of full scale")
    _check_choices(config, "envelopes", ENVELOPES)
    _check_choices(config, "noise_colors", NOISE_COLORS)
    if config.adc_bits != ():
        _check_choices(config, "adc_bits", tuple(range(2, 25)))


def _is_number(value):
    return isinstance(value, int | float) and math.isfinite(value)


def _check_integer(config, name, at_least):
    value = getattr(config, name)
    if not isinstance(value, int) or value < at_least:
        raise ValueError(f"`{name}` must be an integer of {at_least} or more, but is {value!r}.")


def _check_range(config, name, unit, above=-math.inf, at_least=-math.inf, below=math.inf, up_to=math.inf):
    value = getattr(config, name)
    if not (isinstance(value, tuple) and len(value) == 2 and all(map(_is_number, value))):
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
