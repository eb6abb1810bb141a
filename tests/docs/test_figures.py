"""Figures of README, documentation and cards are those of the CSVs under docs/experiments."""

import contextlib
import io
import re

import pytest

from recipes.experiments.csv_rows import cell, line, read_rows
from recipes.experiments.pages import HOME, PAGES, render
from recipes.maintenance import figures
from recipes.maintenance.figure_pages import PAGES as PAGES_OF_FIGURES
from recipes.maintenance.figure_pages import WITHOUT_CSV
from recipes.maintenance.figures_in_prose import CLAIMS, differences


@pytest.mark.parametrize("page", PAGES_OF_FIGURES)
def test_every_marked_table_is_that_of_its_csv(repository, page):
    text = (repository / page).read_text()
    assert figures.renewed(text) == text, "run python recipes/maintenance/figures.py, and read what it changed"


@pytest.mark.parametrize("page", PAGES_OF_FIGURES)
def test_a_table_without_a_mark_has_its_reason(repository, page):
    known = WITHOUT_CSV.get(page, {})
    headers = figures.unmarked((repository / page).read_text())
    assert not [header for header in headers if not header.startswith(tuple(known))]
    gone = [start for start in known if not any(header.startswith(start) for header in headers)]
    assert not gone, "these tables are no longer there, or have a CSV now"


def test_every_table_is_used(repository):
    used = {name for page in PAGES_OF_FIGURES for name, _ in figures.MARK.findall((repository / page).read_text())}
    assert used == figures.TABLES.keys()


def test_a_figure_that_was_changed_is_found(repository):
    text = (repository / "README.md").read_text()
    row = next(each for each in text.splitlines() if each.startswith("| AIC picker"))
    edited = text.replace(row, row.replace("5.27", "4.27"))
    assert edited != text
    assert figures.renewed(edited) == text


def test_a_mark_that_is_none_is_told():
    with pytest.raises(ValueError, match="'nonsense'"):
        figures.renewed("<!-- figures: nonsense -->\n\n| a |\n|---|\n")
    with pytest.raises(ValueError, match="stand above a table"):
        figures.renewed("<!-- figures: masking -->\n\nNo table.\n")


def test_the_figures_of_sentences_are_those_of_their_csv(repository):
    assert not differences(repository)
    assert len(CLAIMS) > 10


def test_a_sentence_that_was_changed_is_found(repository, tmp_path):
    for claim in CLAIMS:
        path = tmp_path / claim.page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((repository / claim.page).read_text())
    path = tmp_path / "README.md"
    path.write_text(re.sub(r"[\d.]+ % of `tiny_patch64`", "9.99 % of `tiny_patch64`", path.read_text()))
    (found,) = differences(tmp_path)
    assert found.startswith("README.md")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_an_experiment_is_that_of_its_csv(name):
    with contextlib.redirect_stdout(io.StringIO()):
        text = render(name)
    assert text == (HOME / f"{name}.md").read_text(), "run python recipes/experiments/pages.py"


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if page.seeds < 5])
def test_fewer_than_five_seeds_have_their_reason(name):
    assert PAGES[name].why


def test_cells_and_lines_by_hand():
    assert cell([{"x": 0.25}], "x", "{:.0f}", 100) == "25"
    assert cell([{"x": 1.0}, {"x": 3.0}], "x") == "2.0 ± 1.4"
    assert line(["", "a", 3]) == "| | a | 3 |"
    with pytest.raises(ValueError, match="no row"):
        read_rows("labels_tiny", labels=-1)
