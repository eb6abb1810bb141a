"""Runs where Apache Beam is installed, which wants an environment of its own: `make test-beam`."""

import dataclasses
import functools
import importlib
import os

import pytest

from keras_usmae.data import load_builder, prepare
from keras_usmae.data.shards import write_shards

pytestmark = pytest.mark.beam
WORKERS = ["--runner=DirectRunner", "--direct_num_workers=3", "--direct_running_mode=multi_processing"]


def small_set(folder):
    cls = type(load_builder("ultrasound_synthetic", data_dir="unused"))
    config = dataclasses.replace(
        cls.builder_configs["paper"], name="small", num_train=2 * 8192 + 300, num_validation=300
    )
    return cls(config=config, data_dir=folder, file_format="array_record")


def contents(builder):
    return {path.name: path.read_bytes() for path in builder.data_path.iterdir()}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Files of a set that is written without Beam."""
    return contents(prepare(small_set(tmp_path_factory.mktemp("alone"))))


@pytest.mark.parametrize("options", [WORKERS, ["--runner=DirectRunner"]], ids=["three_processes", "one_process"])
def test_files_are_the_same_whoever_writes_them(tmp_path, alone, options):
    made = contents(prepare(small_set(tmp_path), options))
    assert sorted(made) == sorted(alone)
    assert sum("train" in name for name in made) == 3
    for name, content in alone.items():
        assert made[name] == content, name


def test_several_processes_share_the_work(tmp_path, monkeypatch):
    from apache_beam.options.pipeline_options import PipelineOptions

    # A module, since the workers import what they are to run.
    told = tmp_path / "told"
    told.mkdir()
    (tmp_path / "telling.py").write_text(
        "import os, pathlib\n"
        "def draw_and_tell(draw, num_signals, start):\n"
        f"    pathlib.Path({str(told)!r}, f'{{start}}_{{os.getpid()}}').touch()\n"
        "    return draw(num_signals=num_signals, start=start)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    draw_and_tell = importlib.import_module("telling").draw_and_tell

    builder = small_set(tmp_path / "unused")
    shards = [
        dataclasses.replace(
            shard,
            path=str(tmp_path / str(index)),
            num_signals=10,
            synthesize=functools.partial(draw_and_tell, shard.synthesize),
        )
        for index, shard in enumerate(builder._shards("train", builder.builder_config.signals, 0, 30 * 8192))
    ]
    write_shards(shards, options=PipelineOptions(WORKERS))
    starts, processes = zip(*(path.name.split("_") for path in told.iterdir()), strict=True)
    assert sorted(map(int, starts)) == [8192 * index for index in range(30)]
    assert len(set(processes)) == 3
    assert str(os.getpid()) not in processes


def test_measured_datasets_are_not_made_by_beam(tmp_path):
    with pytest.raises(ValueError, match="made from its originals in one process, not by Apache Beam"):
        prepare(load_builder("ultrasound_measured", data_dir=tmp_path), WORKERS)
