"""The C of the firmware folder against the picker in Python, on the ready picker and real signals."""

import re
import subprocess

import numpy as np
import pytest
import scipy.signal

from keras_usmae.export import TFLMInterpreter, dequantize, stream_picks
from keras_usmae.export.golden import infer
from keras_usmae.export.synthetic import choose_min_confidence, silent_confidences
from keras_usmae.models import EchoDetector
from keras_usmae.picker import EchoPicker
from keras_usmae.picker.decoding import decode_picks
from keras_usmae.signals import SignalConfig, synthesize
from keras_usmae.signals.readers import read_recordings

DRIVER = r"""
/* stdin: number of records; for each its length, its samples, the number of its windows, their logits. */
#include <stdio.h>
#include <stdlib.h>
#include "stream.h"
static usmae_stream_t stream;
static usmae_quantized_t input[USMAE_SIGNAL_LENGTH], logits[64][USMAE_NUM_BINS];
static int next;
static const usmae_quantized_t *replay(void *context) { (void)context; return logits[next++]; }
static int get(void *to, size_t size, size_t count) { return fread(to, size, count, stdin) == count; }
int main(void) {
    static int16_t record[1 << 18];
    int32_t records, length, windows;
    if (!get(&records, 4, 1)) return 1;
    usmae_stream_init(&stream, replay, NULL, input);
    for (int r = 0; r < records; ++r) {
        usmae_pick_t picks[256];
        size_t count;
        if (!get(&length, 4, 1) || !get(record, 2, length) || !get(&windows, 4, 1) ||
            !get(logits, sizeof(logits[0]), windows)) return 2;
        next = 0;
        if (usmae_stream(&stream, record, length, picks, 256, &count) != 0 || next != windows) return 3;
        for (size_t i = 0; i < count; ++i)
            printf("%d %.9g %.9g %.9g\n", r, (double)picks[i].onset_samples, (double)picks[i].half_width_samples,
                   (double)picks[i].confidence);
    }
    return 0;
}
"""


def run_c(folder, records, windows_of, tmp_path):
    """Picks of records, `(n, 4)`: record, onset, half of the interval, confidence."""
    (tmp_path / "driver.c").write_text(DRIVER)
    sources = [str(folder / "src" / name) for name in ("preprocess.c", "picks.c", "stream.c")]
    command = [
        "gcc",
        "-std=c99",
        "-O2",
        "-Wall",
        "-fsanitize=address,undefined",
        f"-I{folder}/src",
        *sources,
        "driver.c",
    ]
    subprocess.run([*command, "-lm", "-o", "driver"], cwd=tmp_path, check=True)
    parts = [np.int32(len(records)).tobytes()]
    for record, logits in zip(records, windows_of, strict=True):
        parts += [np.int32(len(record)).tobytes(), record.tobytes(), np.int32(len(logits)).tobytes(), logits.tobytes()]
    done = subprocess.run(["./driver"], cwd=tmp_path, input=b"".join(parts), capture_output=True, check=True)
    return np.array([line.split() for line in done.stdout.decode().splitlines()], float).reshape(-1, 4)


def both(exported, reference, records, tmp_path, tflite_format="int8"):
    """Picks of records by C and by Python, from the same logits of the interpreter."""
    folder = exported[0] / f"firmware_{tflite_format}"
    interpreter = TFLMInterpreter((folder / "model.tflite").read_bytes())
    kept, expected = [], []
    for i, record in enumerate(records):

        def probabilities(windows):
            kept.append(infer(interpreter, windows)[1])
            return reference.probabilities(dequantize(kept[-1], *interpreter.output_scale))

        picks = stream_picks(record, probabilities, reference.signal_length, 16, **reference.settings)
        expected += [(i, *each) for each in zip(picks["onset"], picks["half_width"], picks["confidence"], strict=True)]
    return run_c(folder, records, kept, tmp_path), np.array(expected).reshape(-1, 4)


def as_recorded(signals):
    signals = signals - signals.mean(axis=1, keepdims=True)
    return np.round(signals / np.abs(signals).max(axis=1, keepdims=True) * 20000).astype(np.int16)


def long_records(num_records, seed):
    """Signals of the field, each lying on end with the next ones, cut to some length."""
    signals = as_recorded(synthesize(SignalConfig.from_preset("field"), num_records + 3, seed=seed)["signal"])
    rng = np.random.default_rng(seed)
    return [signals[i : i + 3].ravel()[: rng.integers(2048, 3 * 2048)] for i in range(num_records)]


@pytest.mark.parametrize("tflite_format", ["int8", "int16x8"])
def test_the_c_picks_what_python_picks_on_synthetic_records(exported_picker, picker_reference, tmp_path, tflite_format):
    found, expected = both(exported_picker, picker_reference, long_records(12, seed=5), tmp_path, tflite_format)
    assert len(expected) > 20
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-2)


