"""`predict.py` as an engineer runs it, with a stand-in for the network."""

import csv
import json

import numpy as np
import pytest

from keras_usmae.picker import pictures, report
from tests.picker.stand_in import StandIn, a_scans

RATE = 50e6


@pytest.fixture
def run(recipe_here, tmp_path, monkeypatch):
    """Runs predict.py in an empty folder: its exit code, what it printed, and the folder of its results."""
    monkeypatch.setattr(report, "load_picker", lambda config: StandIn())
    monkeypatch.chdir(tmp_path)

    def run(source, *arguments, output="out", draw=False):
        if not draw:  # to paint takes most of the time
            monkeypatch.setattr(pictures, "save_figure", lambda figure, path: path.write_bytes(b""))
        code, printed = recipe_here("predict", source, *arguments, "--output", output)
        return code, printed, tmp_path / output

    return run


@pytest.fixture
def scan(tmp_path):
    """30 traces with echoes at 6 and 14 µs, that move on by 10 ns a trace; the fourth is dead."""
    signals = a_scans(30)
    signals[3] = 0
    np.save(tmp_path / "scan.npy", signals)
    return tmp_path / "scan.npy"


def options(*more):
    return ("--sampling-rate", "50MHz", "--axis", 1, *more)


def rows_of(folder):
    with (folder / "picks.csv").open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def partial_folders(folder):
    return [path.name for path in folder.glob("partial.*")]


def test_a_file_gives_a_table_a_summary_and_pictures(run, scan):
    code, printed, folder = run(scan, *options(), draw=True)
    assert code == 0, printed
    assert {path.name for path in folder.iterdir()} == {
        *("config.json", "picks.csv", "picks.npz", "summary.json"),
        *("a_scans.png", "b_scan.png", "profile.png", "histogram.png"),
    }
    rows = rows_of(folder)
    assert len(rows) == 30
    assert float(rows[10]["tof_us"]) == pytest.approx(6.25, abs=0.1)
    assert float(rows[10]["tof_low_us"]) < float(rows[10]["tof_us"]) < float(rows[10]["tof_high_us"])
    for part in (
        "30, 1,000 samples at 50 MHz, 0.00 to 19.98 µs",
        "29 of 30",
        "1 trace: all samples are 0",
        "ToF median",
    ):
        assert part in printed
    assert json.loads((folder / "summary.json").read_text())["gates"][0]["picked"] == 29


def test_a_dead_trace_keeps_its_row_with_the_reason(run, scan):
    _, _, folder = run(scan, *options("--gate", "front=3us:10us", "--gate", "back=10us:18us"))
    rows = [row for row in rows_of(folder) if row["trace"] == "3"]
    assert [row["gate"] for row in rows] == ["front", "back"]
    assert all(row["flag"] == "all samples are 0" and row["tof_us"] == "" for row in rows)


def test_two_gates_give_a_thickness(run, scan):
    gates = ("--gate", "front=3us:10us", "--gate", "back=10us:18us")
    code, printed, folder = run(scan, *options(*gates, "--thickness", "--speed-of-sound", 6000))
    assert code == 0, printed
    back = [row for row in rows_of(folder) if row["gate"] == "back" and row["echo"] == "1"]
    assert len(back) == 29
    assert all(float(row["thickness_mm"]) == pytest.approx(24.0, abs=0.05) for row in back)
    assert "thickness" in printed


def test_one_trace_is_told_by_its_a_scan_alone(run, tmp_path):
    np.save(tmp_path / "one.npy", a_scans(1, onsets=(300,), amplitudes=(1.0,)))
    code, printed, folder = run(tmp_path / "one.npy", *options(), draw=True)
    assert code == 0, printed
    assert {path.name for path in folder.glob("*.png")} == {"a_scans.png"}
    (line,) = [line for line in printed.splitlines() if "ToF" in line]
    assert "5 %" not in line


def test_two_echoes_give_a_thickness(run, scan):
    _, printed, folder = run(scan, *options("--thickness", "--speed-of-sound", 6000))
    assert "ToF of the first echo median 6." in printed
    assert "ToF of the second echo median 14." in printed
    rows = [row for row in rows_of(folder) if row["trace"] == "0"]
    assert [row["echo"] for row in rows] == ["1", "2"]
    assert rows[0]["thickness_mm"] == ""
    assert float(rows[1]["thickness_mm"]) == pytest.approx(24.0, abs=0.3)


def test_a_single_echo_has_no_thickness_and_says_so(run, tmp_path):
    np.save(tmp_path / "scan.npy", a_scans(3, onsets=(300,), amplitudes=(1.0,)))
    _, printed, folder = run(tmp_path / "scan.npy", *options("--thickness", "--speed-of-sound", 6000))
    assert [row["flag"] for row in rows_of(folder)] == ["", "no second echo"] * 3
    assert "3 traces: no second echo" in printed


