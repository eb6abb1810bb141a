"""`inspect_data.py` on folders in which not every file is sound."""

import os
import subprocess
import sys

import numpy as np

from tests.conftest import REPOSITORY


def inspect(folder):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "recipes/inspect_data.py", str(folder), "--output", str(folder / "reports")]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=REPOSITORY)


def test_sound_files_are_reported_and_others_named_with_what_helps(tmp_path):
    times = np.arange(400) * 4e-8
    trace = np.random.default_rng(0).normal(size=400)
    rows = "".join(f"{time:.9f},{value:.5f}\n" for time, value in zip(times, trace, strict=True))
    (tmp_path / "scope.csv").write_text("Time (s),CH1 (V)\n" + rows)
    np.savez(tmp_path / "scan.npz", rf=trace.reshape(4, 100), fs=25e6)
    result = inspect(tmp_path)
    assert result.returncode == 1
    assert "rate from       column 'Time (s)'" in result.stdout
    assert "unit from       column 'CH1 (V)'" in result.stdout
    assert (tmp_path / "reports" / "scope.csv.png").is_file()
    assert "sampling_rate = 25000000   # Hz, by 'fs'" in result.stderr
    assert "# axis = 1" in result.stderr
    (tmp_path / "scan.toml").write_text("axis = 1\n")
    assert inspect(tmp_path).returncode == 0
