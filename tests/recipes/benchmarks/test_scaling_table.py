import pytest

from recipes.benchmarks import scaling_table


def test_efficiency_of_two_devices_by_hand():
    # One second of computing; 250 k parameters are 1 MB, which each of two devices sends once, at 1 MB/s.
    assert scaling_table.efficiency(250_000, 1e9, 1e9, 1e6, 2) == pytest.approx(0.5)
    assert scaling_table.efficiency(250_000, 1e9, 1e9, 1e6, 1) == 1


def test_the_page_shows_what_is_printed(repository, capsys):
    scaling_table.main()
    assert capsys.readouterr().out in (repository / "docs" / "how-to" / "clusters.md").read_text()
