"""Files that older code saved are loaded by this one, and give what they gave."""

import json

import keras
import numpy as np
import pytest

from keras_usmae.models import MaskedAutoencoder, load_preset
from keras_usmae.renamed import current_names
from keras_usmae.training import build_optimizer

NAMES = ("mae_full", "mae_cross", "tof_per_patch", "tof_pooled", "signals", "detector")
SIGNALS = np.random.default_rng(0).normal(size=(4, 128)).astype("float32")


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_older_code_gives_what_it_gave_and_trains_on(name, repository):
    folder = repository / "tests" / "saved"
    model = keras.saving.load_model(folder / f"{name}.keras")
    part = model.encoder if name.startswith("mae") else model
    found = keras.ops.convert_to_numpy(part(SIGNALS))
    np.testing.assert_allclose(found, np.load(folder / "expected.npz")[name], atol=1e-5)
    assert int(model.optimizer.iterations) >= 1


def test_settings_that_had_another_name_are_kept(repository):
    mae = keras.saving.load_model(repository / "tests" / "saved" / "mae_cross.keras")
    config = mae.decoder.get_config()
    assert (config["prediction_ratio"], config["remat"]) == (0.5, False)
    old = {"decoded_share": 0.25, "recompute": True}
    again = type(mae.decoder).from_config({name: config[name] for name in config.keys() - current_names(old)} | old)
    assert (again.prediction_ratio, again.remat) == (0.25, True)


def test_an_accumulating_schedule_of_an_earlier_version_is_read():
    schedule = build_optimizer(1e-3, 10, 2, gradient_accumulation_steps=4)._learning_rate
    config = schedule.get_config()
    steps = config.pop("gradient_accumulation_steps")
    again = type(schedule).from_config({**config, "accumulate": steps})
    assert float(again(7)) == float(schedule(7))


def test_a_preset_file_of_an_earlier_version_is_read(tmp_path):
    sizes = load_preset("nano")
    (tmp_path / "old.json").write_text(json.dumps({**sizes, "decoder": {**sizes["decoder"], "decoded_share": 0.25}}))
    mae = MaskedAutoencoder.from_preset(str(tmp_path / "old.json"), decoder="cross")
    assert mae.decoder.prediction_ratio == 0.25
