"""Transducer files and the measured responses that they name."""

from importlib import resources
from pathlib import Path, PurePosixPath

import numpy as np

from keras_usmae.fields import FieldError, flag, number, text
from keras_usmae.signals.synthesis.transducer.config import TransducerConfig
from keras_usmae.user_files import errors_named, read_toml

_MAX_BYTES = 2**20
# A measured response is kept in the configuration, and in every record of it.
_MAX_RESPONSE = 2**14


def transducer_names() -> tuple[str, ...]:
    """Names of the transducer files that come with the package.

    Example:

    ```python
    from keras_usmae.signals import transducer_names

    transducer_names()  # ("air_coupled_40khz", "contact_array_5mhz", "immersion_2_25mhz")
    ```
    """
    folder = resources.files("keras_usmae") / "transducers"
    return tuple(sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")))


def read_transducer(path: str | Path) -> TransducerConfig:
    """Reads and validates a transducer file.

    Args:
        path: path of a .toml file, or one of `transducer_names()`. Its keys are those of `TransducerConfig` and of the
            tables that it names.

    Raises:
        FileNotFoundError: where there is no such file or name.
        ValueError: where the file is not TOML, a key is unknown or missing, or a value is impossible; the message
            names the file, the line and the key.

    Example:

    ```python
    from keras_usmae.signals import read_transducer, synthesize

    config = read_transducer("immersion_2_25mhz")
    synthesize(config, num_signals=8, seed=0)["signal"].shape  # (8, 2048)
    ```
    """
    file = _find(path)
    tables = read_toml(file, "transducer file", _MAX_BYTES)
    with errors_named(file):
        return TransducerConfig.from_dict(_with_response(tables, file.parent))


def _find(path):
    named = str(path)
    if not Path(path).is_file() and named in transducer_names():
        return Path(str(resources.files("keras_usmae") / "transducers" / f"{named}.toml"))
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"There is no transducer file {named!r}. Give the path of a .toml file, or one of {transducer_names()}."
        )
    return Path(path)


def _with_response(tables, folder):
    """The tables, with the name of a measured response replaced by its samples."""
    probe = tables.get("transducer")
    if not isinstance(probe, dict):
        return tables
    response_keys = ("impulse_response", "impulse_response_onset", "resample")
    given = {key: probe[key] for key in response_keys if key in probe}
    rest = {key: value for key, value in probe.items() if key not in response_keys}
    path = ("transducer",)
    if "impulse_response" not in given:
        if given:
            key = next(iter(given))
            raise FieldError((*path, key), "goes with impulse_response, which is missing.")
        return tables
    if "impulse_response_onset" not in given:
        raise FieldError((*path, "impulse_response_onset"), "is missing: where does the response begin?", missing=True)
    file = text(given["impulse_response"], (*path, "impulse_response"))
    onset = number("s")(given["impulse_response_onset"], (*path, "impulse_response_onset"))
    resample = flag(given.get("resample", False), (*path, "resample"))
    rate = number("Hz", above=0)(tables.get("sampling_rate"), ("sampling_rate",))
    try:
        rest["impulse_response"] = _read_response(folder, file, onset, rate, resample)
    except FieldError:
        raise
    except (ValueError, OSError) as error:
        raise FieldError((*path, "impulse_response"), f"cannot be used: {error}") from error
    return {**tables, "transducer": rest}


def _read_response(folder, name, onset, sampling_rate, resample):
    # The readers need h5py, which the rest of `keras_usmae.signals` does without.
    from keras_usmae.signals.readers import read_recordings, resample_recording

    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts or "\\" in name:
        raise ValueError(f"{name!r} must be the name of a file in the folder of the transducer file, or below it")
    (recording,) = read_recordings(folder / relative)
    if len(recording.signals) != 1:
        raise ValueError(f"{name!r} holds {len(recording.signals)} traces, and one is expected")
    if recording.sampling_rate != sampling_rate and not resample:
        raise ValueError(
            f"{name!r} has {recording.sampling_rate:g} Hz and the signals have {sampling_rate:g} Hz. Set "
            "resample = true to have it resampled, or change sampling_rate"
        )
    trace = resample_recording(recording, sampling_rate).signals[0].astype(np.float64)
    trace -= np.median(trace)
    first = (onset - recording.start_time) * sampling_rate
    if not 0 <= first < len(trace) - 1:
        end = recording.start_time + len(trace) / sampling_rate
        raise FieldError(
            ("transducer", "impulse_response_onset"),
            f"is {onset:g} s, outside of the response, which lasts from {recording.start_time:g} to {end:g} s.",
        )
    trace = _shift(trace, first)[: len(trace) - int(np.ceil(first))]
    if len(trace) > _MAX_RESPONSE:
        raise ValueError(f"{name!r} has {len(trace):,} samples at {sampling_rate:g} Hz; {_MAX_RESPONSE:,} are allowed")
    # The last tenth fades, so that the response does not end in a step.
    fade = max(len(trace) // 10, 1)
    trace[-fade:] *= np.cos(np.linspace(0, np.pi / 2, fade)) ** 2
    trace /= np.abs(trace).max()
    return trace.tolist()


def _shift(trace, samples):
    """The trace, earlier by a number of samples that need not be whole."""
    size = 2 * len(trace)
    frequency = np.fft.rfftfreq(size)
    return np.fft.irfft(np.fft.rfft(trace, size) * np.exp(2j * np.pi * frequency * samples), size)[: len(trace)]
