"""What the entries of a transducer file must satisfy together."""

from typing import TYPE_CHECKING

from keras_usmae.fields import FieldError

if TYPE_CHECKING:
    from keras_usmae.signals.synthesis.transducer.config import TransducerConfig

# Entries of `[excitation]` that each kind needs, and those that it may have besides.
_EXCITATION_KEYS = {
    "spike": ((), ()),
    "burst": (("cycles",), ("frequency", "window")),
    "chirp": (("start_frequency", "stop_frequency", "duration"), ("window",)),
    "code": (("code", "cycles"), ("frequency",)),
}
# A band-pass of second order and a sampled sine need some room below half the sampling rate.
_LARGEST_FREQUENCY = 0.499


def check(config: "TransducerConfig") -> None:
    """Checks a `TransducerConfig`.

    Raises:
        FieldError: where entries do not go together; it names one of them.
    """
    _check_probe(config)
    _check_excitation(config)
    _check_media(config)
    _check_echoes(config)
    if config.noise and (config.noise.color == "band") != (config.noise.band is not None):
        raise FieldError(("noise", "band"), 'goes with color = "band", and color = "band" with it.')
    if config.noise and config.noise.band:
        _check_frequency(config, ("noise", "band"), config.noise.band)
        if config.noise.band[0] == config.noise.band[1]:
            raise FieldError(("noise", "band"), f"must have a width, but is {config.noise.band} Hz.")
    for i, interference in enumerate(config.interference):
        _check_frequency(config, ("interference", i, "frequency"), interference.frequency)


def _check_frequency(config, path, interval):
    if interval[1] > _LARGEST_FREQUENCY * config.sampling_rate:
        raise FieldError(
            path,
            f"reaches {interval[1]:g} Hz, but signals at {config.sampling_rate:g} Hz hold frequencies up to half of "
            "that. Raise sampling_rate.",
        )


def _check_probe(config):
    probe = config.transducer
    drawn = [name for name in ("center_frequency", "fractional_bandwidth") if getattr(probe, name) is not None]
    if probe.impulse_response is not None:
        if drawn:
            raise FieldError(("transducer", drawn[0]), "is what impulse_response says already. Leave one of them out.")
        return
    for name in ("center_frequency", "fractional_bandwidth"):
        if name not in drawn:
            raise FieldError(
                ("transducer", name),
                "is missing. Give center_frequency and fractional_bandwidth, or impulse_response.",
                missing=True,
            )
    edge = probe.center_frequency[1] * (1 + probe.fractional_bandwidth[1] / 2)
    if edge > config.sampling_rate / 2:
        raise FieldError(
            ("transducer", "center_frequency"),
            f"and fractional_bandwidth reach {edge:g} Hz at -6 dB, above half the sampling rate of "
            f"{config.sampling_rate:g} Hz. Raise sampling_rate.",
        )


def _check_excitation(config):
    excitation = config.excitation
    needed, allowed = _EXCITATION_KEYS[excitation.kind]
    for name in sorted({key for keys in _EXCITATION_KEYS.values() for part in keys for key in part}):
        given = getattr(excitation, name) is not None
        if name in needed and not given:
            raise FieldError(("excitation", name), f'is missing: kind = "{excitation.kind}" needs it.', missing=True)
        if given and name not in (*needed, *allowed):
            raise FieldError(("excitation", name), f'has no meaning for kind = "{excitation.kind}".')
        if given and name.endswith("frequency"):
            _check_frequency(config, ("excitation", name), getattr(excitation, name))
    carried = excitation.kind in ("burst", "code") and excitation.frequency is None
    if carried and config.transducer.center_frequency is None:
        raise FieldError(
            ("excitation", "frequency"), "is missing: an impulse_response has no center_frequency.", missing=True
        )
    if excitation.duration and excitation.duration[1] * config.sampling_rate > 2**20:
        raise FieldError(("excitation", "duration"), f"of {excitation.duration[1]:g} s has more than 2^20 samples.")


def _check_media(config):
    names = [medium.name for medium in config.medium]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise FieldError(("medium", i, "name"), f"names two media {name!r}.")
    used = {echo.medium for echo in config.echo} | ({config.grain.medium} if config.grain else set())
    for i, name in enumerate(names):
        if name not in used:
            raise FieldError(("medium", i, "name"), f"is {name!r}, which no echo and no grain noise refers to.")
    for path, name in [(("echo", i, "medium"), echo.medium) for i, echo in enumerate(config.echo)] + (
        [(("grain", "medium"), config.grain.medium)] if config.grain else []
    ):
        if name is not None and name not in names:
            raise FieldError(path, f"must be the name of a [[medium]], one of {names}, but is {name!r}.")
    if config.grain and config.grain.medium not in [echo.medium for echo in config.echo]:
        raise FieldError(("grain", "medium"), f"is {config.grain.medium!r}, through which no echo comes.")


def _check_echoes(config):
    if not config.echo:
        raise FieldError(("echo",), "needs one or more tables, each headed [[echo]].")
    for i, echo in enumerate(config.echo):
        path = ("echo", i)
        if echo.delay is None and echo.distance is None:
            raise FieldError((*path, "delay"), "is missing, or distance in its place.", missing=True)
        if echo.delay is not None and echo.distance is not None:
            raise FieldError((*path, "delay"), "is what distance says already. Leave one of them out.")
        if echo.distance is not None and echo.medium is None:
            raise FieldError((*path, "medium"), "is missing: a distance needs its speed_of_sound.", missing=True)
        named = [other.name for other in config.echo[:i] if other.name is not None]
        if echo.name is not None and echo.name in named:
            raise FieldError((*path, "name"), f"names two echoes {echo.name!r}.")
        if echo.after is not None and echo.after not in named:
            raise FieldError((*path, "after"), f"must name an echo above, one of {named}, but is {echo.after!r}.")
    if config.echo[0].probability != 1:
        raise FieldError(("echo", 0, "probability"), "must be 1: the first echo is the labelled one.")
    low, high = config.onset_interval
    if low < 0 or high >= config.signal_length:
        start, rate = config.start_time, config.sampling_rate
        key = "delay" if config.echo[0].delay is not None else "distance"
        raise FieldError(
            ("echo", 0, key),
            f"lets the first echo begin between {start + low / rate:.4g} and {start + high / rate:.4g} s, with the "
            f"trigger jitter, but the record lasts from {start:.4g} to {start + config.signal_length / rate:.4g} s. "
            "Change it, start_time, or signal_length.",
        )
