"""Kinds of tables beside those of `scope_exports`: settings, rows and blocks once read wrongly, or refused."""

import numpy as np
import pytest

from keras_usmae.signals.readers import read_recordings
from keras_usmae.signals.readers.table_rows import series_of

RATE, START = 50e6, -1e-6
TIMES = START + np.arange(200) / RATE
TRACES = np.random.default_rng(0).normal(size=(20, 200)).round(4)


def lines(*columns, delimiter=",", form="%.9g", front="", end=""):
    rows = zip(*columns, strict=True)
    return "".join(front + delimiter.join(form % value for value in row) + end + "\n" for row in rows)


def read(tmp_path, text, suffix=".csv", **stated):
    path = tmp_path / f"scan{suffix}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (recording,) = read_recordings(path, **stated)
    return recording


INFINIIUM = (
    "Revision,0\nType,normal\nStart,0\nPoints,200\nXInc,+2.0E-08\nXOrg,-1.0E-06\nXUnits,Second\nYUnits,Volt\n"
    "Date,12 SEP 2025\nTime,12:31:55:10\nMin Bandwidth,0.0\nData,\n"
)
YOKOGAWA = (
    '"TraceName","CH1","CH2"\n"BlockSize",200,200\n"VUnit","V","V"\n"SampleRate",5.0E+07,5.0E+07\n"HOffset",-1.0E-06,-1.0E-06\n'
    '"HUnit","s","s"\n"Date","2025/09/22","2025/09/22"\n"Time","14:22:11.10","14:22:11.10"\n\n'
)
LABVIEW = (
    "LabVIEW Measurement\t\nWriter_Version\t2\nSeparator\tTab\nX_Columns\tNo\nTime\t14:22:11.1234567890123456789\n"
    "***End_of_Header***\t\n\t\nChannels\t2\nSamples\t200\t200\nY_Unit_Label\tVolts\tVolts\nX_Dimension\tTime\tTime\n"
    "X0\t-1.0E-6\t{other}\nDelta_X\t2.0E-8\t2.0E-8\n***End_of_Header***\t\nX_Value\tVoltage\tVoltage 1\tComment\n"
)
READ = {
    # `Start` numbers a sample here, and `XOrg` is the time of the first.
    "infiniium": (INFINIIUM + lines(TRACES[0]), ".csv", 1),
    "infiniium_xy": (INFINIIUM + lines(TIMES, TRACES[0]), ".csv", 1),
    # The last line ahead of the numbers is a time of day, and each row begins with an empty cell.
    "yokogawa": (YOKOGAWA + lines(*TRACES[:2], front=","), ".csv", 2),
    "labview": (LABVIEW.format(other="-1.0E-6") + lines(*TRACES[:2], delimiter="\t", front="\t"), ".lvm", 2),
    "labview_comma": (
        LABVIEW.format(other="-1.0E-6").replace(".0E", ",0E")
        + lines(*TRACES[:2], delimiter="\t", front="\t").replace(".", ","),
        ".lvm",
        2,
    ),
    # A number sign is the name of a column.
    "owon": ("Unit:(V)\n,\n#,Time(us),CH1(V)\n" + lines(np.arange(1, 201), TIMES * 1e6, TRACES[0]), ".csv", 1),
    # Names hold blanks, between gaps of two and more.
    "comsol": (
        "% Table:  1\n% Time (us)    Pressure (Pa), Point\n" + lines(TIMES * 1e6, TRACES[0], delimiter="    "),
        ".txt",
        1,
    ),
    "quoted_comma": (
        '"Zeit (µs)","A (V)"\n'
        + "".join(f'"{t * 1e6:.4f}","{v:.4f}"\n'.replace(".", ",") for t, v in zip(TIMES, TRACES[0], strict=True)),
        ".csv",
        1,
    ),
    "blanks_equal": (f"fs = 50e6\nt0 = {START}\n" + lines(np.arange(200), TRACES[0], delimiter=" "), ".txt", 1),
    "excel_sep": ("sep=;\nTime [us];A [V]\n" + lines(TIMES * 1e6, TRACES[0], delimiter=";"), ".csv", 1),
}


@pytest.mark.parametrize("name", READ)
def test_settings_of_any_kind_tell_rate_and_start(tmp_path, name):
    text, suffix, count = READ[name]
    recording = read(tmp_path, text, suffix)
    np.testing.assert_allclose(recording.signals, TRACES[:count], rtol=1e-5, atol=1e-7)
    assert (recording.sampling_rate, recording.start_time) == (RATE, START)


NAMED = [f"s{i}" for i in range(200)]
NUMBERED = [str(i) for i in range(200)]
CLOCKED = [f"{time:.8e}" for time in TIMES]


