import json
import subprocess
import sys

import keras
import numpy as np

from keras_usmae.export import in_float32, load_signals, write_saved_model
from keras_usmae.models import MAEEncoder, ToFClassifier

PROGRAM = """
import json, sys
import numpy as np, tensorflow as tf
serve = tf.saved_model.load(sys.argv[1]).signatures["serve"]
signals = np.load(sys.argv[2])["signal"]
answers = {}
for n in (1, 5):
    outputs = serve(signals=tf.constant(signals[:n] * 1e3 + 7))
    answers[n] = {name: value.numpy().tolist() for name, value in outputs.items()}
inputs = {k: [v.shape.as_list(), v.dtype.name] for k, v in serve.structured_input_signature[1].items()}
loaded = [m for m in sys.modules if m.split(".")[0] == "keras_usmae"]
print(json.dumps({"answers": answers, "inputs": inputs, "loaded": loaded}))
"""


def test_serves_raw_signals_in_a_process_without_this_package(exported, classifier, run_folder):
    command = [sys.executable, "-c", PROGRAM, str(exported[0] / "saved_model"), str(run_folder / "test.npz")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert not found["loaded"]
    assert found["inputs"] == {"signals": [[None, 1024], "float32"]}
    signals, _ = load_signals(run_folder / "test.npz")
    expected = classifier.predict_tof(signals[:5])
    for size in (1, 5):
        answer = found["answers"][str(size)]
        np.testing.assert_allclose(answer["onset"], expected["onset"][:size], atol=0.05)
        np.testing.assert_allclose(answer["tof"], expected["tof"][:size], atol=0.05 / classifier.sampling_rate)
        np.testing.assert_allclose(answer["confidence"], expected["confidence"][:size], atol=1e-3)
        assert np.shape(answer["logits"]) == (size, 64)


def test_a_constant_signal_gives_finite_answers(exported):
    import tensorflow as tf

    serve = tf.saved_model.load(str(exported[0] / "saved_model")).signatures["serve"]
    assert all(np.isfinite(value).all() for value in serve(signals=tf.ones((2, 1024))).values())


def test_a_mixed_precision_model_is_exported_in_float32(tmp_path):
    encoder = MAEEncoder.from_preset("nano", num_layers=1, dtype="mixed_bfloat16")
    mixed = ToFClassifier(encoder, dtype="mixed_bfloat16")
    copy = in_float32(mixed)
    assert {layer.compute_dtype for layer in copy._flatten_layers()} == {"float32"}
    for ours, theirs in zip(copy.weights, mixed.weights, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs))
    write_saved_model(copy, tmp_path / "saved_model")
