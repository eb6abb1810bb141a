"""A small scan with known onsets, and a session over it without any process beside it."""

import numpy as np
import pytest

from keras_usmae.labelling.serving import open_session
from keras_usmae.labelling.settings import LabelConfig
from keras_usmae.signals import SignalConfig, synthesize

RATE = 100e6


@pytest.fixture(scope="session")
def drawn():
    """Signals of one echo each, and their onsets."""
    return synthesize(SignalConfig.from_preset("quickstart"), num_signals=64, seed=5)


@pytest.fixture
def scan(tmp_path, drawn):
    """A .npy file of 64 traces."""
    path = tmp_path / "scan.npy"
    np.save(path, drawn["signal"])
    return path


@pytest.fixture
def config(scan):
    """Options for it."""
    return LabelConfig(str(scan), sampling_rate=RATE, axis=1, preset="nano", scale="1", who="Ada")


@pytest.fixture
def session(config, tmp_path, drawn):
    """A session whose picks are the true onsets, but for three traces: off, without a pick, and not usable."""
    with open_session(config, tmp_path / "labels") as session:
        path = tmp_path / "block.npz"
        np.savez(path, **make_block(np.float64(drawn["onset"])))
        session._add_block(0, path)
        yield session


def make_block(onset):
    """A block of picks, see `Found`: trace 5 has its pick 300 samples late, 9 has none, 12 is dead."""
    aic, onset = onset[:, None] + 3, onset.copy()
    onset[5] += 300
    trace = np.setdiff1d(np.arange(len(onset)), [9, 12])
    chosen = np.full((len(onset), 1), -1)
    chosen[trace, 0] = np.arange(len(trace))
    reason = np.full(len(onset), "", "U20")
    reason[9], reason[12] = "no echo", "dead"
    some = np.ones(len(trace))
    picks = {"onset": onset[trace], "half_width": 6 * some, "confidence": some, "amplitude": some}
    return {"trace": trace, **picks, "chosen": chosen, "reason": reason, "aic": aic}
