import json

import pytest

pytestmark = pytest.mark.slow


def test_every_picker_has_a_rate_and_a_ratio(recipe_here, tmp_path):
    code, printed = recipe_here(
        "benchmarks.picking", "--signals", 256, "--rounds", 1, "--no-keras", "--output", tmp_path
    )
    assert code == 0, printed
    written = json.loads((tmp_path / "picking.json").read_text())
    rows = {row["what"]: row for row in written["rows"]}
    pickers = [f"picker `{name}`, LiteRT" for name in ("nano", "nano_mcu", "tiny", "tiny_patch64")]
    for name in ("envelope threshold picker", *pickers):
        assert rows[f"{name}: rate"]["median"] > 100
        assert rows[f"{name}: rate / that of the AIC picker"]["median"] > 0
    assert all(rows[f"{name}: one trace"]["target"] == "<= 0.5" for name in pickers)
    commands = {what: row for what, row in rows.items() if what.startswith("`usmae predict`")}
    assert len(commands) == 1 + 2 * len(pickers)
    assert [row["target"] for row in commands.values() if row["unit"] == ""] == [">= 1.0"] * 2 + [">= 0.5"] * 2
    assert all(what in printed for what in rows)
