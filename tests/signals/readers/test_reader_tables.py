"""Tables as instruments and spreadsheets write them are read right, or refused with the key that helps."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_usmae.signals.readers import read_recordings, report_recording
from tests.scope_exports import EXPORTS, RATE, START, VOLTS

NOISE = np.random.default_rng(1).normal(size=(3, 60)).round(3)
CLOCK = np.arange(60) / 25e6
RATED = {"axis": 0, "sampling_rate": 25e6}


def rows(make):
    return "\n".join(make(i) for i in range(60)) + "\n"


def comma(value):
    return f"{value:.4f}".replace(".", ",")


def timed(times=CLOCK, form="{:.9f}"):
    return "time,a\n" + rows(lambda i: f"{form.format(times[i])},{NOISE[0, i]}")


def read(tmp_path, text, suffix=".csv", **stated):
    path = tmp_path / f"scan{suffix}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (recording,) = read_recordings(path, **stated)
    return recording


@pytest.mark.parametrize("suffix", [".csv", ".txt", ".dat", ".tsv"])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", EXPORTS)
def test_exports_need_no_sidecar(tmp_path, name, encoding, suffix):
    make, count = EXPORTS[name]
    text = make().replace("\n", "\r\n" if encoding == "utf-16" else "\n")
    recording = read(tmp_path, text.encode(encoding), suffix)
    factor = {"V": 1.0, "mV": 1e3, "uV": 1e6, "": 1.0}[recording.unit]
    np.testing.assert_allclose(recording.signals / factor, VOLTS[:count], atol=2e-6)
    assert recording.unit or name == "lecroy"
    assert recording.sampling_rate == RATE
    assert recording.start_time == (0.0 if name in ("hantek", "gw_instek") else START)
    assert set(recording.provenance.origins) >= {"sampling_rate", "start_time", "axis"}
    assert "rate from" in report_recording(recording).to_text()


@pytest.mark.parametrize(
    ("text", "stated", "message"),
    [
        (rows(lambda i: f"{comma(NOISE[0, i])};{comma(NOISE[1, i])}"), {"delimiter": ",", **RATED}, "'decimal'"),
        (rows(lambda i: f"{comma(NOISE[0, i])},{comma(NOISE[1, i])}"), RATED, "'decimal'.*semicolons"),
        ("t,ch\n" + rows(lambda i: f"{comma(1.2)},{comma(3.4)}"), RATED, "names 2 columns.*4 cells.*'decimal'"),
        ("0,1\n" + rows(lambda i: f"{NOISE[0, i]},{NOISE[1, i]}"), RATED, "'header' = 1 or 0"),
        (rows(lambda i: f"{i + 1}.{100 + i};{i + 2}.{200 + i}"), RATED, "'decimal'"),
        (rows(lambda i: f"{(i * 7) % 11},{(i * 3) % 17 + 100}"), RATED, "'delimiter'"),
        (rows(lambda i: f"{NOISE[0, i]},{NOISE[1, i]}" + ",3" * (i == 30)), RATED, "line 31 has 3 cells"),
        ("a,b\n" + rows(lambda i: f"{NOISE[0, i]},{NOISE[1, i]}" + ",3" * (i == 3)), RATED, "line 5 has 3 cells"),
        (rows(lambda i: "x,1" if i == 30 else f"{NOISE[0, i]},{NOISE[1, i]}"), RATED, "'x'.*'header'"),
        (timed(), {"sampling_rate": 20e6}, "'time' states 25000000 Hz.*20000000 Hz.*'sampling_rate'"),
        (timed(CLOCK[np.arange(60) + (np.arange(60) >= 30) * (np.arange(60) < 59)]), {}, "not uniform"),
        (timed(), {"axis": 1, "sampling_rate": 25e6}, "'time' holds the times.*axis = 0"),
        (timed().replace("a", "a (V)", 1), {"unit": "mV"}, "'V'.*'mV'"),
        (timed() + "\n" + timed(), {}, "then numbers again"),
        (timed().replace("time,a", "time,a (V)") + "1,2\n", {}, "not uniform"),
        ("hello\nworld\n", {}, "no.*table of numbers"),
        (b"\x00\x01" * 200, {}, "'encoding'"),
        ("a,b\n" + rows(lambda i: f"{NOISE[0, i]},{NOISE[1, i]}"), {"sampling_rate": 25e6}, "'axis = 0'"),
        (timed(1e6 * CLOCK), {"axis": 0}, "SI units.*'time_unit'"),
    ],
)
def test_what_may_be_read_in_two_ways_is_refused_with_the_key(tmp_path, text, stated, message):
    with pytest.raises(ValueError, match=rf"(?s)scan\.csv.*{message}"):
        read(tmp_path, text, **(stated or {"start_time": 0.0}))


def test_a_key_settles_what_detection_cannot(tmp_path):
    first = read(tmp_path, "0,1\n" + rows(lambda i: f"{NOISE[0, i]},{NOISE[1, i]}"), header=1, **RATED)
    np.testing.assert_allclose(first.signals, NOISE[:2], rtol=1e-6)
    one = read(tmp_path, rows(lambda i: comma(NOISE[0, i])), decimal=",", sampling_rate=25e6)
    np.testing.assert_allclose(one.signals, NOISE[:1], rtol=1e-6)
    assert read(tmp_path, timed(1e6 * CLOCK), time_unit="us").sampling_rate == 25e6
    utf16 = rows(lambda i: f"{NOISE[0, i]}").encode("utf-16-le")
    assert read(tmp_path, utf16, encoding="utf-16-le", sampling_rate=25e6).signals.shape == (1, 60)


def test_columns_of_times_and_numbers_are_no_traces(tmp_path):
    text = ",0,1\n" + rows(lambda i: f"{i},{NOISE[0, i]},{NOISE[1, i]}")
    recording = read(tmp_path, text, **RATED)
    assert recording.names == ("0", "1")
    assert "numbers of the samples" in recording.provenance.left_out[0]
    text = "t1,a,t2,b\n" + rows(lambda i: f"{CLOCK[i]:.9f},{NOISE[0, i]},{CLOCK[i]:.9f},{NOISE[1, i]}")
    assert read(tmp_path, text).names == ("a", "b")
    numbered = "i," + ",".join(f"s{i}" for i in range(60)) + "\n"
    numbered += "\n".join(f"{row}," + ",".join(map(str, NOISE[row])) for row in range(3))
    np.testing.assert_allclose(read(tmp_path, numbered, axis=1, sampling_rate=25e6).signals, NOISE, rtol=1e-6)


def test_a_row_of_infinity_signs_is_a_trace_that_left_the_range(tmp_path):
    text = "Time,A,B\n(us),(mV),(mV)\n\n" + rows(
        lambda i: f"{1e6 * CLOCK[i]:.4f},{NOISE[0, i]},{'∞' if i == 7 else '1.5'}"
    )
    recording = read(tmp_path, text)
    assert recording.names == ("A",)
    assert recording.rejected == (("B", "1 of 60 samples are NaN or infinite in float32"),)


def test_doubts_are_in_the_report(tmp_path):
    rectified = "time,a\n" + rows(lambda i: f"{CLOCK[i]:.9f},{abs(NOISE[0, i])}")
    recording = read(tmp_path, rectified, start_time=3e-6)
    text = report_recording(recording).to_text()
    assert "doubtful        all samples are of one sign" in text
    assert "start_time is the sidecar's 3e-06 s; column 'time' states 0 s" in text
    assert "left out        column 'time': the times of the samples" in text
    counts = read(tmp_path, "time,a\n" + rows(lambda i: f"{CLOCK[i]:.9f},{int(20 * NOISE[0, i]) + 128}"))
    assert counts.provenance.doubts == ()


@settings(max_examples=60, deadline=10_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_tables_of_any_form_read_back(tmp_path, data):
    """Any delimiter, decimal point, preamble, row of units, order of columns, end of lines and trailing delimiters."""
    delimiter = data.draw(st.sampled_from([",", ";", "\t", "|", "  "]))
    decimal = data.draw(st.sampled_from([".", ","] if delimiter != "," else ["."]))
    count, samples = data.draw(st.integers(1, 4)), data.draw(st.integers(20, 80))
    rate = data.draw(st.sampled_from([5e6, 25e6, 62.5e6, 1e8]))
    traces = np.random.default_rng(data.draw(st.integers(0, 99))).normal(size=(count, samples)).round(5) + 0.000001
    names = ["Time", *(f"CH{i + 1}" for i in range(count))]
    units = ["us", *["V"] * count]
    in_one = delimiter == "  " or data.draw(st.booleans())
    head = data.draw(st.sampled_from(["", "Model,X\nSerial: 7\n\n", "# made by a program\n"]))
    if in_one:
        head += delimiter.join(f"{name}_{unit}" for name, unit in zip(names, units, strict=True)) + "\n"
    else:
        head += delimiter.join(names) + "\n" + delimiter.join(f"({unit})" for unit in units) + "\n\n"
    end = data.draw(st.sampled_from(["", delimiter, 2 * delimiter]))
    lines = [
        delimiter.join(f"{value:.6f}".replace(".", decimal) for value in (-2 + i / rate * 1e6, *traces[:, i])) + end
        for i in range(samples)
    ]
    text = head + "\n".join(lines) + data.draw(st.sampled_from(["", "\n", "\n\n"]))
    recording = read(tmp_path, text.replace("\n", data.draw(st.sampled_from(["\n", "\r\n"]))))
    np.testing.assert_allclose(recording.signals, traces, atol=2e-6)
    assert recording.sampling_rate == rate
    assert recording.start_time == pytest.approx(-2e-6)
    assert recording.unit == "V"
