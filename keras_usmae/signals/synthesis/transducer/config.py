"""The distribution of A-scans that a transducer file stands for."""

import dataclasses

from keras_usmae.fields import build, field, integer, number, table, tables, text
from keras_usmae.signals.synthesis.transducer.checks import check
from keras_usmae.signals.synthesis.transducer.tables import (
    Echo,
    Excitation,
    Grain,
    Interference,
    Medium,
    Noise,
    Probe,
    Recorder,
    Ringdown,
)


@dataclasses.dataclass(frozen=True)
class TransducerConfig:
    """Distribution of A-scans of one transducer, as its TOML file describes it; see `read_transducer`.

    `synthesize`, `draw_parameters` and `render` take it in place of a `SignalConfig`. Every range is drawn from
    uniformly and independently, once a signal; a number is a constant.

    Args:
        sampling_rate: float, Hz.
        signal_length: int, samples.
        transducer: table of `Probe`.
        echo: list of tables of `Echo`, in the order of their arrival.
        start_time: float, s. Time of the first sample after the transmit pulse. Defaults to `0`.
        excitation: table of `Excitation`. Defaults to a spike.
        medium: list of tables of `Medium`. Defaults to none.
        ringdown, noise, grain: tables of `Ringdown`, `Noise` and `Grain`. Defaults to none.
        interference: list of tables of `Interference`. Defaults to none.
        recorder: table of `Recorder`. Defaults to an ideal one.
        description: str. Free text. Defaults to none.

    Example:

    ```python
    from keras_usmae.signals import TransducerConfig, synthesize

    config = TransducerConfig.from_dict(
        {
            "sampling_rate": 100e6,
            "signal_length": 1024,
            "transducer": {"center_frequency": 5e6, "fractional_bandwidth": [0.5, 0.7]},
            "echo": [{"delay": [1e-6, 8e-6], "reflectivity_db": [-12, 0]}],
            "noise": {"snr_db": 30},
        }
    )
    synthesize(config, num_signals=8, seed=0)["signal"].shape  # (8, 1024)
    ```
    """

    sampling_rate: float = field(number("Hz", above=0))
    signal_length: int = field(integer(16, 2**20))
    transducer: Probe = field(table(Probe))
    echo: tuple[Echo, ...] = field(tables(Echo))
    start_time: float = field(number("s", at_least=0), 0.0)
    excitation: Excitation = field(table(Excitation), Excitation())
    medium: tuple[Medium, ...] = field(tables(Medium), ())
    ringdown: Ringdown | None = field(table(Ringdown), None)
    noise: Noise | None = field(table(Noise), None)
    grain: Grain | None = field(table(Grain), None)
    interference: tuple[Interference, ...] = field(tables(Interference), ())
    recorder: Recorder = field(table(Recorder), Recorder())
    description: str | None = field(text, None)

    @classmethod
    def from_dict(cls, content: dict) -> "TransducerConfig":
        """Makes a configuration out of tables, as from TOML, or from `dataclasses.asdict` of another one.

        Args:
            content: dict.

        Raises:
            ValueError: where a key is unknown or missing, or a value is impossible; the message names the key.
        """
        config = build(cls, content)
        check(config)
        return config

    def medium_named(self, name: str | None) -> Medium:
        """The `Medium` of this name."""
        return next(medium for medium in self.medium if medium.name == name)

    def delay_of(self, echo: Echo) -> tuple[float, float]:
        """range, s. There and back on the way of an `Echo`, from the reflector before it."""
        if echo.delay is not None:
            return echo.delay
        assert echo.distance is not None, "the checks see to one of them"
        speed = self.medium_named(echo.medium).speed_of_sound
        return 2 * echo.distance[0] / speed[1], 2 * echo.distance[1] / speed[0]

    @property
    def onset_interval(self) -> tuple[float, float]:
        """range. Onset of the first echo, the labelled one, in samples, with four deviations of the trigger jitter."""
        low, high = self.delay_of(self.echo[0])
        spread = 4 * self.recorder.trigger_jitter + self.start_time
        margin = 4 * self.recorder.trigger_jitter - self.start_time
        return (low - spread) * self.sampling_rate, (high + margin) * self.sampling_rate
