import numpy as np
import pytest

from recipes.experiments.repeated_finetuning import FinetuneSettings
from recipes.experiments.starts import prepare_finetuning
from recipes.experiments.trial import Place, Pretraining, Trial


@pytest.mark.long
@pytest.mark.parametrize("architecture", ["transformer", "cnn"])
def test_a_start_does_not_depend_on_whether_its_pretraining_was_done_now(
    small_preset, tfds_dir, tmp_path, monkeypatch, architecture
):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tfds_dir))
    data, preset = "ultrasound_synthetic/quickstart", str(small_preset)
    pretraining = Pretraining(preset, data, 64, architecture="cnn" if architecture == "cnn" else None)
    trial = Trial("pre-trained", 0, data, architecture, preset, pretraining, labels=8)
    settings, place = FinetuneSettings(steps=50), Place(tmp_path)
    trained, found = (prepare_finetuning(trial, settings, place)[1] for _ in range(2))
    for one, other in zip(trained, found, strict=True):
        np.testing.assert_array_equal(one, other)
