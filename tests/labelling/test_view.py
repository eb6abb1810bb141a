import json
import struct

import numpy as np
import pytest

from keras_usmae.labelling.traces import Layout, TraceFile
from keras_usmae.labelling.view import snap, trace_view
from keras_usmae.signals import tone_burst
from keras_usmae.signals.synthesis.onsets import rise_times


@pytest.mark.parametrize(("frequency", "amplitude"), [(2.5e6, 0.5), (1.5e6, 0.9), (4e6, -0.7)])
def test_snap_finds_the_rise_that_labels_mean(frequency, amplitude):
    burst = tone_burst(frequency, 300, 100e6)
    signal = np.zeros(2048)
    signal[700:1000] = amplitude * burst
    truth = 700 + float(rise_times(burst[None], np.array([[amplitude]]), clips=False)[0, 0])
    for mark in (truth - 60, truth, truth + 40):
        assert abs(snap(signal, mark, burst=250.0) - truth) < 1.5


def test_snap_finds_it_between_the_samples_of_a_coarse_record():
    fine = np.zeros(2048)
    fine[700:1000] = tone_burst(2.25e6, 300, 100e6)
    truth = snap(fine, 720.0, 250.0)
    assert abs(8 * snap(fine[::8], 90.0, burst=250 / 8, up=8) - truth) < 3


def test_snap_stays_where_there_is_no_rise():
    assert snap(np.zeros(500), 100.0, 50.0) == 100
    assert snap(np.full(500, np.nan), 100.0, 50.0) == 100
    assert snap(np.ones(2), 1.0, 50.0) == 1


def parse(content):
    (size,) = struct.unpack("<I", content[:4])
    return json.loads(content[4 : 4 + size]), content[4 + size :]


@pytest.mark.parametrize("trace", [0, 4, 29])
def test_a_view_holds_the_trace_its_neighbours_and_the_b_scan(tmp_path, trace):
    signals = np.random.default_rng(0).standard_normal((30, 5000)).astype("float32")
    signals[8] = np.nan
    np.save(tmp_path / "a.npy", signals)
    layout = Layout(str(tmp_path / "a.npy"), 128, "<f4", (30, 5000), "C", 1)
    about, rest = parse(trace_view(TraceFile(layout), trace, line_length=10, about={"name": "x"}))
    line = trace // 10 * 10
    assert about["about"] == {"name": "x"}
    assert about["bscan"] == {"first": line, "rows": 10, "columns": 1667, "width": 3}
    expected = [place for place in range(max(trace - 3, line), min(trace + 4, line + 10)) if place != trace]
    assert about["neighbours"] == expected
    numbers = np.frombuffer(rest[: -10 * 1667], "<f4").reshape(2 + len(expected), 5000)
    np.testing.assert_array_equal(numbers[0], signals[trace])
    assert np.isfinite(numbers).all()
    assert np.frombuffer(rest[-10 * 1667 :], np.uint8).max() == 255


@pytest.mark.parametrize(("shape", "axis"), [((6, 40), 1), ((40, 6), 0), ((2, 40, 3), 1)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_traces_are_read_from_any_layout(tmp_path, shape, axis, order):
    made = np.asarray(np.random.default_rng(0).integers(-99, 99, shape, "int16"), order=order)
    np.save(tmp_path / "a.npy", made)
    offset = (tmp_path / "a.npy").stat().st_size - made.nbytes
    traces = TraceFile(Layout(str(tmp_path / "a.npy"), offset, "<i2", shape, order, axis))
    expected = np.moveaxis(made, axis, -1).reshape(-1, 40)
    np.testing.assert_array_equal(traces.read(slice(0, 6)), expected)
    np.testing.assert_array_equal(traces.read(4), expected[4])
    np.testing.assert_array_equal(traces.read(np.array([5, 0])), expected[[5, 0]])
