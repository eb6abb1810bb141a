import json

import keras
import numpy as np
import pytest

from recipes.experiments import mixtures
from recipes.experiments.trial import Pretraining


@pytest.mark.long
def test_a_mixture_takes_from_each_kind_of_signals(small_preset, tmp_path, monkeypatch):
    drawn = []
    synthesize = mixtures.synthesize

    def noted(config, num_signals, seed, **place):
        drawn.append((num_signals, seed, place.get("start")))
        return synthesize(config, num_signals, seed, **place)

    monkeypatch.setattr(mixtures, "synthesize", noted)
    monkeypatch.setattr(mixtures, "NUM_VALIDATION", 16)
    mixture = Pretraining(
        preset=str(small_preset),
        dataset="ultrasound_synthetic/paper+ultrasound_synthetic/diverse+ultrasound_measured/paper",
        signals=96,
        learning_rate=1e-3,
        mixture=True,
    )
    measured = np.random.default_rng(0).standard_normal((20, 2048)).astype("float32")
    mixtures.pretrain_mixture(mixture, measured, tmp_path / "run", epoch_size=48)
    # Two kinds for validation; then in each of two epochs 16 new ones of either, and 16 measured ones.
    assert drawn[:2] == [(8, 1, None)] * 2
    assert sorted(set(drawn[2:])) == [(16, 10_000, 0), (16, 10_000, 16)]
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["val_loss"] < 3
    assert keras.saving.load_model(tmp_path / "run" / "encoder.keras").patch_size == 64


def test_the_transducers_are_those_of_the_sources():
    names = ["plane_scan", "copper_block", "copper_array", "steel_pins"]
    sources = {"source": np.arange(4)}
    assert mixtures.recorded_by(sources, names, "array").tolist() == [False, False, True, True]
    assert mixtures.recorded_by(sources, names, "immersion probes").tolist() == [True, True, False, False]
