"""A wheel in an empty environment: the commands, a preset, a recording, a dataset, all without a checkout."""

import os
import subprocess
import venv

import numpy as np
import pytest

import keras_usmae as ku

pytestmark = pytest.mark.slow


class Place:
    """An environment with nothing but the wheel, and a folder to work in that is no checkout."""

    def __init__(self, folder, repository):
        self.repository, self.work = repository, folder / "work"
        self.bin = folder / "venv" / "bin"
        self.work.mkdir()
        venv.create(folder / "venv", with_pip=True)
        self.wheel = self._build(folder / "wheel")

    def _build(self, folder):
        self.run("pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, self.repository)
        (wheel,) = folder.glob("*.whl")
        return wheel

    def install(self, extras):
        constraints = self.repository / "constraints.txt"
        wheel = f"{self.wheel}[{extras}]" if extras else self.wheel
        self.run("pip", "install", "--quiet", "--constraint", constraints, wheel)

    def run(self, command, *arguments):
        """Runs a command of the environment: what it printed."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TFDS", "DATA_"))}
        environment = kept | {"KERAS_BACKEND": "jax", "TFDS_DATA_DIR": str(self.work / "tfds")}
        done = subprocess.run(
            [self.bin / command, *map(str, arguments)], cwd=self.work, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def bare(tmp_path_factory, repository):
    place = Place(tmp_path_factory.mktemp("empty"), repository)
    place.install("")
    return place


@pytest.fixture(scope="module")
def place(bare):
    bare.install("jax")
    return bare


def test_the_commands_are_listed(bare):
    assert bare.run("usmae", "--version").strip() == ku.__version__
    listing = bare.run("usmae", "--help")
    for command in ("predict", "pretrain", "finetune", "evaluate", "export", "tune", "quickstart"):
        assert f"\n  {command} " in listing
    assert "usmae predict [OPTIONS]" in bare.run("usmae", "predict", "--help")


def test_a_recording_is_picked_without_any_backend(bare):
    data = ku.synthesize(ku.SignalConfig.from_preset("quickstart"), num_signals=16, seed=5)
    np.save(bare.work / "scan.npy", data["signal"])
    bare.run("usmae", "predict", "scan.npy", "--sampling-rate", "100e6", "--axis", "1", "--output", "picks")
    written = {path.name for path in (bare.work / "picks").iterdir()}
    assert {"picks.csv", "picks.npz", "summary.json", "a_scans.png", "b_scan.png"} <= written
    with np.load(bare.work / "picks" / "picks.npz") as picks:
        assert len(set(picks["trace"].tolist())) == 16


def test_a_preset_is_loaded_without_any_extra(place):
    code = "import keras_usmae as ku; print(ku.MAEEncoder.from_preset('nano', weights='synthetic').hidden_dim)"
    assert place.run("python", "-c", code).strip() == "32"


def test_datasets_are_prepared_with_the_extra_that_is_asked_for(place):
    command = ("usmae", "prepare-data", "--dataset", "ultrasound_synthetic/quickstart")
    with pytest.raises(AssertionError, match=r"pip install 'keras-usmae\[data\]'"):
        place.run(*command)
    place.install("jax,data")
    place.run(*command)
    own = place.work / "own"
    own.mkdir()
    np.save(own / "scan.npy", np.random.default_rng(0).standard_normal((32, 4096)))
    (own / "scan.toml").write_text("sampling_rate = 100e6\naxis = 1\n")
    (own / "prepare.toml").write_text("windows_per_trace = 2\n")
    code = """
import keras_usmae as ku
synthetic = ku.load_builder("ultrasound_synthetic/quickstart")
assert synthetic.is_prepared()
assert ku.load_arrays(synthetic, "validation")["signal"].shape == (1200, 2048)
own = ku.prepare(ku.load_builder("ultrasound_measured/custom", raw_dir="own"))
assert set(own.info.splits) == {"test", "train", "validation"}
"""
    place.run("python", "-c", code)


def test_the_wheel_has_no_tests_and_shadows_no_other_package(place):
    code = "import importlib.metadata as m; print(*{f.parts[0] for f in m.files('keras-usmae')})"
    assert sorted(name for name in place.run("python", "-c", code).split() if "dist-info" not in name) == [
        "..",
        "keras_usmae",
    ]
