"""The transducers that come with the package, and changes to their files, for tests of their physics."""

import dataclasses

import numpy as np

from keras_usmae.signals import TransducerConfig, read_transducer, transducer_names

EXAMPLES = {name: read_transducer(name) for name in transducer_names()}


def change(config, **tables):
    """The configuration with other entries; `None` leaves a table out."""
    content = dataclasses.asdict(config)
    for key, value in tables.items():
        merged = isinstance(value, dict) and isinstance(content[key], dict)
        content[key] = {**content[key], **value} if merged else value
    return TransducerConfig.from_dict(content)


def first_echo_only(config, **tables):
    """One spike-driven echo in a medium without loss; nothing else."""
    echo = {**dataclasses.asdict(config.echo[0]), "reverberations": 0}
    medium = [
        {**dataclasses.asdict(medium), "attenuation": 0} for medium in config.medium if medium.name == echo["medium"]
    ]
    quiet = {"ringdown": None, "grain": None, "noise": None, "interference": [], "recorder": None}
    return change(config, **{"echo": [echo], "medium": medium, "excitation": None, **quiet, **tables})


def window(signal, onset, length):
    first = int(np.floor(onset))
    return signal[max(first, 0) : first + int(length) + 2].astype(np.float64)


def spectrum(signal, sampling_rate, size=1 << 16):
    return np.fft.rfftfreq(size, 1 / sampling_rate), np.fft.rfft(signal, size)
