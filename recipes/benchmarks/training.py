"""Rates and memory of training steps, of this package and of vit-pytorch, taken in turns."""

import numpy as np

from recipes.benchmarks.contenders import MATRIX_SIZE, Contender, Worker, build_model, step_flops
from recipes.benchmarks.machine import Watch, computes_bfloat16
from recipes.benchmarks.measuring import MEBIBYTE
from recipes.benchmarks.rows import row

BACKENDS = ("torch", "tensorflow", "jax")
REFERENCE = "vit-pytorch eager"
MATRIX = "matrix product"
DECODERS = ("full", "cross")
# Rates to reach, of that of the reference: by the best backend, by torch, and by any other.
_BEST = {"full": 1.7, "cross": 3.0}
_TORCH = {"full": 1.3, "cross": 2.2}
_OTHER = 1.0
_BFLOAT16 = 1.8


def contenders(size):
    """All that takes turns; with bfloat16 where the processor has it, since it would be emulated elsewhere.

    Args:
        size: dict of `preset`, `batch_size` and `signal_length`.
    """
    return [
        Contender(MATRIX, task="matrix"),
        Contender(REFERENCE, library="vit-pytorch", **size),
        Contender("vit-pytorch compiled", library="vit-pytorch compiled", **size),
        *(
            Contender(f"{backend}, {decoder} decoder", backend=backend, decoder=decoder, **size)
            for decoder in DECODERS
            for backend in BACKENDS
        ),
        *(
            Contender(f"{backend}, full decoder, bfloat16", backend=backend, dtype="mixed_bfloat16", **size)
            for backend in BACKENDS
            if computes_bfloat16()
        ),
        *(Contender(f"{backend}, fine-tuning", task="finetune", backend=backend, **size) for backend in BACKENDS),
    ]


def in_turn(size, rounds, steps):
    """Times all contenders in turn.

    Returns:
        Rows of the table, and a dict from the name of each contender that misses the target of its rate to what its
        time goes to, see `profiling.profile`.
    """
    workers = []
    try:
        for contender in contenders(size):
            workers.append(Worker(contender))
            print(f"{contender.name} is warm", flush=True)
        times, others = ({worker.contender.name: [] for worker in workers} for _ in range(2))
        for number in range(rounds):
            for worker in workers:
                name = worker.contender.name
                with Watch(others[name]) as watch:
                    seconds, watch.ours = worker.time(steps)
                times[name].append(seconds)
            print(f"round {number + 1} of {rounds} is done", flush=True)
        memory = {worker.contender.name: worker.step_memory for worker in workers if worker.contender.name != MATRIX}
        rows = compared(size, times, memory, others)
        missed = {
            line["what"].split(": ")[0] for line in rows if "rate /" in line["what"] and not line.get("met", True)
        }
        profiles = {worker.contender.name: worker.profile() for worker in workers if worker.contender.name in missed}
    finally:
        for worker in workers:
            worker.__exit__()
    return rows, profiles


def compared(size, times, memory, others):
    """Rows of rates, ratios, shares of the peak and memory, from seconds, bytes and others' cores of each contender."""
    times = {name: np.array(values) for name, values in times.items()}
    peak = 2 * MATRIX_SIZE**3 / times.pop(MATRIX) / 1e9
    rows = [row("Matrix product in float32", peak, "GFLOP/s", others=others[MATRIX])]
    for name, seconds in times.items():
        rows.append(row(f"{name}: rate", size["batch_size"] / seconds, "signals/s", others=others[name]))
    flops = {decoder: step_flops(build_model(Contender("", decoder=decoder, **size))) for decoder in DECODERS}
    for name, seconds in times.items():
        if "fine-tuning" not in name:
            done = flops["cross" if "cross" in name else "full"] * size["batch_size"] / seconds / 1e9
            rows.append(row(f"{name}: share of the matrix peak", done / peak, ""))
    for name in times:
        if name != REFERENCE and "fine-tuning" not in name and "bfloat16" not in name:
            ratio = times[REFERENCE] / times[name]
            rows.append(row(f"{name}: rate / that of {REFERENCE}", ratio, "", *_target(name, times)))
    for backend in BACKENDS:
        plain, short = (f"{backend}, full decoder{kind}" for kind in ("", ", bfloat16"))
        if short in times:
            what = f"{short}: rate / that in float32"
            rows.append(row(what, times[plain] / times[short], "", ">=", _BFLOAT16))
    for name, size_of_step in memory.items():
        rows.append(row(f"{name}: memory of a step", [size_of_step / MEBIBYTE], "MiB"))
    return rows


def _target(name, times):
    """Sign and bound of a contender's ratio: the best backend has more to reach."""
    backend, _, rest = name.partition(", ")
    if not rest.endswith(" decoder"):
        return ()
    decoder = rest.removesuffix(" decoder")
    best = min(BACKENDS, key=lambda each: np.median(times[f"{each}, {decoder} decoder"]))
    if backend == best:
        return ">=", _BEST[decoder]
    return ">=", _TORCH[decoder] if backend == "torch" else _OTHER


def latencies(preset, signal_length, steps):
    """Rows of the time to encode one signal."""
    rows = []
    for backend in BACKENDS:
        contender = Contender(
            backend, "encode", backend=backend, preset=preset, signal_length=signal_length, batch_size=1
        )
        others = []
        with Worker(contender) as worker, Watch(others) as watch:
            turns = [worker.time(10 * steps) for _ in range(5)]
            watch.ours = sum(processor for _, processor in turns)
        rows.append(row(f"{backend}: one signal encoded", [1e3 * seconds for seconds, _ in turns], "ms", others=others))
    return rows


def print_profiles(profiles):
    """Prints what the time of each step goes to that missed its target."""
    for name, shares in profiles.items():
        print(
            f"{name} spends " + ", ".join(f"{share:.0%} on {kind}" for kind, share in shares.items() if share >= 0.005)
        )
