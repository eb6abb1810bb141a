"""How the benchmarks measure: timers, processes of their own, peaks of memory."""

import concurrent.futures
import multiprocessing
import os
import time
from pathlib import Path

MEBIBYTE = 2**20


class timed:
    """Appends the wall and processor time of a block, by signal, to a list."""

    def __init__(self, times, num_signals):
        self.times, self.num_signals = times, num_signals

    def __enter__(self):
        self.started = time.perf_counter(), time.process_time()

    def __exit__(self, *error):
        ended = time.perf_counter(), time.process_time()
        self.times.append([(end - start) / self.num_signals for start, end in zip(self.started, ended, strict=True)])


def in_a_process(measure, *arguments, one_core=True):
    """Calls a function in a new process, whose threads and memory are its own."""
    context = multiprocessing.get_context("spawn")
    initializer = keep_to_one_core if one_core else None
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context, initializer=initializer) as pool:
        return pool.submit(measure, *arguments).result()


def keep_to_one_core():
    """Leaves this process, and the threads it will start, one core."""
    os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])


def peak_memory():
    """Peak of this process's resident memory in bytes. That of `resource` would count the parent's too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
