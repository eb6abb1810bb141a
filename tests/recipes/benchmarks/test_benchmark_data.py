import json
import os
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_the_benchmark_tells_each_bound_and_leaves_no_data(tmp_path, repository):
    command = [sys.executable, "recipes/benchmarks/benchmark_data.py", "--num-signals", "1024", "--repeats", "1"]
    result = subprocess.run(
        [*command, "--output", tmp_path / "report" / "data.json"],
        cwd=repository,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["data.json"]
    rows = json.loads((tmp_path / "report" / "data.json").read_text())["rows"]
    bounded = [row for row in rows if "target" in row]
    assert [row["target"] for row in bounded] == ["<= 3"] * 3 + ["< 954"] * 3 + [">= 20"] * 2
    # Speed depends on the machine and its other work, memory does not.
    assert all(row["met"] for row in bounded if row["unit"] == "MiB")
    assert all(row["wall"] > 0 for row in rows)
    assert all(row["what"] in result.stdout for row in rows)
