"""What the C library and XLA do with the memory of a training step."""

import contextlib
import ctypes
import os

import keras

# Parameters of glibc's mallopt.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_XLA_SCHEDULER = "xla_cpu_enable_concurrency_optimized_scheduler"


def tune_malloc() -> bool:
    """Has the C library (glibc) keep memory that is freed, and not hand it back to the system to ask for it again.

    A training step allocates and frees the same hundreds of MiB each time. By default glibc gives large blocks back at
    once, and the system has to clear every page again: with TensorFlow on a CPU that was a third of the time of a
    step. What the process holds is then its peak. Where there is no glibc, nothing happens.

    Returns:
        bool, whether the C library took the setting.

    Reference:
        - [mallopt(3)](https://man7.org/linux/man-pages/man3/mallopt.3.html)
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        return bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, -1))
    return False


def set_xla_memory_scheduler() -> bool:
    """Has XLA order the operations of a CPU program so that results die early, not so that many could run at once.

    JAX compiles for concurrency by default, and then computes early what is only needed late: what blocks are to
    compute again going backward is computed, and kept, before the backward pass begins, and `remat` saves nothing.
    On two cores the time of a step is the same either way. XLA reads its flags once: call this before JAX computes
    anything. With another backend nothing happens, and flags that name this choice already are left alone.

    Returns:
        bool, whether the flag was set.

    Reference:
        - [XLA flags](https://openxla.org/xla/flags_guidance)
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if keras.backend.backend() != "jax" or _XLA_SCHEDULER in flags:
        return False
    os.environ["XLA_FLAGS"] = f"{flags} --{_XLA_SCHEDULER}=false".strip()
    return True
