"""The machine that a benchmark ran on, and how much of it others took meanwhile."""

import os
import platform
import resource
import time
from pathlib import Path

import numpy as np

QUIET = 0.1  # cores that others may take
_SHORTEST = 0.5  # seconds; the system counts in hundredths, whose rounding is less than QUIET only over so long a time
_FEATURES = {"amx_bf16": "AMX", "avx512_bf16": "AVX-512 and bfloat16", "avx512f": "AVX-512", "avx2": "AVX2"}


def processor():
    """Name of the processor and its widest vectors, as far as the system tells them."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    told = {key.strip(): value for key, _, value in (line.partition(":") for line in lines)}
    flags = told.get("flags", "").split()
    widest = next((words for flag, words in _FEATURES.items() if flag in flags), "")
    name = told.get("model name", "").strip() or platform.processor() or "a processor that does not tell its name"
    return f"{name} with {widest}" if widest else name


def computes_bfloat16():
    """Whether the processor has instructions for bfloat16, without which a library computes it in float32."""
    return "bfloat16" in processor() or "AMX" in processor()


def cores():
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


class Watch:
    """Measures the cores that other processes take while a block runs; a context manager.

    Args:
        others: list that the result is appended to, NaN where the system does not tell it or the block was over within
            half a second.

    Attributes:
        ours: float. Processor seconds of child processes that still live, to be added by the block.
    """

    def __init__(self, others):
        self.others = others
        self.ours = 0.0

    def __enter__(self):
        self.started = _clocks()
        return self

    def __exit__(self, *error):
        wall, busy, own = (now - then for now, then in zip(_clocks(), self.started, strict=True))
        self.others.append(max((busy - own - self.ours) / wall, 0.0) if wall >= _SHORTEST else np.nan)


def _clocks():
    return time.perf_counter(), _busy(), _own()


def _busy():
    """Processor seconds of everybody since the start of the system."""
    path = Path("/proc/stat")
    if not path.exists():
        return np.nan
    ticks = [int(value) for value in path.read_text().splitlines()[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")  # all but idle and waiting for disks


def _own():
    """Processor seconds of this process, and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
