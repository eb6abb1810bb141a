"""One chief and two workers on loopback, one of which is killed in the middle of a trial."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("search_here.py")


def wait_for(condition, seconds=240):
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


@pytest.mark.slow
def test_a_killed_workers_trial_is_run_by_the_other_and_no_result_is_lost(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def start(name):
        environment = {
            **os.environ,
            "KERASTUNER_TUNER_ID": name,
            "KERASTUNER_ORACLE_IP": "127.0.0.1",
            "KERASTUNER_ORACLE_PORT": str(port),
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-u", str(SCRIPT), str(tmp_path / "search"), "6"]
        with (tmp_path / f"{name}.log").open("w") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def state():
        try:
            return json.loads((tmp_path / "search" / "trials" / "oracle.json").read_text())
        except (OSError, ValueError):  # not yet, or half written
            return {"ongoing_trials": {}, "end_order": []}

    processes = {name: start(name) for name in ("chief", "worker-1", "worker-2")}
    try:
        # In the middle: there is a result already, and worker-2 is at another trial.
        lost = wait_for(lambda: state()["end_order"] and state()["ongoing_trials"].get("worker-2"))
        processes["worker-2"].send_signal(signal.SIGKILL)
        done_before = state()["end_order"]
        assert processes["chief"].wait(300) == 0
        assert processes["worker-1"].wait(60) == 0
    finally:
        for process in processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()
    told = (tmp_path / "chief.log").read_text()
    assert "Worker worker-2 has been silent" in told
    assert f"trial {lost} goes to another worker" in told
    trials = [json.loads(path.read_text()) for path in sorted((tmp_path / "search" / "trials").glob("trial_*/*.json"))]
    assert [trial["status"] for trial in trials] == ["COMPLETED"] * 6
    ended = state()["end_order"]
    assert sorted(ended) == [str(number) for number in range(6)]
    assert ended[: len(done_before)] == done_before
    assert ended.index(lost) >= len(done_before)
    assert all(0 < trial["score"] <= 256 for trial in trials)
