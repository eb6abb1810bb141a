import sys

import pytest


@pytest.fixture
def scaling_table(repository, monkeypatch):
    monkeypatch.syspath_prepend(repository / "recipes")
    import scaling_table

    yield scaling_table
    for name in ("scaling_table", "contenders", "measuring"):
        sys.modules.pop(name, None)


def test_efficiency_of_two_devices_by_hand(scaling_table):
    # One second of computing; 250 k parameters are 1 MB, which each of two devices sends once, at 1 MB/s.
    assert scaling_table.efficiency(250_000, 1e9, 1e9, 1e6, 2) == pytest.approx(0.5)
    assert scaling_table.efficiency(250_000, 1e9, 1e9, 1e6, 1) == 1


def test_the_page_shows_what_is_printed(scaling_table, repository, capsys):
    scaling_table.main()
    assert capsys.readouterr().out in (repository / "docs" / "clusters.md").read_text()
