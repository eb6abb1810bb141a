"""Presets by name, and from a file."""

import json

import pytest

from keras_usmae.models import MAEEncoder, MaskedAutoencoder, load_preset


def test_a_file_of_sizes_is_a_preset(tmp_path):
    sizes = load_preset("nano")
    sizes["encoder"] |= {"hidden_dim": 24, "signal_length": 256}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({**sizes, "finetune": {"epochs": 3}}))
    assert load_preset(str(path)) == sizes
    assert MAEEncoder.from_preset(str(path)).hidden_dim == 24
    assert MaskedAutoencoder.from_preset(str(path), decoder="cross").decoder.encoder_dim == 24


@pytest.mark.parametrize(
    ("content", "message"), [("{", "not JSON"), ("[]", "lacks"), ('{"encoder": {}}', "lacks.*decoder")]
)
def test_a_file_that_is_no_preset(tmp_path, content, message):
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        load_preset(str(path))
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json"):
        load_preset("nowhere.json")
    with pytest.raises(ValueError, match="Unknown preset 'huge'"):
        load_preset("huge")
