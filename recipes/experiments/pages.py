"""The pages of docs/experiments made anew from their CSVs, without a training and without a signal.

    python recipes/experiments/pages.py

A page whose CSV has new rows is written again; `tests/docs/test_figures.py` compares each page with its CSV.
"""

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from keras_usmae import options
from keras_usmae.files import write_text
from recipes.experiments import (
    echo_heads,
    exports_report,
    find_experiment,
    label_ceiling,
    labelling,
    laboratories,
    pickers,
    robustness_report,
    spacing,
)
from recipes.experiments.ceilings import apart
from recipes.experiments.csv_rows import HOME, read_rows
from recipes.experiments.sweep import Sweep

MEASURED, SYNTHETIC = "ultrasound_measured/paper", "ultrasound_synthetic/quickstart"


def of_sweep(experiment, preset="nano", steps=1000, batch_size=32, seeds=5):
    """A page of `run.py`: function from the name of its CSV and a folder to the text."""

    def write(name, folder, home):
        rows, ceilings = apart(read_rows(name, home))
        for row in rows:
            # What an encoder started from is no number: the CSV has it as a text, or leaves it to the method's name.
            fresh = "scratch" in row["method"] or row.get("architecture") == "cnn"
            if "architecture" in row:
                row.setdefault("pretraining", None if fresh else row["method"])
        sweep = Sweep(preset, MEASURED, SYNTHETIC, None, steps, batch_size, seeds, ceilings=tuple(ceilings))
        pages = find_experiment(experiment).report(rows, sweep, folder)
        return next(Path(page).read_text() for page in pages if Path(page).suffix == ".md")

    return write


def _laboratories(name, folder, home):
    return laboratories.page(read_rows(name, home))


def _spacing(name, folder, home):
    return spacing.page(read_rows(name, home))


def _pickers(name, folder, home):
    return pickers.page(read_rows(name, home))


def _echo_heads(name, folder, home):
    return echo_heads.write_table(read_rows(name, home), "nano", 65_536, folder).read_text()


def _exports(name, folder, home):
    return exports_report.write_page(read_rows(name, home), folder).read_text()


def _labelling(name, folder, home):
    return labelling.write_page(read_rows(name, home), folder).read_text()


def _ceiling(name, folder, home):
    label_ceiling.write_page(*(read_rows(each, home) for each in (name, "label_echoes", "label_scores")), folder)
    return (folder / "label_ceiling.md").read_text()


def _robustness(name, folder, home):
    from recipes.experiments import robustness

    return robustness_report.write_report(robustness.read_rows(home / f"{name}.csv"), folder, robustness.told())[
        1
    ].read_text()


@dataclasses.dataclass(frozen=True)
class Page:
    """A page that a CSV is behind.

    Args:
        write: function from the name of the CSV, a folder for drafts, and the folder of the CSVs, to the page's text.
        seeds: int, runs that each of its figures rests on at least.
        why: str, why these are fewer than five, or empty.
    """

    write: Callable
    seeds: int = 5
    why: str = ""


PAGES = {
    "labels": Page(of_sweep("labels"), 1, "labelled synthetic signals with 0 measured labels: one seed"),
    "labels_tiny": Page(of_sweep("labels", "tiny", batch_size=64)),
    "budget": Page(of_sweep("budget", batch_size=64), 1, "with 0 labels nothing is drawn"),
    "budget_patch64": Page(of_sweep("budget", "tiny_patch64", batch_size=64), 1, "with 0 labels nothing is drawn"),
    "sources": Page(of_sweep("sources", steps=500), 1, "pickers without a training, of which nothing is drawn"),
    "sizes": Page(of_sweep("sizes", steps=500)),
    "masking": Page(of_sweep("masking")),
    "diversity": Page(of_sweep("diversity", steps=500)),
    "decoders": Page(of_sweep("decoders")),
    "baselines": Page(of_sweep("baselines")),
    "tasks": Page(of_sweep("tasks", steps=500)),
    "laboratories": Page(_laboratories),
    "spacing": Page(_spacing),
    "pickers": Page(_pickers),
    "pickers_mcu": Page(_pickers),
    "pickers_patch64": Page(_pickers),
    "pickers_cnn": Page(_pickers),
    "echo_heads": Page(_echo_heads),
    "exports": Page(_exports),
    "labelling": Page(_labelling),
    "label_ceiling": Page(_ceiling),
    "robustness": Page(_robustness),
}


def render(name, home=HOME):
    """The text of a page as its CSV has it.

    Args:
        name: str, one of `PAGES`.
        home: path of the folder of the CSVs. Defaults to docs/experiments.

    Raises:
        ValueError: where there is no page of this name.

    Example:

    ```python
    render("labels_tiny").splitlines()[0]  # "# Label budget: tiny, ..."
    ```
    """
    if name not in PAGES:
        raise ValueError(f"There is no page {name!r}; choose one of {', '.join(PAGES)}.")
    with tempfile.TemporaryDirectory() as folder:
        return PAGES[name].write(name, Path(folder), Path(home))


def main(
    name: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(PAGES)}. All by default.")] = None,
    home: Annotated[Path, typer.Option(help="Folder of the CSVs and pages.")] = HOME,
) -> None:
    """Writes pages anew from their CSVs."""
    for each in name or PAGES:
        if (home / f"{each}.csv").is_file():
            write_text(home / f"{each}.md", render(each, home))
            print(home / f"{each}.md")


if __name__ == "__main__":
    options.run(main)
