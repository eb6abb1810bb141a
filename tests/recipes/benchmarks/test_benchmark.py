import json
import time

import numpy as np
import pytest

from recipes.benchmarks.rows import row


@pytest.fixture(autouse=True)
def _same_code(repository, monkeypatch):
    """The processes of the benchmark import the same code."""
    monkeypatch.setenv("PYTHONPATH", str(repository))


def test_counted_operations_are_those_that_torch_counts():
    from torch.utils.flop_counter import FlopCounterMode

    from recipes.benchmarks.contenders import Contender, build_model, build_step, step_flops

    contender = Contender("", library="vit-pytorch", preset="tiny", batch_size=4)
    step = build_step(contender)
    with FlopCounterMode(display=False) as counter:
        step()
    # vit-pytorch embeds all patches, and predicts the removed ones only.
    assert 4 * step_flops(build_model(contender)) == pytest.approx(counter.get_total_flops(), rel=0.02)


def test_the_cross_decoder_costs_less():
    from recipes.benchmarks.contenders import Contender, build_model, step_flops

    full, cross = (step_flops(build_model(Contender("", decoder=decoder))) for decoder in ("full", "cross"))
    assert 1.5 < full / cross < 2


def test_a_process_that_dies_is_told():
    from recipes.benchmarks.contenders import Contender, Worker

    with pytest.raises(RuntimeError, match="mine: its process ended with code 1"):
        Worker(Contender("mine", preset="enormous"))


def test_operations_are_told_apart():
    from recipes.benchmarks.profiling import kind

    names = {
        "matrix products": ("aten::mm", "aten::addmm", "MatMul.12", "dot.3", "ynn_fusion.183"),
        "attention": ("aten::_scaled_dot_product_flash_attention_for_cpu_backward",),
        "optimiser": ("aten::_foreach_mul_",),
        "gathers and sorting": ("bitcast_gather_fusion.1", "sort.2", "aten::embedding_dense_backward", "TopKV2"),
        "copies and layout": ("transpose_copy_fusion.4", "wrapped_broadcast.12", "copy_bitcast_fusion", "aten::cat"),
        "elementwise and reductions": ("add_divide_fusion.9", "aten::gelu", "broadcast_multiply_fusion.2"),
        "other": ("while.1",),
    }
    assert {name: kind(name) for group in names.values() for name in group} == {
        name: expected for expected, group in names.items() for name in group
    }


def test_a_profile_adds_up():
    import torch

    from recipes.benchmarks.profiling import profile

    a = torch.ones(1024, 1024)
    shares = profile("torch", lambda: torch.exp((a @ a)[:8]))
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["matrix products"] > 0.5
    assert shares["elementwise and reductions"] > 0


def test_what_misses_a_target_is_told():
    from recipes.benchmarks import training

    seconds = {
        training.REFERENCE: 1.0,
        **dict(zip((f"{each}, full decoder" for each in training.BACKENDS), (0.7, 0.5, 1.1), strict=True)),
        **dict(zip((f"{each}, cross decoder" for each in training.BACKENDS), (0.5, 0.4, 0.5), strict=True)),
        **dict(zip((f"{each}, full decoder, bfloat16" for each in training.BACKENDS), (0.3, 0.4, 0.5), strict=True)),
    }
    times = {training.MATRIX: [0.1], **{name: [each] for name, each in seconds.items()}}
    size = {"preset": "small", "batch_size": 256, "signal_length": 2048}
    rows = training.compared(size, times, {"torch, full decoder": 2**20}, {name: [0.3] for name in times})
    rows = {line["what"]: line for line in rows}
    told = {what: (line["target"], line["met"]) for what, line in rows.items() if "target" in line}
    ratio = "{} decoder: rate / that of vit-pytorch eager"
    assert told == {
        ratio.format("torch, full"): (">= 1.3", True),
        ratio.format("tensorflow, full"): (">= 1.7", True),
        ratio.format("jax, full"): (">= 1.0", False),
        ratio.format("torch, cross"): (">= 2.2", False),
        ratio.format("tensorflow, cross"): (">= 3.0", False),
        ratio.format("jax, cross"): (">= 1.0", True),
        "torch, full decoder, bfloat16: rate / that in float32": (">= 1.8", True),
        "tensorflow, full decoder, bfloat16: rate / that in float32": (">= 1.8", False),
        "jax, full decoder, bfloat16: rate / that in float32": (">= 1.8", True),
    }
    assert rows["torch, full decoder: memory of a step"]["median"] == 1
    assert rows["vit-pytorch eager: rate"]["others"] == 0.3


@pytest.mark.parametrize("has", [True, False])
def test_bfloat16_takes_turns_where_the_processor_has_it(monkeypatch, has):
    from recipes.benchmarks import training

    monkeypatch.setattr(training, "computes_bfloat16", lambda: has)
    size = {"preset": "small", "batch_size": 256, "signal_length": 2048}
    names = [each.name for each in training.contenders(size)]
    assert ("jax, full decoder, bfloat16" in names) is has
    seconds = {name: [1.0] for name in names}
    what = [line["what"] for line in training.compared(size, seconds, {}, {name: [0.0] for name in names})]
    assert ("jax, full decoder, bfloat16: rate / that in float32" in what) is has


