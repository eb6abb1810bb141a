"""HDF5's own library against damaged files: it may loop without an end, take all memory, or crash.

No check of ours comes before it, since it does this where it lists the names of a group. So another process lists a
file first, within limits, and only a file that it comes through is opened here. It stays for the next file: it takes a
sixth of a second to start, and a small file a millisecond.
"""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import h5py

from keras_usmae.signals.readers.guards import RefusedError

SECONDS, NUM_BYTES = 10.0, 2**28  # of the processor, and of memory, to list a file
_PATIENCE = 12  # times as long by the clock: a share on the network is slow
_PROBE = Path(__file__).with_name("hdf5_probe.py")
_lock = threading.Lock()
_process: subprocess.Popen | None = None
_owner = 0  # a process that was forked has none of its own


def open_hdf5(path: Path) -> h5py.File:
    """Opens a file that HDF5 can list, for reading.

    Args:
        path: path of a file.

    Raises:
        RefusedError: where listing what it holds takes more time or memory than any sound file, or crashes.
        OSError: where it is no HDF5 file.
    """
    with _lock:
        _check(path)
    return h5py.File(path, "r")


def _check(path):
    process = _started()
    if process is None:
        return
    timer = threading.Timer(_PATIENCE * SECONDS, process.kill)
    timer.start()
    try:
        asked = {"path": str(path.absolute()), "seconds": SECONDS, "bytes": NUM_BYTES}
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
    except OSError:  # it ended while it was asked
        answer = ""
    finally:
        timer.cancel()
    if answer != "listed\n":
        _end()
        raise RefusedError(
            f"it is damaged, or holds millions of objects. HDF5 took more than {SECONDS:.0f} s of the processor or "
            f"{NUM_BYTES // 2**20} MiB to list them, or crashed. Export it again, its traces as one array, or see what "
            "'h5dump -n' and 'h5repack' make of it"
        )


def _started():
    """The process that lists, or `None` where the system gives none: a sound file must be read all the same."""
    global _process, _owner
    if _process is not None and _owner == os.getpid() and _process.poll() is None:
        return _process
    # Of a program that is frozen, sys.executable would start that program once more.
    if not sys.executable or getattr(sys, "frozen", False) or not _PROBE.is_file():
        return None
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", str(_PROBE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError:
        return None
    _process, _owner = process, os.getpid()
    if process.stdout is None or process.stdout.readline() != "ready\n":
        _end()
        return None
    return process


@atexit.register
def _end():
    global _process
    if _process is not None and _owner == os.getpid():
        _process.kill()
        with contextlib.suppress(OSError), _process:
            pass
    _process = None
