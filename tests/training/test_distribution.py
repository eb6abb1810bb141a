"""Training on several devices, in processes of their own, against training on one."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from keras_usmae.training import Devices, EpochBatches, read_history, shuffled, use_devices, with_mask_noise
from keras_usmae.training.distribution import _TensorFlowDevices

BACKEND = os.environ["KERAS_BACKEND"]
SCRIPT = Path(__file__).with_name("train_on_devices.py")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def environments(backend, num_processes):
    """What each process that is started here finds in its environment; torchrun tells its own processes."""
    common = {**os.environ, "KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"}
    if backend != "jax" or num_processes == 1:
        return [common]
    address = {
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{free_port()}",
        "KERAS_DISTRIBUTION_NUM_PROCESSES": str(num_processes),
    }
    return [{**common, **address, "KERAS_DISTRIBUTION_PROCESS_ID": str(index)} for index in range(num_processes)]


def start(backend, num_devices, folder, *arguments, num_processes=1):
    """Starts all processes of a training and waits: exit codes and what each printed."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, str(SCRIPT), str(num_devices), str(folder), *map(str, arguments)]
    if backend == "torch" and num_processes > 1:
        port = str(free_port())
        command[1:1] = ["-m", "torch.distributed.run", "--nproc-per-node", str(num_processes), "--master-port", port]
    with tempfile.TemporaryFile("w+") as printed:
        started = [
            subprocess.Popen(command, env=environment, stdout=printed, stderr=subprocess.STDOUT)
            for environment in environments(backend, num_processes)
        ]
        try:
            codes = [process.wait(timeout=600) for process in started]
        finally:
            for process in started:
                process.kill()
        printed.seek(0)
        return codes, printed.read()


def losses(folder):
    return [(row["loss"], row["val_loss"]) for row in read_history(folder / "metrics.csv")]


