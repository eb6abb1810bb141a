"""The .tflite file of a picker of one's own."""

import numpy as np
import pytest

from keras_usmae.models import CNNEncoder, EchoDetector, MAEEncoder
from keras_usmae.picker import EchoPicker
from keras_usmae.picker.engines import write_engine_of_run


@pytest.mark.parametrize("kind", ["float32", "mixed_bfloat16", "cnn"])
def test_a_run_gets_a_file_that_litert_runs(tmp_path, kind):
    """Whatever policy it was trained with, the file computes in float32 what Keras does in float32."""
    if kind == "cnn":
        encoder = CNNEncoder.from_encoder(MAEEncoder.from_preset("nano"))
    else:
        encoder = MAEEncoder.from_preset("nano", weights="picker", dtype=kind)
    detector = EchoDetector(encoder, settings={"min_confidence": 0.25}, dtype="float32")
    detector.save(tmp_path / "detector.keras")
    assert write_engine_of_run(tmp_path)
    picker = EchoPicker.from_run(tmp_path)
    assert picker.engine.name == "litert"
    assert picker.settings["min_confidence"] == 0.25
    windows = np.random.default_rng(0).standard_normal((3, 2048)).astype("float32")
    expected = np.asarray(detector(windows))
    np.testing.assert_allclose(
        picker.engine.logits(windows, 64), expected, atol=1e-4 if kind != "mixed_bfloat16" else 0.3
    )


def test_what_went_wrong_is_named(tmp_path):
    (tmp_path / "detector.keras").write_bytes(b"no model")
    with pytest.raises(RuntimeError, match=r"could not be written.*cannot be loaded"):
        write_engine_of_run(tmp_path)
    assert not (tmp_path / "detector.tflite").exists()
