"""Files on which HDF5's own library takes all memory, crashes or never ends: refused, and the next one is read."""

import struct
import subprocess
import sys

import numpy as np
import pytest

from keras_usmae.signals.readers import hdf5_guard
from tests.reader_files import TRACES, read, write


@pytest.fixture(autouse=True)
def ended():
    """No process that a test changed stays for the next one."""
    hdf5_guard._end()
    yield
    hdf5_guard._end()


def _places(content, signature):
    place = -1
    while (place := content.find(signature, place + 1)) >= 0:
        yield place


def _start(path):
    """Where addresses count from: behind MATLAB's own block."""
    return 512 if path.suffix == ".mat" else 0


def endless_free_list(path):
    """The free space of each heap of names follows upon itself: the library lists it until no memory is left."""
    content = bytearray(path.read_bytes())
    for heap in list(_places(content, b"HEAP")):
        free, names = struct.unpack_from("<QQ", content, heap + 16)
        struct.pack_into("<Q", content, _start(path) + names + free, free)
    path.write_bytes(content)


def tree_within_itself(path):
    """A node of a group's tree is its own child: the library follows it until its stack is full."""
    content = bytearray(path.read_bytes())
    node = next(node for node in _places(content, b"TREE") if content[node + 4] == 0 and content[node + 6])
    content[node + 5] = 1  # a level above its children
    struct.pack_into("<Q", content, node + 32, node - _start(path))
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [endless_free_list, tree_within_itself])
@pytest.mark.parametrize("kind", ["h5", "nde", "v73.mat"])
def test_a_file_that_the_library_cannot_list_is_refused(tmp_path, kind, damage):
    path = write(tmp_path, kind)
    damage(path)
    with pytest.raises(
        ValueError, match=rf"{path.name}'.*is damaged, or holds .* HDF5 took more than .* or crashed.*h5repack"
    ):
        read(path)
    np.testing.assert_array_equal(read(write(tmp_path, kind)).signals, TRACES)


def test_one_process_lists_file_after_file(tmp_path):
    processes = set()
    for kind in ("h5", "v73.mat", "nde"):
        read(write(tmp_path, kind))
        processes.add(hdf5_guard._process.pid)
    assert len(processes) == 1


def test_damage_that_the_library_tells_of_keeps_its_reason(tmp_path):
    path = write(tmp_path, "h5")
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(ValueError, match="truncated"):
        read(path)


def _stand_in(tmp_path, monkeypatch, code):
    path = tmp_path / "probe.py"
    path.write_text(code)
    monkeypatch.setattr(hdf5_guard, "_PROBE", path)


def test_a_file_that_is_never_listed_is_refused_by_the_clock(tmp_path, monkeypatch):
    _stand_in(tmp_path, monkeypatch, "import time\nprint('ready', flush=True)\ntime.sleep(60)")
    monkeypatch.setattr(hdf5_guard, "_PATIENCE", 0.05)
    with pytest.raises(ValueError, match="HDF5 took more than"):
        read(write(tmp_path, "h5"))


@pytest.mark.parametrize("code", ["raise SystemExit", "import nothing_of_this_name"])
def test_where_no_process_starts_a_sound_file_is_read(tmp_path, monkeypatch, code):
    _stand_in(tmp_path, monkeypatch, code)
    np.testing.assert_array_equal(read(write(tmp_path, "h5")).signals, TRACES)


def test_a_program_without_an_interpreter_reads_sound_files(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "")
    np.testing.assert_array_equal(read(write(tmp_path, "h5")).signals, TRACES)


def test_the_process_ends_with_its_reader(tmp_path):
    path = write(tmp_path, "h5")
    code = (
        "import keras_usmae.signals.readers as readers, keras_usmae.signals.readers.hdf5_guard as guard\n"
        f"readers.read_recordings({str(path)!r})\nprint(guard._process.pid)"
    )
    pid = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    ended = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    assert ended.stdout.strip() in ("", "Z")
