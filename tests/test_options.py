"""What all recipes share: files of options, and ends by Ctrl-C and SIGTERM."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from keras_usmae import options


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a recipe of the test's own: its exit code and what it printed."""

    def run(main, *arguments):
        monkeypatch.setattr(sys, "argv", ["recipes/mine.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            options.run(main)
        printed = capsys.readouterr()
        return exit_.value.code, printed.out + printed.err

    return run


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize("resume", [True, False])
def test_an_interrupted_recipe_ends_what_it_began_and_says_how_to_go_on(run, number, code, resume):
    ended = []

    def work():
        try:
            os.kill(os.getpid(), number)
            while True:
                pass  # the signal comes between two of these
        finally:
            ended.append(True)

    def with_resume(size: int = 1, resume: bool = False):
        work()

    def without(size: int = 1):
        work()

    before = signal.getsignal(signal.SIGTERM)
    found, printed = run(with_resume if resume else without, "--size", 3)
    assert (found, ended) == (code, [True])
    assert printed.count("\n") == 2, printed
    expected = "goes on with: python recipes/mine.py --size 3 --resume" if resume else "python recipes/mine.py --size 3"
    assert printed.rstrip().endswith(expected)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"mine": {"output": "/etc"}}', "options ['output'] that mine.py does not take from it"),
        ('{"mine": {"tfds_dir": "/etc"}}', "options ['tfds_dir']"),
        ('{"mine": {"raw_dir": "/etc"}}', "options ['raw_dir']"),
        ('{"mine": {"epochs": "many"}}', "best.json, mine.epochs: Input should be a valid integer"),
        ('{"mine": {"epochs": [1]}}', "best.json, mine.epochs"),
        ('{"mine": {"epochs": {"a": 1}}}', "best.json, mine.epochs"),
        ('{"mine": {"dtype": "float8"}}', "best.json, mine.dtype"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "must hold a JSON object, but holds a list"),
        ("{}", "has no entry 'mine'"),
        ('{"mine": {"epoch": 3}}', "Did you mean 'epochs'?"),
        ("\ud800".encode("utf-8", "surrogatepass"), "is not text"),
    ],
)
def test_a_file_of_options_is_told_with_file_and_key_and_chooses_no_paths(run, tmp_path, content, message):
    def mine(
        epochs: int = 1,
        dtype: Literal["float32", "mixed_bfloat16"] = "float32",
        output: options.Output = None,
        tfds_dir: options.TfdsDir = None,
        raw_dir: options.RawDir = None,
        config_file: options.Config = None,
    ):
        raise AssertionError("it began")

    file = tmp_path / "best.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    code, printed = run(mine, "--config", file)
    assert code == 1
    assert message in printed
    assert printed.count("\n") == 1, printed


def test_a_file_of_options_is_taken(run, tmp_path):
    def mine(epochs: int = 1, config_file: options.Config = None):
        print(f"epochs {epochs}")

    (tmp_path / "best.json").write_text(json.dumps({"mine": {"epochs": 3}}))
    assert run(mine, "--config", Path(tmp_path / "best.json")) == (0, "epochs 3\n")


def test_an_interrupted_command_says_its_own_name(monkeypatch, capsys):
    def main(resume: bool = False):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["recipes/mine.py"])
    monkeypatch.setattr(options, "_interrupted", [])  # it is not this process that ends
    with pytest.raises(SystemExit):
        options.run(main, "usmae mine")
    assert capsys.readouterr().err.rstrip().endswith("goes on with: usmae mine --resume")


def test_an_interrupted_process_ends_behind_the_hooks_of_others_and_ahead_of_the_teardown():
    code = """
import atexit, sys
from keras_usmae import options
atexit.register(print, "hook")

class Crash:
    def __del__(self):
        print("torn down")

crash = Crash()

def main():
    raise KeyboardInterrupt

sys.argv = ["recipes/mine.py"]
options.run(main)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 130, done.stderr
    assert done.stdout == "hook\n"


def test_a_file_of_options_of_an_earlier_version_is_taken(run, tmp_path):
    def mine(prediction_ratio: float = 0.5, config_file: options.Config = None):
        print(f"ratio {prediction_ratio}")

    (tmp_path / "best.json").write_text(json.dumps({"mine": {"decoded_share": 0.25}}))
    assert run(mine, "--config", tmp_path / "best.json") == (0, "ratio 0.25\n")
