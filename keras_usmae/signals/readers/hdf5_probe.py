"""A process that lists what HDF5 files hold, so that a damaged one stops or fills it and not its reader.

`hdf5_guard` runs this file by its path: it may import nothing of this package, which would take longer than the files.
"""

import contextlib
import json
import os
import signal
import sys

import h5py

MAX_VISITS = 100_001  # links; the readers refuse a file with more
# By h5py, of damaged files. What is raised here is raised to the reader again, who tells of it.
_RAISED = (KeyError, MemoryError, OSError, RuntimeError, TypeError, ValueError)


def list_all(path: str) -> None:
    """Makes the calls that the readers make before they load an array: links, kinds, attributes and chunks."""
    with h5py.File(path, "r") as file:
        waiting, seen, visits = [file.id], set(), 0
        while waiting:
            group = waiting.pop()
            names = []
            with contextlib.suppress(*_RAISED):
                _list_attributes(group)
                names = list(group)
            for name in names:
                visits += 1
                link = group.links.get_info(name)
                if visits > MAX_VISITS or link.type != h5py.h5l.TYPE_HARD or link.u in seen:
                    continue
                seen.add(link.u)
                with contextlib.suppress(*_RAISED):
                    item = h5py.h5o.open(group, name)
                    if isinstance(item, h5py.h5g.GroupID):
                        waiting.append(item)
                    elif isinstance(item, h5py.h5d.DatasetID):
                        _list_attributes(item)
                        if item.get_create_plist().get_layout() == h5py.h5d.CHUNKED:
                            item.get_num_chunks()


def _list_attributes(item):
    h5py.h5a.iterate(item, lambda name: None)


def _memory(name):
    """Bytes of this process by a name of the system's, 0 where it is not Linux."""
    # Not `getrusage`, whose largest size is that of the process that started this one, too.
    with contextlib.suppress(OSError), open("/proc/self/status") as status:
        for line in status:
            if line.startswith(f"{name}:"):
                return 1024 * int(line.split()[1])
    return 0


def _allow(seconds, num_bytes):
    """Lets this process take as much more of the processor and of memory, where the system can hold it to that."""
    try:
        import resource
    except ImportError:  # Windows
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    limits = {resource.RLIMIT_CPU: int(used.ru_utime + used.ru_stime + seconds) + 1}
    if size := _memory("VmSize"):
        limits[resource.RLIMIT_AS] = size + num_bytes
    for kind, limit in limits.items():
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def main() -> None:
    """Answers each line of JSON, a path with its limits, with a line, once the file is listed or has raised."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the reader, whose end is this one's, too
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        before = _memory("VmPeak")
        _allow(asked["seconds"], asked["bytes"])
        with contextlib.suppress(*_RAISED):
            list_all(asked["path"])
        # HDF5 goes on where it gets no more memory, and raises what it may raise for other reasons.
        print("full" if _memory("VmPeak") - before > asked["bytes"] / 2 else "listed", file=answers, flush=True)


if __name__ == "__main__":
    main()