def test_a_speed_of_sound_alone_gives_a_depth(run, scan):
    _, printed, folder = run(scan, *options("--speed-of-sound", 1480))
    row = rows_of(folder)[0]
    assert float(row["depth_mm"]) == pytest.approx(float(row["tof_us"]) * 0.74, abs=0.001)
    assert "depth median" in printed


def test_a_scan_gives_positions_and_a_map(run, scan):
    code, printed, folder = run(scan, *options("--scan", "5x6", "--step", "0.5"))
    assert code == 0, printed
    assert (folder / "c_scan.png").is_file()
    row = rows_of(folder)[7]
    assert (float(row["x_mm"]), float(row["y_mm"])) == (0.5, 0.5)


def test_a_line_has_positions_where_its_step_is_known(run, scan):
    _, _, folder = run(scan, *options("--step", "0.5"))
    assert float(rows_of(folder)[7]["x_mm"]) == 3.5


def test_the_shape_of_an_array_is_its_scan(run, tmp_path):
    np.save(tmp_path / "cube.npy", a_scans(30).reshape(5, 6, 1000))
    _, printed, folder = run(tmp_path / "cube.npy", "--sampling-rate", "50e6", "--axis", 2)
    assert (folder / "c_scan.png").is_file()
    assert "5 along x by 6 along y" in printed


def test_a_scan_the_wrong_way_round_is_noted(run, tmp_path):
    # Traces of a line are alike, and each of the 12 lines is 0.5 µs later.
    signals = np.repeat(a_scans(12, shift=25, onsets=(300,), amplitudes=(1.0,)), 5, axis=0)
    np.save(tmp_path / "scan.npy", signals)
    _, printed, _ = run(tmp_path / "scan.npy", *options("--scan", "5x12"))
    assert "far smoother as --scan 12x5" in printed


def test_all_echoes_are_listed(run, scan):
    _, _, folder = run(scan, *options("--echo", "all"))
    assert [row["echo"] for row in rows_of(folder)][:4] == ["1", "2", "1", "2"]


def test_the_start_time_moves_all_times(run, scan):
    _, _, folder = run(scan, *options("--start-time", "80us", "--gate", "83us:90us"))
    assert float(rows_of(folder)[0]["tof_us"]) == pytest.approx(86.2, abs=0.2)


def test_labels_are_scored_with_and_without_their_bias(run, tmp_path):
    onset = 300 + 0.5 * np.arange(30)
    np.savez(tmp_path / "scan.npz", signal=a_scans(30), tof=onset / RATE + 1e-6)
    (tmp_path / "scan.toml").write_text(
        'sampling_rate = 50e6\nsignals = "signal"\naxis = 1\nonset = { key = "tof", unit = "s" }'
    )
    code, printed, folder = run(tmp_path / "scan.npz")
    assert code == 0, printed
    scores = json.loads((folder / "summary.json").read_text())["scores"]
    assert scores["bias_us"] == pytest.approx(-0.85, abs=0.15)
    assert scores["as_measured"]["median_us"] == pytest.approx(0.85, abs=0.15)
    assert scores["without_bias"]["within_one_bin"] == 1.0
    assert "less the bias of" in printed
    assert "set a --gate around that" in printed  # 0.85 µs are 42 samples
    assert scores["in_interval"] == 0
    assert {"label_us", "nearest_us"} <= rows_of(folder)[0].keys()


def test_a_folder_is_picked_whole_though_one_of_its_files_is_broken(run, tmp_path):
    folder = tmp_path / "shots"
    folder.mkdir()
    for i, trace in enumerate(a_scans(40)):
        np.save(folder / f"shot_{i:03}.npy", trace)
    (folder / "shot_017.npy").write_bytes(b"not an array")
    code, printed, out = run(folder, "--sampling-rate", "50e6")
    assert code == 0, printed
    assert "not read" in printed
    assert "shot_017.npy: 'shots" not in printed
    assert "shot_017.npy" in printed
    rows = rows_of(out)
    assert len(rows) == 39
    assert "shot_017.npy" not in {row["file"] for row in rows}
    (failed,) = json.loads((out / "summary.json").read_text())["failed"]
    assert failed["file"] == "shot_017.npy"


def test_a_broken_file_keeps_its_place_in_a_scan(run, tmp_path):
    folder = tmp_path / "shots"
    folder.mkdir()
    for i, trace in enumerate(a_scans(6)):
        np.save(folder / f"shot_{i}.npy", trace)
    (folder / "shot_2.npy").write_bytes(b"not an array")
    code, printed, out = run(folder, "--sampling-rate", "50e6", "--scan", "2x3")
    assert code == 0, printed
    assert [(row["x"], row["y"]) for row in rows_of(out)] == [
        ("0", "0"),
        ("0", "1"),
        ("1", "0"),
        ("1", "1"),
        ("1", "2"),
    ]


