import json
import sys

import pytest


@pytest.fixture
def recipe_path(repository, monkeypatch):
    """The folder of recipes, whose modules the processes of the benchmark import too."""
    monkeypatch.syspath_prepend(repository / "recipes")
    monkeypatch.setenv("PYTHONPATH", str(repository / "recipes"))
    yield
    for name in ("benchmark", "benchmark_data", "contenders", "measuring"):
        sys.modules.pop(name, None)


def test_counted_operations_are_those_that_torch_counts(recipe_path):
    from contenders import Contender, build_model, build_step, step_flops
    from torch.utils.flop_counter import FlopCounterMode

    contender = Contender("", library="vit-pytorch", preset="tiny", batch_size=4)
    step, _ = build_step(contender)
    with FlopCounterMode(display=False) as counter:
        step()
    # vit-pytorch embeds all patches, and predicts the removed ones only.
    assert 4 * step_flops(build_model(contender)) == pytest.approx(counter.get_total_flops(), rel=0.02)


def test_the_cross_decoder_costs_less(recipe_path):
    from contenders import Contender, build_model, step_flops

    full, cross = (step_flops(build_model(Contender("", decoder=decoder))) for decoder in ("full", "cross"))
    assert 1.5 < full / cross < 2


def test_a_process_that_dies_is_told(recipe_path):
    from contenders import Contender, Worker

    with pytest.raises(RuntimeError, match="mine: its process ended with code 1"):
        Worker(Contender("mine", preset="enormous"))


@pytest.mark.slow
def test_the_benchmark_tells_each_target(recipe_path, tmp_path, monkeypatch, capsys):
    import benchmark

    monkeypatch.setattr(benchmark, "BACKENDS", ("tensorflow",))
    monkeypatch.setattr(benchmark, "NUM_STORED", 512)
    size = {"preset": "nano", "batch_size": 8, "signal_length": 512}
    benchmark.main(
        **size, rounds=2, steps=1, batch_sizes=[8], presets=["nano"], lengths=[256, 512], output=tmp_path / "out"
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["benchmark.json", "benchmark.png"]
    written = json.loads((tmp_path / "out" / "benchmark.json").read_text())
    rows = {row["what"]: row for row in written["rows"]}
    assert all(row["low"] <= row["median"] <= row["high"] for row in rows.values())
    assert rows["tensorflow, full decoder: rate / that of vit-pytorch eager"]["target"] == ">= 1.3"
    assert rows["tensorflow, cross decoder: rate / that of vit-pytorch eager"]["target"] == ">= 2.5"
    assert 0 < rows["tensorflow, full decoder: share of the matrix peak"]["median"] < 1
    assert all(what in capsys.readouterr().out for what in [next(iter(rows))])
    assert [point["signal_length"] for point in written["curves"]["signal_length"]["tensorflow"]] == [256, 512]