@pytest.mark.parametrize(
    ("names", "beside", "rate"),
    [
        (["x_mm", "y_mm", *NAMED], [np.arange(20) / 2, np.arange(20) // 5], None),
        (["Tx", "Rx", *NUMBERED], [np.arange(20) // 4, np.arange(20) % 4], None),
        (["", *NUMBERED], [np.arange(20)], None),
        (["", *CLOCKED], [np.arange(20)], RATE),
        (["Scan (mm)", "Index (mm)", *CLOCKED], [np.arange(20) * 0.3, np.zeros(20)], RATE),
    ],
)
def test_positions_beside_rows_are_no_samples(tmp_path, names, beside, rate):
    table = np.column_stack([*beside, TRACES])
    recording = read(tmp_path, ",".join(names) + "\n" + lines(*table.T), axis=1, sampling_rate=rate or RATE)
    np.testing.assert_allclose(recording.signals, TRACES, rtol=1e-6)
    assert len(recording.provenance.left_out) == len(beside)
    assert recording.start_time == (START if rate else 0.0)
    if rate:
        assert read(tmp_path, ",".join(names) + "\n" + lines(*table.T), axis=1).sampling_rate == rate


def test_a_series_of_names():
    assert series_of(["x", "s1", "s2", "t1", "s3"]) == [1, 2, 4]
    assert series_of(["x", "0.0", "1e-8", "label"]) == [1, 2]
    assert series_of(["x", "y"]) == []


def test_a_column_that_rises_beside_rows_without_names_is_doubtful(tmp_path):
    places = np.cumsum(np.random.default_rng(1).uniform(1, 2, 20))
    recording = read(tmp_path, lines(places, *TRACES.T), axis=1, sampling_rate=RATE)
    assert "rises from row to row" in recording.provenance.doubts[0]
    assert read(tmp_path, lines(*TRACES.T), axis=1, sampling_rate=RATE).provenance.doubts == ()


TWO_CLOCKS = "Time (s),A (V),Time (s),B (V)\n" + lines(TIMES, TRACES[0], TIMES + 4e-6, TRACES[1])
BLOCKS = "\n\n".join(lines(trace) for trace in TRACES[:3])


@pytest.mark.parametrize(
    ("text", "stated", "message"),
    [
        (TWO_CLOCKS, {}, "hold other times.*'signals'.*'time'"),
        (
            LABVIEW.format(other="4.0E-6") + lines(*TRACES[:2], delimiter="\t", front="\t"),
            {},
            "channels differ in 'start time'",
        ),
        # Of two channels one below the other, the first was left out.
        ("#CLOCK=20ns\n" + lines(TRACES[0]) + "#CHANNEL:CH2\n#CLOCK=20ns\n" + lines(TRACES[1]), {}, "numbers again"),
        (BLOCKS, {"sampling_rate": RATE}, "3 blocks, the first of 200 rows.*stacked = true and samples = 200"),
        ("200\n" + lines(TRACES[0]), {"sampling_rate": RATE}, "begins with 200, which may count.*'header'.*such as 1"),
        ("200\n50\n" + lines(TRACES[0]), {"sampling_rate": RATE}, "'header'.*such as 2"),
        ("50000000\n" + lines(TRACES[0]), {"sampling_rate": RATE}, "a thousand times larger.*'header'"),
        ("Depth (mm),A\n" + lines(np.arange(200) * 0.059, TRACES[0]), {}, "'sampling_rate'"),
        ("x,A\n" + lines(np.arange(200) * 0.059, TRACES[0]), {"sampling_rate": RATE}, "holds no times.*'signals'"),
        (b"\x01\x02\xff\x81\x00" * 99, {}, "numpy.fromfile"),
        (b"\x01\x02\xff\x81" * 99, {}, "numpy.fromfile"),
    ],
)
def test_what_would_be_read_wrongly_is_refused_with_the_way_out(tmp_path, text, stated, message):
    with pytest.raises(ValueError, match=rf"(?s)scan\.csv.*{message}"):
        read(tmp_path, text, **(stated or {"description": "none"}))


def test_keys_settle_it(tmp_path):
    stacked = read(tmp_path, BLOCKS, stacked=True, samples=200, sampling_rate=RATE)
    np.testing.assert_allclose(stacked.signals, TRACES[:3], rtol=1e-5)
    counted = read(tmp_path, "200\n" + lines(TRACES[0]), header=1, sampling_rate=RATE)
    np.testing.assert_allclose(counted.signals, TRACES[:1], rtol=1e-5)
    depth = read(tmp_path, "Depth (mm),A\n" + lines(np.arange(200) * 0.059, TRACES[0]), sampling_rate=RATE)
    np.testing.assert_allclose(depth.signals, TRACES[:1], rtol=1e-5)
    channel = read(tmp_path, TWO_CLOCKS.replace("Time (s),B", "Clock (s),B"), signals="B (V)", time="Clock (s)")
    assert (channel.sampling_rate, channel.start_time) == (RATE, 3e-6)


def test_a_rate_that_shows_the_unit_of_times_shows_that_of_the_first(tmp_path):
    recording = read(tmp_path, "time,A\n" + lines((TIMES + 4e-6) * 1e6, TRACES[0]), sampling_rate=RATE)
    assert recording.start_time == 3e-6
    recording = read(tmp_path, "Sample rate: 50 MHz\ntime,A\n" + lines((TIMES + 4e-6) * 1e6, TRACES[0]))
    assert (recording.sampling_rate, recording.start_time) == (RATE, 3e-6)


def test_a_blank_line_behind_each_row_parts_nothing(tmp_path):
    text = lines(TIMES, TRACES[0]).replace("\n", "\r\r\n")
    assert read(tmp_path, text).signals.shape == (1, 200)


def test_a_delay_is_told_and_not_taken(tmp_path):
    recording = read(tmp_path, "Sampling rate [MHz]: 50\nDelay [us]: 5.0\n" + lines(TRACES[0]))
    assert recording.start_time == 0.0
    assert (
        "'Delay [us]' states 5e-06: if that is when the record begins, write 'start_time'"
        in recording.provenance.doubts[0]
    )


def test_settings_in_a_file_of_their_own(tmp_path):
    (tmp_path / "scan.csv").write_text("Resolution:2e-08:\nRecordLength:200:\nXStart:-1e-06:\nVerticalUnit:V:\n")
    (tmp_path / "scan.Wfm.csv").write_text(lines(TRACES[0]))
    (recording,) = read_recordings(tmp_path)
    np.testing.assert_allclose(recording.signals, TRACES[:1], rtol=1e-5)
    assert (recording.sampling_rate, recording.start_time, recording.unit) == (RATE, START, "V")
    assert "setting 'XStart' of 'scan.csv'" in recording.provenance.origins["start_time"]
