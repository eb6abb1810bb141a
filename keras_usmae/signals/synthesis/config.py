"""The distribution that synthetic signals are drawn from, and its named presets."""

import dataclasses
import math

from keras_usmae.signals.synthesis.bursts import ENVELOPES
from keras_usmae.signals.synthesis.config_checks import Range, validate


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
        burst_length: range. Length of the burst in samples, from where its envelope leaves zero to where it ends.
            Defaults to `(200, 400)`.
        onset_range: range or `None`. Start of the first burst in samples. `None` stands for
            `(0, signal_length - burst_length[1])`, so that every first burst fits in the record. Defaults to `None`.
        phase: range. Phase of the carrier at the start in rad; zero is a sine that starts at zero.
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
        plate_probability: float. Share of signals whose later echoes are the series of a plate: equally spaced, and
            louder or weaker than the first. Defaults to `0.0`.
        plate_spacing: range. Spacing of such a series in samples. Defaults to `(50, 380)`.
        plate_second_db: range. Second echo of a series in dB re the first. Defaults to `(-4, 8)`.
        plate_step_db: range. Each later echo of a series in dB re the one before it. Defaults to `(-6, 4)`.
        max_precursors: int. Weaker echoes ahead of the first: their number is drawn from 1 to `max_precursors` in the
            signals that have them. Defaults to `0`.
        precursor_probability: float. Share of signals with them. Defaults to `0.0`.
        precursor_lead: range. Time of each ahead of the first echo in samples. Defaults to `(60, 900)`.
        precursor_attenuation_db: range. Attenuation of each in dB re the first burst. Defaults to `(8, 34)`.
        tail_probability: float. Share of signals that begin inside of an earlier burst. Defaults to `0.0`.
        tail_db: range. Amplitude of that burst in dB re the first one. Defaults to `(-20, 12)`.
        silent_probability: float. Share of signals without any echo, whose onset is NaN; their noise has the level that
            goes with the burst that they lack. Defaults to `0.0`.
        grain_probability: float. Share of signals with backscatter of a material: noise with the spectrum of the burst,
            which decays. Defaults to `0.0`.
        grain_snr_db: range. RMS of the burst over that of the backscatter where it begins, in dB.
            Defaults to `(14, 40)`.
        grain_decay: range. Time constant of the backscatter in samples. Defaults to `(500, 8000)`.
        tone_probability: float. Share of signals with a continuous wave, as from a switching supply or a transmitter.
            Defaults to `0.0`.
        tone_frequency: range. Its frequency in Hz. Defaults to `(0.2e6, 8e6)`.
        tone_snr_db: range. RMS of the burst over that of the wave in dB. Defaults to `(16, 40)`.
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
    plate_probability: float = 0.0
    plate_spacing: Range = (50.0, 380.0)
    plate_second_db: Range = (-4.0, 8.0)
    plate_step_db: Range = (-6.0, 4.0)
    max_precursors: int = 0
    precursor_probability: float = 0.0
    precursor_lead: Range = (60.0, 900.0)
    precursor_attenuation_db: Range = (8.0, 34.0)
    tail_probability: float = 0.0
    tail_db: Range = (-20.0, 12.0)
    silent_probability: float = 0.0
    grain_probability: float = 0.0
    grain_snr_db: Range = (14.0, 40.0)
    grain_decay: Range = (500.0, 8000.0)
    tone_probability: float = 0.0
    tone_frequency: Range = (0.2e6, 8e6)
    tone_snr_db: Range = (16.0, 40.0)
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
        validate(self)

    @classmethod
    def from_preset(cls, name: str) -> "SignalConfig":
        """Makes a named configuration.

        Args:
            name: str. `"paper"`: one burst in white noise, as in the paper. `"diverse"`: the widest mix of transducers,
                echoes, noise and recorders. `"quickstart"`: bursts as damped immersion transducers give them, to
                pre-train within minutes for measured A-scans. `"field"`: what a picker meets, to learn picking from:
                also weaker echoes ahead, series of thin plates, bursts that are cut, backscatter, and no echo at all.

        Raises:
            ValueError: where there is no preset of this name.
        """
        if name not in PRESETS:
            raise ValueError(f"There is no preset {name!r} of SignalConfig. Choose one of {sorted(PRESETS)}.")
        return cls(**PRESETS[name])

    def ranges_apart(self, other: "SignalConfig") -> tuple[str, ...]:
        """Ranges that share no value with those of another configuration, such as of transducers held out.

        Args:
            other: a `SignalConfig`.

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
    def max_burst_samples(self) -> int:
        """int. Samples that hold the longest burst, wherever its onset lies between two samples."""
        return math.ceil(self.burst_length[1])

    @property
    def echo_slots(self) -> int:
        """int. Places for the echoes beside the first one in the arrays of `synthesize`."""
        return self.max_echoes + self.max_precursors + (self.tail_probability > 0)

    @property
    def onset_interval(self) -> Range:
        """range. Start of the first burst in samples, with the default of `onset_range` filled in."""
        return self.onset_range or (0.0, float(self.signal_length - self.max_burst_samples))


# The ranges of `quickstart` and `diverse` are those of measured immersion A-scans: bursts of a few cycles, 150 to 345
# samples at 100 MHz above -20 dB; front echoes that drive 8-bit recorders far into clipping; reverberation behind them.
PRESETS: dict[str, dict] = {
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
    "field": {
        "center_frequency": (1e6, 5e6),
        "burst_length": (120.0, 520.0),
        "onset_range": (0.0, 2040.0),
        "amplitude_db": (-26.0, 16.0),
        # The rectangular and the Tukey burst of a generator are rarer than those of a transducer.
        "envelopes": ("damped", "damped", "damped", "gaussian", "gaussian", "hann", "tukey", "rectangular"),
        "snr_db": (14.0, 40.0),
        "noise_colors": ("white", "pink", "band"),
        "max_echoes": 5,
        "echo_delay": (60.0, 900.0),
        "echo_attenuation_db": (-10.0, 34.0),
        "plate_probability": 1 / 3,
        "max_precursors": 2,
        "precursor_probability": 0.3,
        "tail_probability": 0.2,
        "silent_probability": 0.1,
        "grain_probability": 0.25,
        "tone_probability": 0.1,
        "ringdown_probability": 0.2,
        "ringdown_decay": (20.0, 150.0),
        "dc_offset": (-0.1, 0.1),
        "adc_bits": (8, 10, 12, 14),
    },
}
