"""The tables of figures in README, documentation and cards, made from the CSVs under docs/experiments.

    python recipes/maintenance/figures.py            # writes marked tables anew
    python recipes/maintenance/figures.py --check    # says which differ

A table is marked by a line `<!-- figures: NAME -->` above it, where NAME is one of `TABLES`. The tests compare all of
them (`tests/docs/test_figures.py`), and the figures in sentences that `figures_in_prose.py` knows; a table of a page of
`PAGES` that is not marked has to stand in `WITHOUT_CSV` of `figure_pages.py`, with the reason.
"""

import re
from pathlib import Path
from typing import Annotated

import typer

from recipes.maintenance import figures_of_experiments as experiments
from recipes.maintenance import figures_of_pickers as pickers
from recipes.maintenance import figures_of_speed as speed
from recipes.maintenance.figure_pages import PAGES
from recipes.maintenance.figures_of_exports import exports

REPOSITORY = Path(__file__).parents[2]
TABLES = {
    "readme_pickers": pickers.readme_pickers,
    "results_pickers": pickers.results_pickers,
    "card_nano": pickers.picker_card("nano"),
    "card_tiny": pickers.picker_card("tiny"),
    "card_nano_mcu": pickers.picker_card("nano_mcu", "pickers_mcu"),
    "card_tiny_patch64": pickers.picker_card("tiny_patch64", "pickers_patch64"),
    "diversity": experiments.diversity,
    "exports": exports,
    "label_budget": experiments.label_budget,
    "model_size": experiments.model_size,
    "masking": experiments.masking,
    "over_bound": experiments.over_bound,
    "patch16_card": experiments.patch16_card,
    "sources": experiments.sources,
    "taught": experiments.taught,
    "speed_picks": speed.picks,
    "speed_training": speed.training,
}
MARK = re.compile(r"^<!-- figures: (\w+) -->\n\n((?:\|.*\n)+)", re.M)


def renewed(text):
    """A page whose marked tables are those of the CSVs.

    Args:
        text: str, of the page.

    Raises:
        ValueError: where a mark names no table, or none stands below it.

    Example:

    ```python
    renewed((REPOSITORY / "README.md").read_text())
    ```
    """
    names = re.findall(r"^<!-- figures: (\w+) -->", text, re.M)
    found = [match[0] for match in MARK.findall(text)]
    if names != found or not set(names) <= TABLES.keys():
        raise ValueError(f"Marks {names}, of which {found} stand above a table; known are {', '.join(TABLES)}.")
    return MARK.sub(lambda match: f"<!-- figures: {match[1]} -->\n\n" + "\n".join(TABLES[match[1]]()) + "\n", text)


def unmarked(text):
    """Headers of the tables of a page that no mark stands above."""
    rest = MARK.sub("", text)
    return re.findall(r"^(\|.*)\n\|[ :|-]+\n", rest, re.M)


def main(check: Annotated[bool, typer.Option("--check", help="Write nothing, and fail where one differs.")] = False):
    """Writes the marked tables of all pages anew, or says which differ."""
    differ = []
    for page in PAGES:
        path = REPOSITORY / page
        text = path.read_text()
        if renewed(text) != text:
            differ.append(page)
            if not check:
                path.write_text(renewed(text))
    print("\n".join(differ) or "Every marked table is that of its CSV.")
    if check and differ:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
