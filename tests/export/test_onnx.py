import json
import subprocess
import sys

import numpy as np
import pytest

from keras_usmae.export import ONNXInterpreter, load_signals
from keras_usmae.extras import import_extra
from keras_usmae.signals import standardize

PROGRAM = """
import json, sys
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
(described,) = session.get_inputs()
signals = np.load(sys.argv[2])["signal"].astype("float32")
names = [output.name for output in session.get_outputs()]
answers = {}
for n in (1, 5):
    values = session.run(names, {"signals": signals[:n] * 1e3 + 7})
    answers[n] = {name: value.tolist() for name, value in zip(names, values)}
loaded = [m for m in sys.modules if m.split(".")[0] in ("keras_usmae", "keras", "tensorflow")]
print(json.dumps({"answers": answers, "input": [described.name, described.shape[1:]], "loaded": loaded}))
"""


def test_measures_raw_signals_in_a_process_with_nothing_but_onnx_runtime(exported, classifier, run_folder):
    command = [sys.executable, "-c", PROGRAM, str(exported[0] / "model.onnx"), str(run_folder / "test.npz")]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert not found["loaded"]
    assert found["input"] == ["signals", [1024]]
    signals, _ = load_signals(run_folder / "test.npz")
    expected = classifier.predict_tof(signals[:5])
    for size in (1, 5):
        answer = found["answers"][str(size)]
        np.testing.assert_allclose(answer["onset"], expected["onset"][:size], atol=0.05)
        np.testing.assert_allclose(answer["tof"], expected["tof"][:size], atol=0.05 / classifier.sampling_rate)
        np.testing.assert_allclose(answer["confidence"], expected["confidence"][:size], atol=1e-3)
        assert np.shape(answer["logits"]) == (size, 64)


def test_agrees_with_keras_on_the_whole_test_split(exported, classifier, run_folder):
    scores = exported[1]["formats"]["onnx"]["runtimes"]["ONNX Runtime"]
    assert scores["num_signals"] == exported[1]["num_signals"]
    assert scores["probability_deviation_max"] < 1e-4
    signals, _ = load_signals(run_folder / "test.npz")
    logits, _ = ONNXInterpreter(exported[0] / "model.onnx").run(standardize(signals[:8]))
    np.testing.assert_allclose(logits, classifier.predict(standardize(signals[:8]), verbose=0), atol=1e-3)


def test_a_missing_package_is_named_with_its_extra():
    with pytest.raises(ImportError, match=r"no_such_runtime.*keras-usmae\[onnx\]"):
        import_extra("no_such_runtime", "onnx")
