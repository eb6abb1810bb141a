import json

import pytest

pytestmark = pytest.mark.slow


def test_every_picker_has_a_rate_and_a_ratio(recipe_here, tmp_path):
    code, printed = recipe_here(
        "benchmarks.picking", "--signals", 256, "--rounds", 1, "--no-keras", "--output", tmp_path
    )
    assert code == 0, printed
    written = json.loads((tmp_path / "picking.json").read_text())
    rates = {row["what"]: row for row in written["rows"] if "ratio" in row}
    assert set(rates) == {
        "AIC picker",
        "envelope threshold picker",
        "picker `nano`, LiteRT",
        "picker `nano_mcu`, LiteRT",
        "picker `tiny`, LiteRT",
        "picker `tiny_patch64`, LiteRT",
    }
    assert rates["AIC picker"]["ratio"] == 1
    assert all(row["median"] > 100 for row in rates.values())
    commands = [row for row in written["rows"] if row["what"].startswith("`usmae predict`")]
    assert len(commands) == 5
    assert all(row["what"] in printed for row in written["rows"])
