"""What a user is told of files that cannot be read as they stand: what is wrong, where, and what to do."""

import struct

import numpy as np
import pytest

from keras_usmae.signals.readers import iterate_recordings, read_recordings, resample_recording

RATED = {"sampling_rate": 25e6}
NOISE = np.random.default_rng(0).normal(size=(3, 60)).round(3)
ROWS = "\n".join(",".join(map(str, row)) for row in NOISE.T)
BY_COLUMN = {**RATED, "axis": 0}


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        (" \n\n \n", RATED, "blank lines only"),
        (ROWS, {**RATED, "header": 900}, "has 60 lines, but the sidecar's 'header' is 900"),
        ("a,b,c\nx,y,z\n" + ROWS, {**RATED, "header": 1}, "line 2, the first behind the sidecar's 'header'"),
        (ROWS, {**BY_COLUMN, "signals": "amp*"}, r"no line of column names, but 'amp\*' is asked for"),
        ("a,b,c\n" + ROWS, {**BY_COLUMN, "signals": "amp*"}, r"no column 'amp\*'. Its columns are \['a', 'b', 'c'\]"),
        ("a,b,c\n" + ROWS, {**BY_COLUMN, "groups": {"key": "a"}}, "column 'a' cannot hold a label"),
        ("a,a,c\n" + ROWS, {**RATED, "axis": 1, "groups": {"key": "a"}}, "has 2 columns 'a'"),
    ],
)
def test_tables(tmp_path, text, settings, message):
    (tmp_path / "scan.csv").write_text(text)
    with pytest.raises(ValueError, match=rf"scan\.csv.*{message}"):
        read_recordings(tmp_path / "scan.csv", **settings)


def test_a_table_without_a_rate_gets_a_sidecar_proposed(tmp_path):
    (tmp_path / "scan.csv").write_text("a,b,c\n" + ROWS)
    with pytest.raises(FileNotFoundError, match=r"a table with ',' between its cells and '\.' as decimal point"):
        read_recordings(tmp_path / "scan.csv")


@pytest.mark.parametrize(
    ("arrays", "settings", "message"),
    [
        ({"a0": NOISE[0], "a1": NOISE[1, :50]}, {"signals": "a*"}, "50 samples in 'a1' and 60 in 'a0'"),
        ({"rf": NOISE}, {"axis": 5}, "has no axis 5"),
        ({"rf": NOISE}, {"axis": 1, "groups": {"key": "specimen"}}, "no array 'specimen'. It holds"),
        ({"rf": NOISE}, {"axis": 1, "time": "clock"}, "no array 'clock', which the sidecar names in 'time'"),
    ],
)
def test_arrays(tmp_path, arrays, settings, message):
    np.savez(tmp_path / "scan.npz", **arrays)
    with pytest.raises(ValueError, match=rf"scan\.npz.*{message}"):
        read_recordings(tmp_path / "scan.npz", **RATED, **settings)


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content


PCM = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 25_000_000, 50_000_000, 2, 16))
DATA = chunk(b"data", np.arange(64, dtype="<i2").tobytes())


@pytest.mark.parametrize(
    ("chunks", "settings", "message"),
    [
        (PCM, {}, "no chunk of data"),
        (DATA, {}, "no chunk of its format ahead of the data"),
        (chunk(b"fmt ", struct.pack("<HHIIHH", 6, 1, 8000, 8000, 1, 8)) + DATA, {}, "PCM of 8 to 32 bits"),
        (chunk(b"fmt ", struct.pack("<HHIIHH", 1, 3, 8000, 8000, 5, 16)) + DATA, {}, "do not make frames of 5 bytes"),
        (PCM + DATA, {"axis": 1}, "time runs along axis 0 in a .wav file, but the sidecar's 'axis' is 1"),
    ],
)
def test_wav_files(tmp_path, chunks, settings, message):
    (tmp_path / "scan.wav").write_bytes(chunk(b"RIFF", b"WAVE" + chunks))
    with pytest.raises(ValueError, match=rf"scan\.wav.*{message}"):
        read_recordings(tmp_path / "scan.wav", **settings)


@pytest.mark.parametrize(
    ("name", "text", "match", "message"),
    [
        ("log.csv", "depth\n1\n2\n3\n", None, r"log\.csv.*no one column 'tof'. Its columns are \['depth'\]"),
        ("log.csv", "tof;x\n1;1\n2;5;9\n3;1\n", None, r"log\.csv.*line 3 has 3 cells for 2 names"),
        ("log.csv", "tof\n1\nearly\n3\n", None, r"scan\.npy.*labels 'tof' are no numbers: .*early"),
        ("log.csv", "name,tof\nother.npy,1\n", "name", r"log\.csv.*no row whose 'name' is 'scan.npy'"),
        ("log.wav", "", None, r"log\.wav.*cannot hold labels. Use a table"),
    ],
)
def test_tables_of_labels(tmp_path, name, text, match, message):
    np.save(tmp_path / "scan.npy", NOISE)
    (tmp_path / name).write_text(text)
    matched = {} if match is None else {"match": match}
    (tmp_path / "scan.toml").write_text("sampling_rate = 25e6\naxis = 1")
    with pytest.raises(ValueError, match=message):
        read_recordings(tmp_path / "scan.npy", onset={"key": "tof", "unit": "us", "file": name, **matched})


def test_rows_behind_a_file_that_cannot_be_read_are_not_guessed(tmp_path):
    for name in ("a", "c"):
        np.save(tmp_path / f"{name}.npy", NOISE)
    (tmp_path / "b.npy").write_bytes(b"not an array")
    (tmp_path / "log.csv").write_text("tof\n" + "1\n" * 9)
    onset = 'onset = { key = "tof", unit = "us", file = "log.csv" }'
    (tmp_path / "sidecar.toml").write_text(f'sampling_rate = 25e6\naxis = 1\nfiles = "*.npy"\n{onset}\n')
    _, _, (path, error) = iterate_recordings(tmp_path)
    assert path.name == "c.npy"
    assert "a file before it could not be read" in str(error)
    assert "'match'" in str(error)


def test_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file or folder .*nowhere"):
        read_recordings(tmp_path / "nowhere")
    (tmp_path / "notes.md").write_text("nothing to read")
    with pytest.raises(FileNotFoundError, match="There is no file of "):
        read_recordings(tmp_path)
    np.save(tmp_path / "scan.npy", NOISE)
    (tmp_path / "sidecar.toml").write_text('sampling_rate = 25e6\naxis = 1\nfiles = "*.wav"')
    with pytest.raises(FileNotFoundError, match=r"matches '\*\.wav'"):
        read_recordings(tmp_path)


def test_a_rate_to_resample_to_is_positive(tmp_path):
    np.save(tmp_path / "scan.npy", NOISE)
    (recording,) = read_recordings(tmp_path / "scan.npy", **RATED, axis=1)
    with pytest.raises(ValueError, match=r"must be positive, in Hz, but is -1"):
        resample_recording(recording, -1)