def test_a_run_is_remembered_beside_the_next_on_such_a_processor(capsys):
    from recipes.benchmarks.rows import print_table, remember, remembered

    history = remember([], "fast", [row("rate", [1.0, 3.0], "signals/s")])
    history = remember(history, "slow", [row("rate", [0.5], "signals/s")])
    earlier = remembered(history, "fast")
    assert earlier["rows"] == {"rate": 2.0}
    assert remembered(history, "another") is None
    print_table([row("rate", [4.0], "signals/s", others=[0.0, 0.4]), row("new", [1.0], "ms", others=[0.01])], earlier)
    printed = capsys.readouterr().out
    assert f"| {earlier['date']} |" in printed
    assert "| rate | 4 |  | signals/s |  |  | 2 |" in printed
    assert "| new | 1.00 |  | ms |  |  | |" in printed
    assert printed.endswith("0.4  rate\n")


def test_the_load_of_others_is_told_from_ones_own(monkeypatch):
    from recipes.benchmarks import machine

    # Wall clock, processor seconds of everybody, and of this process and those of its children that have ended.
    clocks = iter([(10.0, 50.0, 3.0), (12.0, 53.5, 4.0)])
    monkeypatch.setattr(machine, "_clocks", lambda: next(clocks))
    others = []
    with machine.Watch(others) as watch:
        watch.ours = 1.5
    assert others == [pytest.approx((3.5 - 1.0 - 1.5) / 2.0)]


def test_the_clocks_run():
    from recipes.benchmarks import machine

    others = []
    with machine.Watch(others):
        started = time.monotonic()
        while time.monotonic() < started + 0.6:
            pass
    with machine.Watch(others):  # too short to tell
        pass
    assert 0 <= others[0] <= 1.1 * machine.cores()  # two clocks, read one after the other
    assert np.isnan(others[1])
    assert "others" not in row("rate", [1.0], "ms", others=others[1:])


@pytest.mark.slow
def test_the_benchmark_tells_each_target(tmp_path, monkeypatch, capsys):
    from recipes.benchmarks import benchmark, training

    # One backend, that starts fast, and no compilation by torch, which takes a minute.
    monkeypatch.setattr(training, "BACKENDS", ("jax",))
    monkeypatch.setattr(benchmark, "NUM_STORED", 512)
    everyone = training.contenders
    monkeypatch.setattr(training, "contenders", lambda size: [c for c in everyone(size) if "compiled" not in c.name])
    size = {"preset": "nano", "batch_size": 8, "signal_length": 512}
    for _ in range(2):
        benchmark.main(**size, rounds=2, steps=1, traces=256, output=tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["benchmark.json", "history.json"]
    written = json.loads((tmp_path / "out" / "benchmark.json").read_text())
    rows = {row["what"]: row for row in written["rows"]}
    assert all(row["low"] <= row["median"] <= row["high"] for row in rows.values())
    rate = "{}: rate / that of vit-pytorch eager"
    names = ("jax, full decoder", "jax, cross decoder")
    assert {rows[rate.format(name)]["target"] for name in names} == {">= 1.7", ">= 3.0"}
    assert all(0 < rows[f"{name}: share of the matrix peak"]["median"] < 1 for name in names)
    assert set(written["profiles"]) == {name for name in names if not rows[rate.format(name)]["met"]}
    assert all(sum(shares.values()) == pytest.approx(1) for shares in written["profiles"].values())
    for what in (
        "signals drawn",
        "`usmae pretrain --help`",
        "jax, fine-tuning: rate",
        "picker `nano`, LiteRT: one trace",
    ):
        assert rows[what]["median"] > 0
    printed = capsys.readouterr().out
    assert len(json.loads((tmp_path / "out" / "history.json").read_text())["runs"]) == 2
    assert all(what in printed for what in rows)


@pytest.mark.slow
def test_growth_is_told_over_batch_model_and_length(tmp_path, monkeypatch, capsys):
    from recipes.benchmarks import growth

    monkeypatch.setattr(growth, "BACKENDS", ("jax",))
    curves = {"batch_sizes": [8], "presets": ["nano"], "lengths": [256, 512]}
    size = {"preset": "nano", "batch_size": 8, "signal_length": 512}
    growth.main(**size, **curves, micro_batches=2, steps=1, output=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["growth.json", "growth.png"]
    written = json.loads((tmp_path / "growth.json").read_text())
    rows = {row["what"]: row["median"] for row in written["rows"]}
    assert rows["jax, recomputing 512 samples: memory / that without"] > 0
    assert rows["jax, cross decoder in 2 parts: time / that without"] > 0
    assert [point["signal_length"] for point in written["curves"]["signal_length"]["jax"]] == [256, 512]
    assert all(what in capsys.readouterr().out for what in [next(iter(rows))])