@pytest.mark.measured
def test_the_c_picks_what_python_picks_on_measured_records(
    exported_picker, picker_reference, measured_dir, repository, tmp_path
):
    """Records of 4,512 samples, of layers in water."""
    path = next(measured_dir.rglob("PlaneScan3D_PlexiAluFBH.mat"))
    sidecar = repository / "datasets" / "ultrasound_measured" / "sidecars" / "plane_scan.toml"
    (recording,) = read_recordings(path, sidecar)
    records = list(as_recorded(scipy.signal.resample_poly(recording.signals[::400], 8, 1, axis=1)))
    found, expected = both(exported_picker, picker_reference, records, tmp_path)
    assert len(expected) > len(records)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-2)


def test_the_c_decodes_any_probabilities_as_python_does(exported_picker, picker_reference, tmp_path):
    rng = np.random.default_rng(0)
    folder = exported_picker[0] / "firmware_int8"
    interpreter = TFLMInterpreter((folder / "model.tflite").read_bytes())
    # Mostly far from an echo, with crowds of loud bins: peaks at all distances, and at both ends.
    logits = rng.integers(-128, 128, (400, 128), np.int16)
    logits = np.where(rng.random((400, 128)) < rng.uniform(0.02, 0.9, (400, 1)), logits, -120).astype(np.int8)
    records = list(rng.integers(-2000, 2000, (400, 2048), np.int16))
    found = run_c(folder, records, list(logits[:, None]), tmp_path)
    real = dequantize(logits, *interpreter.output_scale)
    picks = decode_picks(picker_reference.probabilities(real), 16, **picker_reference.settings)
    expected = np.stack([picks[name] for name in ("trace", "onset", "half_width", "confidence")], axis=1)
    assert len(expected) > 100
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-2)


def test_streaming_has_one_least_confidence_in_python_and_in_c(exported_picker):
    settings = EchoPicker.from_preset("nano").settings
    assert settings["min_confidence"] == EchoDetector.from_preset("nano").settings["min_confidence"]
    for tflite_format in ("int8", "int16x8"):
        header = (exported_picker[0] / f"firmware_{tflite_format}" / "src" / "config.h").read_text()
        for name in ("min_confidence", "interval_scale", "interval_floor", "label_sigma"):
            assert float(re.search(rf"{name.upper()} ([\d.]+)f", header).group(1)) == settings[name]


def test_an_echo_at_any_place_of_a_record_is_found_once(exported_picker, picker_reference):
    folder = exported_picker[0] / "firmware_int8"
    interpreter = TFLMInterpreter((folder / "model.tflite").read_bytes())
    rng = np.random.default_rng(3)
    time = np.arange(300) / 100e6
    burst = np.hanning(300) * np.sin(2 * np.pi * 2.25e6 * time)
    for place in range(200, 4300, 450):
        record = rng.normal(size=5000) * 0.02
        record[place : place + 300] += burst

        def probabilities(windows):
            return picker_reference.probabilities(dequantize(infer(interpreter, windows)[1], *interpreter.output_scale))

        recorded = np.round(record * 8000).astype(np.int16)
        picks = stream_picks(recorded, probabilities, 2048, 16, **picker_reference.settings)
        assert len(picks["onset"]) == 1
        # The envelope rises through 10 % of its peak at 300 * arcsin(sqrt(0.1)) / pi samples.
        assert abs(picks["onset"][0] - place - 300 * np.arcsin(np.sqrt(0.1)) / np.pi) < 16


def test_a_least_confidence_keeps_silence_silent_or_else_the_echoes():
    silent, voiced = np.linspace(0, 0.5, 5000), np.linspace(0.8, 1, 1000)
    assert choose_min_confidence(silent, voiced) == pytest.approx(0.5)
    assert choose_min_confidence(silent + 0.45, voiced) == pytest.approx(0.8)
    assert choose_min_confidence(silent * 0, voiced) == pytest.approx(0.05)


def test_the_loudest_pick_of_silence_is_that_of_each_record():
    def always_sure(inputs):
        found = np.zeros((len(inputs), 64), "float32")
        found[:, 20], found[:, 40] = 0.4, np.linspace(0, 1, len(inputs))
        return found

    found = silent_confidences(always_sure, 1024, 16, num_signals=50)
    np.testing.assert_allclose(found, np.maximum(0.4, np.linspace(0, 1, 50)), atol=1e-6)


def test_refuses_records_and_bins_that_no_window_fits():
    with pytest.raises(ValueError, match=r"at least one window of 2048 samples\. Received: shape \(2047,\)"):
        stream_picks(np.zeros(2047), None, 2048, 16, min_confidence=0.5)
    with pytest.raises(ValueError, match=r"multiple of the bin width\. Received: bin_width=96"):
        stream_picks(np.zeros(2048), None, 2048, 96, min_confidence=0.5)


def test_a_record_without_variance_has_no_picks():
    assert not len(stream_picks(np.full(5000, 7), None, 2048, 16, min_confidence=0.5)["onset"])