def test_files_of_other_lengths_and_rates_are_picked_too(run, tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    for i, (length, rate) in enumerate([(1000, 50e6), (1500, 50e6), (1000, 25e6)]):
        np.save(folder / f"scan_{i}.npy", a_scans(3, num_samples=length))
        (folder / f"scan_{i}.toml").write_text(f"sampling_rate = {rate}\naxis = 1")
    code, printed, out = run(folder)
    assert code == 0, printed
    tof = [float(row["tof_us"]) for row in rows_of(out)]
    assert np.median(tof[:6]) == pytest.approx(6.2, abs=0.2)
    assert np.median(tof[6:]) == pytest.approx(12.4, abs=0.4)
    assert len(json.loads((out / "summary.json").read_text())["scales"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "does not say its sampling rate"),
        (("--axis", 1), "--sampling-rate 100e6"),
        (("--sampling-rate", "50", "--axis", 1), "write 50 MHz as 50e6"),
        (options("--gate", "30us:40us"), "30us:40us lies outside of the record"),
        (options("--gate", "10us:40us"), "Leave its end open, --gate 10us:"),
        (options("--gate", "10:40"), "it has no unit"),
        (options("--echo", "last"), "The echo 'last' is unknown"),
        (options("--scan", "4x7"), "Possible are 5x6"),
        (options("--thickness"), "--speed-of-sound"),
        (options("--thickness", "--speed-of-sound", 5920, "--echo", "all"), "--echo first, strongest or a number"),
        (options("--scale", "100"), "scale='100'"),
    ],
)
def test_bad_options_are_told_before_any_work(run, scan, monkeypatch, arguments, message):
    monkeypatch.setattr(report, "load_picker", lambda config: pytest.fail("work began"))
    code, printed, folder = run(scan, *arguments)
    assert code == 1
    assert message in printed
    assert "Traceback" not in printed
    assert not folder.exists()


def test_a_rate_that_contradicts_the_file_is_refused(run, tmp_path):
    np.savez(tmp_path / "scan.npz", signal=a_scans(3), fs=50e6)
    code, printed, _ = run(tmp_path / "scan.npz", "--signals", "signal", "--axis", 1, "--sampling-rate", "25e6")
    assert code == 1
    assert "50000000 Hz" in printed
    assert "25000000 Hz" in printed


def test_a_folder_with_nothing_readable_is_refused(run, tmp_path):
    (tmp_path / "empty").mkdir()
    code, printed, _ = run(tmp_path / "empty")
    assert code == 1
    assert "There is no file of" in printed
    (tmp_path / "empty" / "scan.npy").write_bytes(b"not an array")
    (tmp_path / "empty" / "scan_2.npy").write_bytes(b"not an array")
    code, printed, _ = run(tmp_path / "empty", "--sampling-rate", "50e6")
    assert code == 1
    assert "None of the 2 files" in printed


def test_results_are_never_overwritten(run, scan, tmp_path, recipe_here):
    (tmp_path / "out").mkdir()
    code, printed, _ = run(scan, *options())
    assert code == 1
    assert "choose another --output" in printed
    for name in ("predict_scan", "predict_scan_2"):
        code, printed = recipe_here("predict", scan, *options())
        assert code == 0, printed
        assert (tmp_path / "runs" / name / "picks.csv").is_file()


def test_an_output_that_cannot_be_written_is_told_before_any_work(run, scan, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "load_picker", lambda config: pytest.fail("work began"))
    (tmp_path / "file").write_text("")
    code, printed, _ = run(scan, *options(), output="file/out")
    assert code == 1
    assert "choose another --output" in printed


def test_nothing_is_left_of_a_run_that_fails(run, scan, tmp_path, monkeypatch):
    def fail(*arguments, **settings):
        raise ValueError("no disk")

    monkeypatch.setattr(report.PickTable, "save_npz", fail)
    code, printed, folder = run(scan, *options())
    assert code == 1
    assert "no disk" in printed
    assert not folder.exists()
    assert not partial_folders(tmp_path)


def test_weights_without_a_trained_head_refuse_to_pick(recipe_here, scan, tmp_path):
    run = tmp_path / "encoder_only"
    run.mkdir()
    code, printed = recipe_here("predict", scan, *options("--run", run, "--output", tmp_path / "out"))
    assert code == 1
    assert "detector.keras" in printed
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_traces(tmp_path, monkeypatch):
    """100,000 traces of a folder: peak of what Python allocates beyond that of 10,000."""
    import tracemalloc

    from keras_usmae.picker.settings import PredictConfig

    monkeypatch.setattr(report, "load_picker", lambda config: StandIn())
    peaks = []
    for files in (10, 100):
        folder = tmp_path / f"files_{files}"
        folder.mkdir()
        for i in range(files):
            np.save(
                folder / f"scan_{i:03}.npy", a_scans(1000, num_samples=256, onsets=(60,), amplitudes=(1.0,), shift=0.1)
            )
        tracemalloc.start()
        summary = report.predict(PredictConfig(str(folder), sampling_rate=RATE, axis=1), tmp_path / f"out_{files}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert summary["traces"] == 1000 * files
    # What the pictures read of the table: some numbers a trace.
    assert peaks[1] - peaks[0] < 100e6
