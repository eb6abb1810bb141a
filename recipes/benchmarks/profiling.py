"""What the time of a training step goes to, by kind of operation, as the backend's own profiler tells it."""

import collections
import re
import tempfile
from pathlib import Path

# The first pattern that an operation's name holds decides. XLA names a fusion after what it computes; those of JAX's
# YNNPACK hold matrix products with what surrounds them. The optimiser's are among the elementwise ones on XLA.
KINDS = {
    "attention": r"attention",
    "matrix products": r"matmul|dot|gemm|ynn|onednn|addmm|\bmm|bmm|linear",
    "optimiser": r"_foreach|aten::(sqrt|addcdiv|addcmul)",
    "gathers and sorting": r"gather|scatter|index|embedding|sort|topk",
    "copies and layout": r"^(wrapped_)?(transpose|copy|concat|slice|broadcast|bitcast|pad)(_(copy|bitcast|slice))*"
    r"(_fusion)?$|aten::(copy_|cat|fill_|zero_|clone|contiguous|empty.*)$",
    "elementwise and reductions": r"fusion|aten::|reduce|wrapped",
}
OTHER = "other"


def profile(backend, step, steps=3):
    """Shares of the operations' time, added up over threads.

    Args:
        backend: str, backend of Keras.
        step: function that does one step.
        steps: int. Defaults to `3`.

    Returns:
        dict from kind of operation to its share, the largest first.
    """
    seconds = _torch(step, steps) if backend == "torch" else _xla(backend, step, steps)
    total = collections.Counter()
    for name, value in seconds.items():
        total[kind(name)] += value
    return {name: value / sum(total.values()) for name, value in total.most_common()}


def kind(name):
    """Kind of an operation by its name."""
    name = re.sub(r"[._\d]+$", "", name.lower()) or name
    return next((kind for kind, pattern in KINDS.items() if re.search(pattern, name)), OTHER)


def _torch(step, steps):
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as torch_profile

    with torch_profile(activities=[ProfilerActivity.CPU]) as recorded:
        for _ in range(steps):
            step()
    return {event.key: event.self_cpu_time_total for event in recorded.key_averages()}


def _xla(backend, step, steps):
    """Both write the same file, which JAX can read; it holds XLA's operations with the threads that ran them."""
    import jax

    seconds = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        if backend == "jax":
            start, stop = jax.profiler.start_trace, jax.profiler.stop_trace
        else:
            from tensorflow.profiler.experimental import start, stop
        start(folder)
        for _ in range(steps):
            step()
        stop()
        for path in Path(folder).rglob("*.xplane.pb"):
            for plane in jax.profiler.ProfileData.from_file(str(path)).planes:
                for event in (event for line in plane.lines for event in line.events):
                    if operation := dict(event.stats).get("hlo_op"):
                        seconds[operation] += event.duration_ns
    return seconds