def rows_of(printed):
    lines = [json.loads(line[line.index("{") :]) for line in printed.splitlines() if '{"process"' in line]
    return {line["process"]: np.array(line["rows"]) for line in lines}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "num_devices", "num_processes"),
    [("jax", 4, 1), ("jax", 2, 2), ("tensorflow", 2, 1), ("torch", 2, 2)],
)
def test_twenty_steps_give_the_loss_of_one_device(tmp_path, backend, num_devices, num_processes):
    codes, printed = start(backend, 1, tmp_path / "one")
    assert codes == [0], printed
    whole = rows_of(printed)[0]
    codes, printed = start(backend, num_devices, tmp_path / "many", num_processes=num_processes)
    assert set(codes) == {0}, printed
    np.testing.assert_allclose(losses(tmp_path / "many"), losses(tmp_path / "one"), atol=1e-4)
    assert losses(tmp_path / "one")[0][0] - losses(tmp_path / "one")[-1][0] > 0.1, "it learns"
    parts = rows_of(printed)
    np.testing.assert_array_equal(np.concatenate([parts[i] for i in range(num_processes)]), whole)
    predictions = [np.fromfile(tmp_path / name / "reconstruction.npy", "float32") for name in ("one", "many")]
    np.testing.assert_allclose(*predictions, atol=1e-3)
    # The first process alone wrote.
    names = {"metrics.csv", "tensorboard", "best.weights.h5", "last.weights.h5", "reconstruction.npy"}
    assert {path.name for path in (tmp_path / "many").iterdir()} == names
    assert len(list((tmp_path / "many" / "tensorboard").iterdir())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_killed_worker_is_told_and_the_run_goes_on(tmp_path, backend):
    codes, printed = start(backend, 1, tmp_path / "whole")
    assert codes == [0], printed
    codes, printed = start(backend, 2, tmp_path / "cut", 2, num_processes=2)
    assert 0 not in codes
    assert "Start all of them again with --resume" in printed or "SIGKILL" in printed, printed
    assert len(losses(tmp_path / "cut")) == 2
    codes, printed = start(backend, 2, tmp_path / "cut", num_processes=2)
    assert set(codes) == {0}, printed
    np.testing.assert_allclose(losses(tmp_path / "cut"), losses(tmp_path / "whole"), atol=1e-4)


def test_masks_differ_between_replicas_and_are_the_same_after_a_resume():
    signals = np.zeros((8, 256), "float32")

    def batches(*part):
        made = EpochBatches(with_mask_noise(shuffled((signals,), 0), 8, seed=0), 8)
        made.split(*part)
        return made

    parts = [batches(2, 2, index)[0][0]["noise"] for index in range(2)]
    assert (parts[0] != parts[1]).any(axis=1).all()
    np.testing.assert_array_equal(np.concatenate(parts), batches(1, 1, 0)[0][0]["noise"])
    first, resumed = batches(1, 1, 0), batches(1, 1, 0)
    for epoch in range(3):
        first.set_epoch(epoch)
    resumed.set_epoch(2)
    np.testing.assert_array_equal(first[0][0]["noise"], resumed[0][0]["noise"])
    assert (first[0][0]["noise"] != batches(1, 1, 0)[0][0]["noise"]).all()


@pytest.mark.parametrize(("num_signals", "expected"), [(16, [8, 8]), (19, [8, 8]), (21, [8, 8, 4])])
def test_what_cannot_be_shared_evenly_is_left_out(num_signals, expected):
    signals = np.arange(num_signals)[:, None]
    parts = []
    for index in range(2):
        batches = EpochBatches(lambda epoch: (signals,), 8)
        batches.split(4, 2, index)
        parts.append([batches[i][0] for i in range(len(batches))])
    assert [len(first) + len(second) for first, second in zip(*parts, strict=True)] == expected
    seen = np.concatenate([row for pair in zip(*parts, strict=True) for row in pair])
    np.testing.assert_array_equal(seen[:, 0], np.arange(sum(expected)))


def test_a_batch_that_cannot_be_shared_is_an_error():
    batches = EpochBatches(shuffled((np.zeros((64, 4)),), 0), 10)
    with pytest.raises(ValueError, match=r"4 devices cannot share a batch of 10 .* such as 8"):
        batches.split(4, 1, 0)


def test_batches_are_copies_since_tensorflow_writes_over_them():
    signals = np.zeros((8, 4), "float32")
    EpochBatches(lambda epoch: (signals,), 8)[0][0][:] = 1
    np.testing.assert_array_equal(signals, 0)


@pytest.mark.parametrize(
    ("backend", "variables", "message"),
    [
        ("tensorflow", {"TF_CONFIG": "{}"}, "KERAS_BACKEND=jax with the variables of keras.distribution.initialize"),
        ("tensorflow", {"TF_CONFIG": "{}"}, "KERAS_BACKEND=torch under torchrun"),
        ("jax", {"KERAS_DISTRIBUTION_NUM_PROCESSES": "2"}, "Received only: KERAS_DISTRIBUTION_NUM_PROCESSES"),
    ],
)
def test_what_cannot_work_is_refused_with_the_way_out(monkeypatch, backend, variables, message):
    monkeypatch.setattr("keras.backend.backend", lambda: backend)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=message):
        use_devices(2)


def test_processes_that_nobody_asked_for_are_an_error(monkeypatch):
    if BACKEND != "torch":
        assert use_devices(1).num_devices == 1
        return
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match=r"--devices 1, but this is one of 2 processes"):
        use_devices(1)


def test_parts_of_a_batch_are_checked_against_the_devices():
    Devices(2).check_micro_batches(64, 4)
    with pytest.raises(ValueError, match="batch of 60 signals"):
        Devices(2).check_micro_batches(60, 4)
    mirrored = object.__new__(_TensorFlowDevices)  # made, it would divide the CPU of all later tests
    mirrored.num_devices = 2
    mirrored.check_micro_batches(64, 1)
    with pytest.raises(ValueError, match="--devices 2, --gradient-accumulation-steps 4"):
        mirrored.check_micro_batches(64, 4)
