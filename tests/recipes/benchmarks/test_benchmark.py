import json

import pytest


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
    from recipes.benchmarks import benchmark

    names = [benchmark.REFERENCE, *(f"{backend}, full decoder" for backend in benchmark.BACKENDS), "jax, cross decoder"]
    times = dict(zip(names, ([1.0], [0.7], [0.9], [1.1], [0.5]), strict=True))
    size = {"preset": "small", "batch_size": 256, "signal_length": 2048}
    rows = benchmark.compared(
        size, {"matrix product": [0.1], **times}, dict(zip(names, (100, 40, 60, 50, 9), strict=True))
    )
    rows = {row["what"]: (row.get("target"), row.get("met")) for row in rows}
    rates = [rows[f"{name}: rate / that of {benchmark.REFERENCE}"] for name in names[1:]]
    assert rates == [(">= 1.3", True), (">= 1.0", True), (">= 1.0", False), (">= 2.5", False)]
    memory = [rows[f"{name}: memory / that of {benchmark.REFERENCE}"] for name in names[1:4]]
    assert memory == [("<= 0.5", True), ("<= 0.5", False), ("<= 0.5", True)]


@pytest.mark.slow
def test_the_benchmark_tells_each_target(tmp_path, monkeypatch, capsys):
    from recipes.benchmarks import benchmark

    # One backend, that starts fast, and no compilation by torch, which takes a minute.
    monkeypatch.setattr(benchmark, "BACKENDS", ("jax",))
    monkeypatch.setattr(benchmark, "NUM_STORED", 512)
    everyone = benchmark.contenders
    left_out = ("compiled", "cross")
    monkeypatch.setattr(
        benchmark, "contenders", lambda *args: [c for c in everyone(*args) if not any(n in c.name for n in left_out)]
    )
    size = {"preset": "nano", "batch_size": 8, "signal_length": 512}
    curves = {"batch_sizes": [8], "presets": ["nano"], "lengths": [256, 512]}
    benchmark.main(**size, **curves, micro_batches=2, rounds=2, steps=1, output=tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["benchmark.json", "benchmark.png"]
    written = json.loads((tmp_path / "out" / "benchmark.json").read_text())
    rows = {row["what"]: row for row in written["rows"]}
    assert all(row["low"] <= row["median"] <= row["high"] for row in rows.values())
    rate = "{}: rate / that of vit-pytorch eager"
    names = ("jax, full decoder", "jax, full decoder in 2 parts")
    assert {rows[rate.format(name)]["target"] for name in names} == {">= 1.3", ">= 1.0"}
    assert all(0 < rows[f"{name}: share of the matrix peak"]["median"] < 1 for name in names)
    assert rows["jax, 512 samples, recomputing: memory / that of keeping"]["median"] > 0
    assert set(written["profiles"]) == {name for name in names if not rows[rate.format(name)]["met"]}
    assert all(sum(shares.values()) == pytest.approx(1) for shares in written["profiles"].values())
    assert all(what in capsys.readouterr().out for what in [next(iter(rows))])
    assert [point["signal_length"] for point in written["curves"]["signal_length"]["jax"]] == [256, 512]
